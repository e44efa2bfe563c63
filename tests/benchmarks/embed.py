"""Embedding texts of mixed length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.engine.embedder import Embedder
from tests.benchmarks.peers import CARD, PEER_BATCHES, Array, card_embedder, peer_embedder
from tests.benchmarks.rates import model_operations
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import Row, row_of
from tests.benchmarks.texts import texts_to_embed
from tests.benchmarks.timing import Turns, take_turns
from tests.benchmarks.wanted import wanted
from tests.benchmarks.weights import RandomModel


def measure(model: RandomModel, setting: Setting, rate: float) -> list[Row]:
    """Time the embedder, the same again from its cache, and the others.

    Args:
        model: The weights.
        setting: How much to measure.
        rate: Operations a second of a large matrix product.

    Returns:
        Lines of the table.
    """
    texts = texts_to_embed(model.embedding.tokenizer, setting.texts)
    embedder = Embedder(model.embedding)

    def ours(chosen: Sequence[str]) -> Array:
        embedder.cache.clear()
        return embedder.encode(chosen)

    contestants = {"ours": ours, "ours again, from the cache": embedder.encode}
    if setting.device.type == "cpu":
        contestants[CARD] = card_embedder(model)
    for size in PEER_BATCHES[model.device.type]:
        contestants[f"sentence-transformers, batch {size}"] = peer_embedder(model, size)
    turns = take_turns(contestants, texts, setting.repetitions, model.device)
    lengths = embedder.embed(texts).tokens.tolist()
    title = f"embed {len(texts):,} texts, {sum(lengths):,} tokens"
    return [
        row_of(
            title,
            name,
            taken,
            turns["ours"],
            _note(name, taken, turns["ours"], model, lengths, rate),
            wanted("embed", name, model.device),
        )
        for name, taken in turns.items()
    ]


def _note(name: str, taken: Turns, ours: Turns, model: RandomModel, lengths: list[int], rate: float) -> str:
    """Say how fast, and how near to this project's vectors."""
    seconds = float(np.median(taken.seconds))
    if name.endswith("cache"):
        return f"{ours.ratio(taken):.0f} times as fast"
    used = model_operations(model.checkpoint, lengths) / taken.busy(model.device) / rate
    note = f"{sum(lengths) / seconds:,.0f} tokens/s, {used:.0%} of the matrix rate"
    if name == "ours":
        return note
    return f"{note}; vectors differ by {np.abs(taken.result - ours.result).max():.1e}"

"""Reranking documents with one query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from explorer.engine.prompts import DEFAULT_INSTRUCTION, form_of
from explorer.engine.reranker import Reranker
from explorer.engine.tokens import pair_tokens, shared_prefix
from tests.benchmarks.peers import CARD, PEER_BATCHES, Array, card_reranker, peer_reranker
from tests.benchmarks.rates import model_operations
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import Row, row_of
from tests.benchmarks.texts import mixed_texts
from tests.benchmarks.timing import Turns, take_turns
from tests.benchmarks.wanted import wanted
from tests.benchmarks.weights import RandomModel

QUERY = "What is the capital of China?"
_TIE = {"float32": 1e-4, "bfloat16": 5e-2}


def measure(model: RandomModel, setting: Setting, rate: float) -> Iterator[Row]:
    """Time the reranker, the same again from its cache, and the others.

    Args:
        model: The weights.
        setting: How much to measure.
        rate: Operations a second of a large matrix product.

    Yields:
        Lines of the table.
    """
    for count in setting.documents:
        documents = mixed_texts(model.reranker.tokenizer, count, *setting.document_tokens)
        yield from _measured(model, setting, rate, documents)


def _measured(model: RandomModel, setting: Setting, rate: float, documents: list[str]) -> list[Row]:
    """Time all contestants on the same documents."""
    reranker = Reranker(model.reranker)

    def ours(chosen: Sequence[str]) -> Array:
        reranker.cache.clear()
        return reranker.score(QUERY, chosen).log_odds

    contestants = {
        "ours": ours,
        "ours again, from the cache": lambda chosen: reranker.score(QUERY, chosen).log_odds,
    }
    if setting.device.type == "cpu":
        contestants[CARD] = card_reranker(model, QUERY)
    for size in PEER_BATCHES[model.device.type]:
        contestants[f"sentence-transformers, batch {size}"] = peer_reranker(model, QUERY, size)
    turns = take_turns(contestants, documents, setting.repetitions, model.device)
    form = form_of("model_card")
    sequences = [
        sequence.ids
        for sequence in pair_tokens(
            model.reranker.tokenizer, QUERY, documents, DEFAULT_INSTRUCTION, form, reranker.max_length
        )
    ]
    lengths, shared = [len(ids) for ids in sequences], shared_prefix(sequences)
    title = f"rerank {len(documents):,} documents, {sum(lengths):,} tokens, {shared} shared"
    return [
        row_of(
            title,
            name,
            taken,
            turns["ours"],
            _note(name, taken, turns["ours"], model, lengths, shared, rate),
            wanted("rerank", name, model.device),
        )
        for name, taken in turns.items()
    ]


def order_agrees(ours: Array, theirs: Array, tie: float) -> str:
    """Say whether two scorings order documents alike, but for ties.

    Args:
        ours: Scores [n].
        theirs: Scores of the same documents [n].
        tie: Scores nearer than this count as equal.

    Returns:
        A few words.
    """
    sorted_ours = ours[np.argsort(-theirs, kind="stable")]
    best_after = np.maximum.accumulate(sorted_ours[::-1])[::-1]
    overtaken = float((best_after - sorted_ours).max(initial=0.0))
    if overtaken == 0:
        return "same order"
    return "same order up to ties" if overtaken <= tie else f"order differs by {overtaken:.1e}"


def _note(
    name: str, taken: Turns, ours: Turns, model: RandomModel, lengths: list[int], shared: int, rate: float
) -> str:
    """Say how fast, and how near to this project's scores."""
    seconds = float(np.median(taken.seconds))
    if name.endswith("cache"):
        return f"{ours.ratio(taken):.0f} times as fast"
    shared = shared if name == "ours" else 0
    used = model_operations(model.checkpoint, lengths, shared) / taken.busy(model.device) / rate
    note = f"{sum(lengths) / seconds:,.0f} tokens/s, {used:.0%} of the matrix rate"
    if name == "ours":
        return note
    tie = _TIE[model.reranker.provenance.dtype]
    difference = np.abs(taken.result - ours.result).max()
    return f"{note}; log-odds differ by {difference:.1e}, {order_agrees(ours.result, taken.result, tie)}"

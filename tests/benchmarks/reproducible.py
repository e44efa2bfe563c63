"""What it costs that a vector does not depend on what else is computed with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from explorer.engine.embedder import Embedder
from explorer.errors import InputError
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import Row, row_of
from tests.benchmarks.texts import texts_to_embed
from tests.benchmarks.timing import Array, Run, take_turns
from tests.benchmarks.weights import RandomModel


def measure(model: RandomModel, setting: Setting, _: float) -> Iterator[Row]:
    """Time the embedder with and without.

    Args:
        model: The weights.
        setting: How much to measure.

    Yields:
        Lines of the table; the note says whether half of the texts, embedded in a batch of their own, gave the same
        bits.
    """
    texts = texts_to_embed(model.embedding.tokenizer, setting.some_texts)
    title = f"reproducible, {len(texts):,} texts"
    try:
        ways = {
            "ours": uncached(Embedder(model.embedding)),
            "ours, reproducible": uncached(Embedder(model.embedding, reproducible=True)),
        }
        turns = take_turns(ways, texts, setting.repetitions, setting.device)
    except InputError as refused:  # an older torch on a GPU
        yield Row(title, "ours, reproducible", note=f"skipped: {refused}")
        return
    half = slice(None, None, 2)
    for way, taken in turns.items():
        alone = ways[way](texts[half])
        same = (alone == taken.result[half]).all(axis=1).mean()
        note = f"{same:.0%} of the vectors have the same bits in another batch"
        yield row_of(title, way, taken, turns["ours"], note)


def uncached(embedder: Embedder) -> Run:
    """Give an embedder that computes every time."""

    def run(texts: Sequence[str]) -> Array:
        embedder.cache.clear()
        return embedder.encode(texts)

    return run

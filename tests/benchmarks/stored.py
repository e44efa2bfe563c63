"""A second run whose results come from the disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from explorer.engine.embedder import Embedder
from explorer.engine.store.cache import VectorCache
from explorer.engine.store.vector_store import VectorStore
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import Row, row_of
from tests.benchmarks.texts import texts_to_embed
from tests.benchmarks.timing import Array, take_turns
from tests.benchmarks.weights import RandomModel

_CAPACITY = 2_000_000_000


def measure(model: RandomModel, setting: Setting, _: float) -> Iterator[Row]:
    """Time texts that are computed and stored, and the same ones found again by what begins with an empty memory.

    Args:
        model: The weights.
        setting: How much to measure.

    Yields:
        Lines of the table.
    """
    texts = texts_to_embed(model.embedding.tokenizer, setting.some_texts)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "results.sqlite"

        def stored(chosen: Sequence[str]) -> Array:
            cache = VectorCache(store=VectorStore(path, _CAPACITY))
            vectors = Embedder(model.embedding, cache).encode(chosen)
            cache.close()
            return vectors

        def computed(chosen: Sequence[str]) -> Array:
            path.unlink(missing_ok=True)
            return stored(chosen)

        contestants = {"ours, and stored": computed, "ours again, from the file": stored}
        turns = take_turns(contestants, texts, setting.repetitions, setting.device)
        size = path.stat().st_size
    ours, again = turns["ours, and stored"], turns["ours again, from the file"]
    title = f"store of {len(texts):,} vectors"
    yield row_of(title, "ours, and stored", ours, ours, f"{size / 1e6:.1f} MB on the disk")
    equal = "the same bits" if (ours.result == again.result).all() else "NOT the same"
    yield row_of(
        title,
        "ours again, from the file",
        again,
        ours,
        f"{ours.ratio(again):.0f} times as fast, {equal}",
        "50 times as fast" if setting.device.type == "cpu" else "",
    )

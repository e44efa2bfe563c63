"""Whether a text costs the same among few and among many, and whether memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from explorer.engine.embedder import Embedder
from explorer.engine.store.cache import VectorCache
from explorer.models.devices import resolve_dtype
from tests.benchmarks.setting import Setting
from tests.benchmarks.shapes import shape
from tests.benchmarks.table import Row
from tests.benchmarks.texts import mixed_texts
from tests.benchmarks.timing import Array, Run, Turns, take_turns
from tests.benchmarks.weights import RandomModel, random_model

_MEDIAN, _SIGMA = 24, 0.65
_MANY = 20_000
"""From here on one turn is long enough to be a measurement."""

_CACHE = 8 << 20
"""Bytes of finished vectors that are kept, so that what is seen to grow is not the cache."""


def measure(setting: Setting) -> Iterator[Row]:
    """Time growing numbers of short texts that come and go as a stream.

    Args:
        setting: How much to measure.

    Yields:
        Lines of the table; the peak is of the whole process beyond the texts, and a text's vector is dropped as soon
        as it has come. A small model is enough, since what could grow is the work around the model.
    """
    on_cpu = setting.device.type == "cpu"
    dtype = resolve_dtype("auto", setting.device)
    with random_model(shape("small" if on_cpu else "0.6B"), setting.device, dtype) as model:
        texts = mixed_texts(model.embedding.tokenizer, max(setting.growth), _MEDIAN, _SIGMA, seed=2)
        first: Turns | None = None
        for count in setting.growth:
            turns = 1 if count >= _MANY else setting.repetitions
            way = f"{count:,} texts"
            taken = take_turns({way: _streamed(model, count)}, texts, turns, setting.device)[way]
            first = first or taken
            yield _row(way, taken, first, count, setting)


def _streamed(model: RandomModel, count: int) -> Run:
    """Embed a number of texts and keep nothing but the sum of their vectors."""

    def run(texts: Sequence[str]) -> Array:
        embedder = Embedder(model.embedding, VectorCache(_CACHE))
        total = np.zeros(embedder.dimensions, np.float32)
        for batch in embedder.stream_in_order(texts[index] for index in range(min(count, len(texts)))):
            total += batch.vectors.sum(axis=0)
        return total

    return run


def _row(way: str, taken: Turns, first: Turns, count: int, setting: Setting) -> Row:
    """Compare with the first line, text by text."""
    each = taken.busy(setting.device) / count
    ratio = each / (first.busy(setting.device) / setting.growth[0])
    note = f"{each * 1e3:.3f} ms a text, {ratio:.2f} of the first line's"
    return Row("growth", way, taken.seconds, taken.cpu_seconds, peak_bytes=taken.peak_bytes, note=note)

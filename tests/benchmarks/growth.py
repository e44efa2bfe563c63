"""Whether a text costs the same among few and among many."""

from __future__ import annotations

from explorer.engine.cache import VectorCache
from explorer.engine.embedder import Embedder
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import Row
from tests.benchmarks.texts import mixed_texts
from tests.benchmarks.timing import Run, take_turns
from tests.benchmarks.weights import RandomModel

_MEDIAN, _SIGMA = 24, 0.65


def measure(model: RandomModel, setting: Setting) -> list[Row]:
    """Time growing numbers of short texts.

    Args:
        model: The weights; a small shape is enough, since what grows is the work around the model.
        setting: How much to measure.

    Returns:
        Lines of the table; the ratio is the time for each text against that of the first line.
    """
    most = max(setting.growth)
    texts = mixed_texts(model.embedding.tokenizer, most, _MEDIAN, _SIGMA, seed=2)

    def of(count: int) -> Run:
        return lambda chosen: Embedder(model.embedding, VectorCache()).encode(chosen[:count])

    turns = take_turns(
        {str(count): of(count) for count in setting.growth},
        texts,
        setting.repetitions,
        model.device,
    )
    least = setting.growth[0]
    rows = []
    for count in setting.growth:
        taken = turns[str(count)]
        each = taken.busy(model.device) / count
        ratio = taken.cpu_ratio(turns[str(least)]) * least / count
        kept = 2 * taken.result.nbytes / 1e6
        note = f"{each * 1e3:.2f} ms a text, {ratio:.2f} of the first line's; the vectors, twice, take {kept:.0f} MB"
        way = f"{count:,} texts"
        rows.append(
            Row("growth", way, taken.seconds, taken.cpu_seconds, peak_bytes=taken.peak_bytes, note=note)
        )
    return rows

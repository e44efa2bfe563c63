"""What is lost when an embedding is cut short (Matryoshka representation learning, Kusupati et al., arXiv 2205.13147).

A cut vector is the first d numbers, divided by their length, as in the official example of Qwen3-Embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau

from explorer.analysis.arrays import Doubles, Floats, Integers, checked_vectors, unit_rows
from explorer.errors import InputError

SMALLEST = 32
"""The smallest size that the model cards name."""

_STEPS = (32, 64, 128, 256, 512, 768, 1024, 2048, 4096, 8192)
_DECIMALS = 4
_BYTES = {"float32": 4.0, "float16": 2.0, "bfloat16": 2.0, "int8": 1.0, "binary": 0.125}


@dataclass(frozen=True)
class MatryoshkaCurve:
    """What each size keeps of the full one, on average over the queries.

    Attributes:
        dimensions: Sizes in rising order, int32 [s].
        k: Length of the compared tops.
        overlap: Share of the full size's top k that is still in the top k, float64 [s].
        spearman: Rank correlation with the full size's ranking, float64 [s].
        kendall: Kendall's tau with the full size's ranking, float64 [s].
        drift: Mean absolute difference of the cosines, float64 [s].
    """

    dimensions: Integers
    k: int
    overlap: Doubles
    spearman: Doubles
    kendall: Doubles
    drift: Doubles


def truncate(vectors: npt.ArrayLike, d: int) -> Floats:
    """Cut vectors short and give them length 1 again.

    Args:
        vectors: Unit rows [n, full].
        d: Numbers to keep.

    Returns:
        Unit rows [n, d]; at full size the rows as they are.

    Raises:
        InputError: ``d`` is below 1 or above the full size.
    """
    rows = checked_vectors(vectors)
    full = rows.shape[1]
    if not 1 <= d <= full:
        raise InputError("analysis.out_of_range", name="dimensions", value=d, low=1, high=full)
    return rows if d == full else unit_rows(rows[:, :d])


def ladder(full: int) -> tuple[int, ...]:
    """List the sizes worth comparing.

    Args:
        full: The model's own size.

    Returns:
        ``(32, 64, 128, 256, 512, 768, 1024, 2048, ...)`` below the full size, then the full size.

    Raises:
        InputError: ``full`` is below 1.
    """
    if full < 1:
        raise InputError("analysis.below_one", name="dimensions", value=full)
    return (*(step for step in _STEPS if step < full), full)


def bytes_per_million(d: int, dtype: str = "float32") -> int:
    """Say what a million vectors take.

    Args:
        d: Numbers in a vector.
        dtype: ``"float32"``, ``"float16"``, ``"bfloat16"``, ``"int8"`` or ``"binary"`` (one bit a number).

    Returns:
        Bytes, without any index.

    Raises:
        InputError: The number type is unknown.
    """
    if dtype not in _BYTES:
        raise InputError("analysis.unknown_dtype", dtype=dtype, known=", ".join(_BYTES))
    return int(1_000_000 * np.ceil(d * _BYTES[dtype]))


def cosines_by_dimension(
    queries: npt.ArrayLike, documents: npt.ArrayLike, dimensions: Sequence[int]
) -> Floats:
    """Compare queries with documents at every size in one pass.

    The dot products and squared lengths of the numbers between one size and the next are added up, so that the whole
    curve costs as much as the full size alone.

    Args:
        queries: Unit rows [n, full].
        documents: Unit rows [m, full].
        dimensions: Sizes in rising order.

    Returns:
        Cosines from -1 to 1, float32 [sizes, n, m].

    Raises:
        InputError: A size is out of range or out of order, or the vectors have different widths.
    """
    asked, found = checked_vectors(queries), checked_vectors(documents)
    full = asked.shape[1]
    if full != found.shape[1]:
        raise InputError("analysis.widths_differ", first=full, second=found.shape[1])
    if (
        not dimensions
        or list(dimensions) != sorted(set(dimensions))
        or dimensions[0] < 1
        or dimensions[-1] > full
    ):
        raise InputError("analysis.dimension_steps", high=full)
    dots = np.zeros((len(asked), len(found)), dtype=np.float32)
    lengths = np.zeros((len(asked), 1)), np.zeros((1, len(found)))
    result = np.empty((len(dimensions), *dots.shape), dtype=np.float32)
    begin = 0
    for step, end in enumerate(dimensions):
        left, right = asked[:, begin:end], found[:, begin:end]
        dots += left @ right.T
        lengths[0][:, 0] += np.square(left, dtype=np.float64).sum(axis=1)
        lengths[1][0] += np.square(right, dtype=np.float64).sum(axis=1)
        scale = np.sqrt(lengths[0] * lengths[1])
        result[step] = np.clip(dots / np.where(scale > 0, scale, 1.0), -1.0, 1.0)
        begin = end
    return result


def curve(
    queries: npt.ArrayLike, documents: npt.ArrayLike, dimensions: Sequence[int], k: int = 10
) -> MatryoshkaCurve:
    """Measure what each size keeps of the full size's rankings.

    Args:
        queries: Unit rows [n, full], n at least 1.
        documents: Unit rows [m, full], m at least 1.
        dimensions: Sizes in rising order.
        k: Length of the compared tops; all documents when there are fewer.

    Returns:
        Overlap, correlations and drift at each size, averaged over the queries.

    Raises:
        InputError: There is nothing to compare, or a size is out of range.
    """
    full = checked_vectors(queries).shape[1]
    if k < 1:
        raise InputError("analysis.below_one", name="k", value=k)
    cosines = cosines_by_dimension(
        queries, documents, (*dimensions, full) if dimensions[-1] < full else dimensions
    )
    _, asked, found = cosines.shape
    if asked == 0 or found == 0:
        raise InputError("analysis.nothing_to_compare")
    ranked = _ranked(cosines)
    top = min(k, found)
    sizes = len(dimensions)
    reference = ranked[-1]
    shared = ((ranked <= top) & (reference <= top)).sum(axis=2) / top
    return MatryoshkaCurve(
        dimensions=np.asarray(dimensions, dtype=np.int32),
        k=top,
        overlap=shared.mean(axis=1)[:sizes],
        spearman=_spearman(ranked, reference)[:sizes],
        kendall=np.array([_kendall(size, reference) for size in ranked[:sizes]]),
        drift=np.abs(cosines - cosines[-1]).mean(axis=(1, 2), dtype=np.float64)[:sizes],
    )


def _ranked(cosines: Floats) -> Integers:
    """Rank documents along the last axis, 1 the best, ties in the order given."""
    best_first = np.argsort(-np.round(cosines, _DECIMALS), axis=-1, kind="stable")
    ranks = np.empty(cosines.shape, dtype=np.int32)
    places = np.broadcast_to(np.arange(1, cosines.shape[-1] + 1, dtype=np.int32), cosines.shape)
    np.put_along_axis(ranks, best_first, places, axis=-1)
    return ranks


def _spearman(ranked: Integers, reference: Integers) -> Doubles:
    """Correlate rankings without ties: one minus six times the squared differences over n (n^2 - 1)."""
    count = ranked.shape[-1]
    if count < 2:
        return np.ones(len(ranked))
    squared = np.square(ranked - reference, dtype=np.float64).sum(axis=2)
    correlations: Doubles = (1 - 6 * squared / (count * (count**2 - 1))).mean(axis=1)
    return correlations


def _kendall(ranked: Integers, reference: Integers) -> float:
    """Average Kendall's tau over the queries."""
    if ranked.shape[-1] < 2:
        return 1.0
    return float(np.mean([kendalltau(a, b).statistic for a, b in zip(ranked, reference, strict=True)]))

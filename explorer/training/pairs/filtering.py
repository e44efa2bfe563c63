"""Keeping pairs whose two sides an embedding model finds close.

The report keeps synthesised pairs with a cosine above 0.7 for its second stage (arXiv 2506.05176, section 3.3). The
cosines are computed once; the cut can be moved afterwards at no cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from explorer.engine.embedder import Embedder
from explorer.errors import InputError
from explorer.progress import CancelToken, ProgressCallback
from explorer.provenance import Provenance
from explorer.training.pairs.pair import TrainingPair

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

THRESHOLD = 0.7
"""The report's cut."""

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""Shares of the pairs at which :meth:`FilterReport.quantiles` reads the cosine."""

_BINS_IN_ONE = 50


@dataclass(frozen=True, eq=False)
class FilterReport:
    """How close the sides of each pair are, and which pairs pass a cut.

    Attributes:
        cosines: Cosine of query and document, float32 [n].
        graded: Pairs with a score of their own, which pass any cut, bool [n]: two sides that are graded as unlike
            are meant to be far apart.
        threshold: A pair passes when its cosine is greater.
        provenance: Model, dtype and device that gave the cosines.
    """

    cosines: FloatArray
    graded: BoolArray
    threshold: float
    provenance: Provenance

    @property
    def kept(self) -> BoolArray:
        """Which pairs pass, bool [n]."""
        return self.graded | (self.cosines > self.threshold)

    def at(self, threshold: float) -> FilterReport:
        """Move the cut; nothing is embedded again.

        Args:
            threshold: The new cut, from -1 to 1.

        Returns:
            The same cosines under another cut.

        Raises:
            InputError: No cosine can be that large or small.
        """
        return replace(self, threshold=_checked(threshold))

    def select(self, pairs: Sequence[TrainingPair]) -> list[TrainingPair]:
        """Take the pairs that pass.

        Args:
            pairs: The pairs that were filtered, in the same order.

        Returns:
            Those that pass.
        """
        return [pair for pair, passes in zip(pairs, self.kept, strict=True) if passes]

    def histogram(self) -> tuple[FloatArray, npt.NDArray[np.int64]]:
        """Count the cosines in bins of 0.02 whose edges fall on round numbers.

        Returns:
            (edges [bins + 1], counts [bins]), from the first bin with a pair to the last.
        """
        numbers = np.clip(np.floor(self.cosines * _BINS_IN_ONE + 1e-4), -_BINS_IN_ONE, _BINS_IN_ONE - 1)
        first, last = int(numbers.min()), int(numbers.max())
        edges = np.arange(first, last + 2) / _BINS_IN_ONE
        counts = np.bincount(numbers.astype(np.int64) - first, minlength=last - first + 1)
        return edges.astype(np.float32), counts.astype(np.int64)

    def quantiles(self) -> tuple[tuple[float, float], ...]:
        """Summarise the cosines.

        Returns:
            (share of the pairs, largest cosine within that share) at :data:`QUANTILES`.
        """
        values = np.quantile(self.cosines, QUANTILES)
        return tuple((share, float(value)) for share, value in zip(QUANTILES, values, strict=True))


def filter_pairs(
    embedder: Embedder,
    pairs: Sequence[TrainingPair],
    threshold: float = THRESHOLD,
    on_progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> FilterReport:
    """Measure how close the two sides of each pair are.

    Args:
        embedder: The model that judges.
        pairs: Queries are embedded with their instruction, documents as they stand.
        threshold: The first cut, from -1 to 1.
        on_progress: Called with (texts done, texts in all); each pair has two.
        cancel: Stops between batches.

    Returns:
        Cosines and the pairs that pass.

    Raises:
        InputError: There is no pair, or no cosine can reach the cut.
        OutOfMemoryError: One text alone does not fit the device.
        Cancelled: The person asked to stop.
    """
    _checked(threshold)
    if not pairs:
        raise InputError("pairs.nothing_to_filter")
    total = 2 * len(pairs)
    done = 0

    def report(finished: int, _: int) -> None:
        if on_progress:
            on_progress(done + finished, total)

    documents = embedder.encode([pair.document for pair in pairs], progress=report, cancel=cancel)
    done = len(pairs)
    cosines = np.zeros(len(pairs), dtype=np.float32)
    for instruction in dict.fromkeys(pair.instruction for pair in pairs):
        rows = [row for row, pair in enumerate(pairs) if pair.instruction == instruction]
        asked = [pairs[row].query for row in rows]
        queries = embedder.encode(asked, instruction or None, progress=report, cancel=cancel)
        cosines[rows] = np.einsum("nd,nd->n", queries, documents[rows])
        done += len(rows)
    graded = np.array([pair.score is not None for pair in pairs])
    return FilterReport(np.clip(cosines, -1, 1), graded, threshold, embedder.provenance)


def _checked(threshold: float) -> float:
    """Refuse a cut that no cosine can be compared with."""
    if not -1 <= threshold <= 1:
        raise InputError("pairs.threshold_range", threshold=threshold)
    return threshold

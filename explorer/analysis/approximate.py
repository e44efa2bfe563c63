"""The k best of very many vectors, nearly: an inverted file that looks into a few of many lists.

For more vectors than :func:`explorer.analysis.search.top_k` goes through quickly. k-means cuts the vectors into lists,
and a query is compared with those of the nearest lists alone (Jégou, Douze and Schmid, *Product quantization for
nearest neighbor search*, 2011, section IV; the library is faiss, Douze et al., arXiv 2401.08281). How many of the true
neighbours are found that way is measured, and said with every result.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.analysis.arrays import Floats, checked_vectors, unread_matrix, vector_chunks
from explorer.analysis.search import Neighbors, top_k
from explorer.errors import InputError
from explorer.progress import CancelToken

_CHUNK_ROWS = 16_384
_POINTS_PER_LIST = 64
"""Vectors that k-means looks at for each list; more make it slower and the lists hardly better."""

_FEWEST_PER_LIST = 39
"""Below this many vectors a list, faiss warns that k-means finds nothing."""

_SAMPLE = 100
_NEAR = 1e-6
"""Cosines this close are the same neighbour, or one just as near."""


@dataclass(frozen=True)
class ApproximateNeighbors:
    """Neighbours that are probably the nearest, and how far to believe it.

    Attributes:
        neighbors: Those found, the nearest first; their cosines are exact.
        recall: Share of the true neighbours that are found, measured against exact search on the index's sample;
            with a hundred queries it is right to about 0.02.
        sample: Queries it was measured with.
        probes: Lists that were looked into for each query.
        lists: Lists in all.
    """

    neighbors: Neighbors
    recall: float
    sample: int
    probes: int
    lists: int


class ApproximateIndex:
    """An inverted file over vectors, which takes half their size in memory (float16).

    The vectors themselves are kept where they are, for exact cosines and for measuring: a ``numpy.memmap`` stays on
    disk.

    Args:
        vectors: Unit rows [n, d].
        sample: Unit rows [s, d] to measure recall with, best real queries: those with an instruction lie elsewhere
            than documents, and are harder. A hundred of the vectors, each without itself, when None.
        cancel: Looked at between chunks.

    Raises:
        InputError: faiss is not installed, the widths differ, or a value is not finite.
        Cancelled: ``cancel`` was raised.
    """

    def __init__(
        self,
        vectors: npt.ArrayLike,
        sample: npt.ArrayLike | None = None,
        *,
        cancel: CancelToken | None = None,
    ) -> None:
        """Train and fill the lists."""
        self._vectors = unread_matrix(vectors)
        count = len(self._vectors)
        self.lists = max(1, min(int(4 * count**0.5), count // _FEWEST_PER_LIST))
        self._own = np.zeros(0, np.int64)
        if sample is None:
            self._own = np.linspace(0, count - 1, min(_SAMPLE, count)).astype(np.int64)
            self._sample = checked_vectors(self._vectors[self._own])
        else:
            self._sample = checked_vectors(sample)
            self._check_width(self._sample)
        self._recalls: dict[tuple[int, int], float] = {}
        self._truth: dict[int, Floats] = {}
        self._faiss = _faiss()
        self._index: Any = self._built(cancel) if count else None

    def search(self, queries: npt.ArrayLike, k: int, recall: float = 0.95) -> ApproximateNeighbors:
        """Find k near vectors for each query.

        The fewest lists are looked into, of 1, 2, 4 and so on, that reach the wanted recall on the sample. The first
        search for a k measures that, which takes as long as an exact search for the sample.

        Args:
            queries: Unit rows [m, d].
            k: How many to find; more than there are gives all.
            recall: Share of the true neighbours to find, from 0 to 1.

        Returns:
            The neighbours, with the recall that was measured.

        Raises:
            InputError: ``k`` is below 1, ``recall`` not between 0 and 1, the widths differ, or a value is not finite.
        """
        wanted = checked_vectors(queries)
        if k < 1:
            raise InputError("analysis.below_one", name="k", value=k)
        if not 0 <= recall <= 1:
            raise InputError("analysis.out_of_range", name="recall", value=recall, low=0, high=1)
        self._check_width(wanted)
        count = min(k, len(self._vectors))
        probes = 1
        while self._recall(count, probes) < recall and probes < self.lists:
            probes = min(2 * probes, self.lists)
        found = self._found(wanted, count, probes)
        return ApproximateNeighbors(found, self._recall(count, probes), len(self._sample), probes, self.lists)

    def _built(self, cancel: CancelToken | None) -> Any:  # noqa: ANN401 - faiss has no types
        """Train on some of the vectors and add all."""
        count, width = self._vectors.shape
        coarse = self._faiss.IndexFlatIP(width)
        half = self._faiss.ScalarQuantizer.QT_fp16
        index = self._faiss.IndexIVFScalarQuantizer(
            coarse, width, self.lists, half, self._faiss.METRIC_INNER_PRODUCT
        )
        index.cp.max_points_per_centroid = _POINTS_PER_LIST
        index.cp.min_points_per_centroid = 1
        some = np.linspace(0, count - 1, min(count, _POINTS_PER_LIST * self.lists)).astype(np.int64)
        index.train(checked_vectors(self._vectors[some]))
        for _, chunk, held in vector_chunks(self._vectors, _CHUNK_ROWS):
            if cancel is not None:
                cancel.raise_if_cancelled()
            index.add(chunk[:held])
        return index

    def _found(self, wanted: Floats, count: int, probes: int) -> Neighbors:
        """Look for twice as many as are wanted, which float16 may have put in the wrong order, and keep the best."""
        indices = np.zeros((len(wanted), count), np.int32)
        cosines = np.zeros((len(wanted), count), np.float32)
        if indices.size == 0:
            return Neighbors(indices, cosines)
        asked = min(2 * count, len(self._vectors))
        rows = self._looked_up(wanted, asked, probes)
        # Too few in the lists that were looked into: look into all.
        short = np.flatnonzero((rows >= 0).sum(axis=1) < count)
        if len(short):
            rows[short] = self._looked_up(wanted[short], asked, self.lists)
        for at, (query, candidates) in enumerate(zip(wanted, rows, strict=True)):
            known = np.sort(candidates[candidates >= 0])
            exact = np.clip(np.asarray(self._vectors[known], np.float32) @ query, -1, 1)
            best = np.argsort(-exact, kind="stable")[:count]
            indices[at], cosines[at] = known[best], exact[best]
        return Neighbors(indices, cosines)

    def _looked_up(self, wanted: Floats, asked: int, probes: int) -> npt.NDArray[np.int64]:
        """Ask faiss, int64 [m, asked]; -1 where nothing more was found."""
        parameters = self._faiss.SearchParametersIVF(nprobe=probes)
        rows: npt.NDArray[np.int64] = self._index.search(wanted, asked, params=parameters)[1]
        return rows

    def _recall(self, count: int, probes: int) -> float:
        """Measure the share of the sample's true neighbours that are found, once for each number of lists."""
        if (count, probes) not in self._recalls:
            self._recalls[count, probes] = self._measured(count, probes)
        return self._recalls[count, probes]

    def _measured(self, count: int, probes: int) -> float:
        """Compare with exact search. A neighbour just as near as the last true one is as good."""
        own = len(self._own) > 0
        asked = min(count + own, len(self._vectors))
        if asked == own or len(self._sample) == 0:
            return 1.0
        if count not in self._truth:
            self._truth[count] = self._others(top_k(self._sample, self._vectors, asked))
        truth = self._truth[count]
        found = self._others(self._found(self._sample, asked, probes))
        return float((found >= truth[:, -1:] - _NEAR).mean())

    def _others(self, found: Neighbors) -> Floats:
        """Take a stored vector out of its own neighbours: the cosines that are left."""
        if len(self._own) == 0:
            return found.cosines
        itself = found.indices == self._own[:, None]
        order = np.argsort(itself, axis=1, kind="stable")[:, :-1]
        return np.take_along_axis(found.cosines, order, axis=1)

    def _check_width(self, rows: Floats) -> None:
        """Refuse rows of another model or size."""
        if rows.shape[1] != self._vectors.shape[1]:
            raise InputError("analysis.widths_differ", first=rows.shape[1], second=self._vectors.shape[1])


def _faiss() -> Any:  # noqa: ANN401 - faiss has no types
    """Import the optional library."""
    try:
        return importlib.import_module("faiss")
    except ModuleNotFoundError as error:
        raise InputError("analysis.faiss_missing") from error

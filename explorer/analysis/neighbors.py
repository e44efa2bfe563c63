"""The true nearest neighbours by cosine: every pair is compared, in blocks, on the model's device."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from explorer.analysis.arrays import checked_vectors
from explorer.analysis.search import Neighbors, top_k
from explorer.progress import CancelToken

__all__ = ["Neighbors", "exact_neighbors"]


def exact_neighbors(
    vectors: npt.ArrayLike,
    k: int,
    device: str = "cpu",
    queries: npt.ArrayLike | None = None,
    cancel: CancelToken | None = None,
) -> Neighbors:
    """Find the k vectors with the greatest cosine to each query, or to each vector itself.

    Args:
        vectors: Unit rows to search [n, d].
        k: How many to find; more than there are gives all.
        device: Where to multiply, for instance ``"cpu"`` or ``"cuda:0"``. Always in float32.
        queries: Unit rows to search for [m, d]. When None, each vector searches for itself and comes first, also
            when another vector equals it.
        cancel: Looked at between blocks.

    Returns:
        ``min(k, n)`` neighbours of each query; equal cosines in the order of the vectors.

    Raises:
        InputError: ``k`` is below 1, the widths differ, or a value is not finite.
        Cancelled: ``cancel`` was raised.
    """
    searched = checked_vectors(vectors)
    found = top_k(searched if queries is None else queries, searched, k, device, cancel=cancel)
    return _own_first(found) if queries is None else found


def _own_first(found: Neighbors) -> Neighbors:
    """Put each vector before its neighbours; where equals had taken its place, the last of them goes."""
    count = found.indices.shape[1]
    own = np.arange(len(found.indices), dtype=np.int32)[:, None]
    elsewhere = found.indices != own
    # Stable: the neighbours keep their order, and what is to go stands last.
    order = np.argsort(~elsewhere, axis=1, kind="stable")[:, : max(0, count - 1)]
    indices = np.hstack([own[:, :count], np.take_along_axis(found.indices, order, axis=1)])
    cosines = np.take_along_axis(found.cosines, order, axis=1)
    return Neighbors(indices, np.hstack([np.ones_like(found.cosines[:, :1]), cosines]))

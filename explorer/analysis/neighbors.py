"""The true nearest neighbours by cosine: every pair is compared, in blocks, on the model's device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from explorer.analysis.arrays import Floats, Integers, checked_vectors
from explorer.errors import InputError
from explorer.progress import CancelToken

_BLOCK_CELLS = 16_000_000


@dataclass(frozen=True)
class Neighbors:
    """Nearest neighbours, the nearest first.

    Attributes:
        indices: Rows of the searched vectors, int32 [n, k].
        cosines: Their cosines, float32 [n, k], never rising along a row.
    """

    indices: Integers
    cosines: Floats


def exact_neighbors(
    vectors: npt.ArrayLike,
    k: int,
    device: str = "cpu",
    queries: npt.ArrayLike | None = None,
    cancel: CancelToken | None = None,
) -> Neighbors:
    """Find the k vectors with the greatest cosine to each query.

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
    wanted = searched if queries is None else checked_vectors(queries)
    if k < 1:
        raise InputError("analysis.below_one", name="k", value=k)
    if searched.shape[1] != wanted.shape[1]:
        raise InputError("analysis.widths_differ", first=wanted.shape[1], second=searched.shape[1])
    count = min(k, len(searched))
    indices = np.empty((len(wanted), count), dtype=np.int32)
    cosines = np.empty((len(wanted), count), dtype=np.float32)
    if count == 0 or len(wanted) == 0:
        return Neighbors(indices, cosines)
    with torch.inference_mode(), _full_precision(device):
        columns = torch.from_numpy(searched).to(device).T
        for begin, end in _blocks(len(wanted), len(searched)):
            if cancel is not None:
                cancel.raise_if_cancelled()
            block = torch.from_numpy(wanted[begin:end]).to(device) @ columns
            if queries is None:
                block[torch.arange(end - begin), torch.arange(begin, end)] = torch.inf
            values, places = torch.topk(block, count, dim=1)
            indices[begin:end] = places.cpu().numpy()
            cosines[begin:end] = values.cpu().numpy()
    return _tidy(indices, cosines)


def _blocks(rows: int, columns: int) -> Iterator[tuple[int, int]]:
    """Cut the rows so that a block of cosines takes at most 64 MB."""
    step = max(1, _BLOCK_CELLS // columns)
    for begin in range(0, rows, step):
        yield begin, min(begin + step, rows)


def _tidy(indices: Integers, cosines: Floats) -> Neighbors:
    """Put equal cosines in the order of their indices, and bound the values, of which self came as infinite."""
    order = np.lexsort((indices, -cosines), axis=1)
    bounded = np.clip(np.take_along_axis(cosines, order, axis=1), -1.0, 1.0)
    return Neighbors(np.take_along_axis(indices, order, axis=1), bounded.astype(np.float32))


@contextmanager
def _full_precision(device: str) -> Iterator[None]:
    """Keep CUDA from multiplying in TF32, whose 10-bit mantissa changes which neighbours are nearest."""
    allowed = torch.backends.cuda.matmul.allow_tf32
    if not device.startswith("cuda") or not allowed:
        yield
        return
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = allowed

"""The k best of any number of vectors for each query, exactly: every cosine is computed, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from explorer.analysis.arrays import Floats, Integers, checked_vectors, unread_matrix, vector_chunks
from explorer.errors import InputError
from explorer.progress import CancelToken

CELLS = 16_000_000
"""Numbers in one chunk of vectors and in one block of cosines: 64 MB each."""

_ROWS = 64
"""Chunks hold a multiple of this many rows. Equal vectors then get equal cosines, to the last bit: the kernels of a
matrix product round differently only in an incomplete tile at its edge."""


@dataclass(frozen=True)
class Neighbors:
    """Nearest neighbours, the nearest first.

    Attributes:
        indices: Rows of the searched vectors, int32 [n, k].
        cosines: Their cosines, float32 [n, k], never rising along a row.
    """

    indices: Integers
    cosines: Floats


def top_k(
    queries: npt.ArrayLike,
    vectors: npt.ArrayLike,
    k: int,
    device: str = "cpu",
    *,
    chunk: int | None = None,
    cancel: CancelToken | None = None,
) -> Neighbors:
    """Find the k vectors with the greatest cosine to each query.

    The vectors are read once, from first to last, a chunk at a time: a ``numpy.memmap`` need fit neither the memory
    nor the device. Beside the result, memory holds two blocks of :data:`CELLS` numbers on the device.

    Args:
        queries: Unit rows [m, d].
        vectors: Unit rows to search [n, d]; other number types than float32 are converted chunk by chunk.
        k: How many to find; more than there are gives all.
        device: Where to multiply, for instance ``"cpu"`` or ``"cuda:0"``. Always in float32, never in TF32.
        chunk: Rows of one chunk; None for :data:`CELLS` numbers.
        cancel: Looked at between chunks.

    Returns:
        ``min(k, n)`` neighbours of each query; equal cosines in the order of the vectors.

    Raises:
        InputError: ``k`` or ``chunk`` is below 1, the widths differ, or a value is not finite.
        Cancelled: ``cancel`` was raised.
    """
    wanted, searched = checked_vectors(queries), unread_matrix(vectors)
    for name, value in (("k", k), ("chunk", 1 if chunk is None else chunk)):
        if value < 1:
            raise InputError("analysis.below_one", name=name, value=value)
    if searched.shape[1] != wanted.shape[1]:
        raise InputError("analysis.widths_differ", first=wanted.shape[1], second=searched.shape[1])
    count = min(k, len(searched))
    values = torch.full((len(wanted), count), -torch.inf, device=device)
    places = torch.zeros((len(wanted), count), dtype=torch.int64, device=device)
    if values.numel():
        with torch.inference_mode(), _full_precision(device):
            for first, buffer, rows in vector_chunks(searched, _chunk_rows(searched, chunk)):
                if cancel is not None:
                    cancel.raise_if_cancelled()
                part = torch.from_numpy(buffer).to(device)
                _search_chunk(wanted, part, rows, first, values, places)
    return Neighbors(places.cpu().numpy().astype(np.int32), values.clamp(-1, 1).cpu().numpy())


def _chunk_rows(searched: npt.NDArray[np.generic], chunk: int | None) -> int:
    """Choose the rows of a chunk, a multiple of :data:`_ROWS`."""
    total, width = len(searched), int(searched.shape[1])
    wanted = max(1, CELLS // max(1, width)) if chunk is None else chunk
    return _ROWS * -(-min(wanted, total) // _ROWS)


def _search_chunk(
    wanted: Floats, part: torch.Tensor, rows: int, first: int, values: torch.Tensor, places: torch.Tensor
) -> None:
    """Take the best of one chunk into the best so far, ``values`` and ``places`` [m, count]."""
    count = values.shape[1]
    step = max(1, CELLS // len(part))
    for begin in range(0, len(wanted), step):
        block = torch.from_numpy(wanted[begin : begin + step]).to(part.device) @ part.T
        block[:, rows:] = -torch.inf
        best = values[begin : begin + step]
        found, at = _best(block, min(count, rows), best[:, -1])
        # What was found before stands first and keeps its place among equals: the sort is stable.
        merged, order = torch.sort(torch.cat([best, found], dim=1), dim=1, descending=True, stable=True)
        both = torch.cat([places[begin : begin + step], at + first], dim=1)
        places[begin : begin + step] = both.gather(1, order[:, :count])
        values[begin : begin + step] = merged[:, :count]


def _best(block: torch.Tensor, count: int, least: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the greatest of each row, equal ones in the order of their places: values and places [m, count].

    ``torch.topk`` takes any of those that equal the last it takes. Rows where that matters, since that value is above
    the ``least`` that is needed, are looked through once more.
    """
    values, places = torch.topk(block, min(count + 1, block.shape[1]), dim=1)
    if values.shape[1] > count:
        last = values[:, count - 1]
        unsure = torch.nonzero((values[:, count] == last) & (last > least))[:, 0]
        values, places = values[:, :count].contiguous(), places[:, :count].contiguous()
        if len(unsure):
            rows, edge = block[unsure], last[unsure, None]
            above, equal = rows > edge, rows == edge
            taken = above | (equal & (equal.cumsum(1) <= count - above.sum(1, keepdim=True)))
            places[unsure] = torch.nonzero(taken)[:, 1].reshape(len(unsure), count)
            values[unsure] = rows.gather(1, places[unsure])
    places, order = torch.sort(places, dim=1)
    values, order = torch.sort(values.gather(1, order), dim=1, descending=True, stable=True)
    return values, places.gather(1, order)


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

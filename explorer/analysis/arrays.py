"""The array types that findings are made of, and the checks every function begins with."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from explorer.errors import InputError

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int32]


def checked_vectors(vectors: npt.ArrayLike) -> Floats:
    """Take vectors as contiguous float32.

    Args:
        vectors: Rows [n, d].

    Returns:
        The same rows, copied only where needed.

    Raises:
        InputError: They are no matrix, or a value is not finite.
    """
    matrix = np.ascontiguousarray(vectors, dtype=np.float32)
    if matrix.ndim != 2:
        raise InputError("analysis.not_a_matrix", shape=str(matrix.shape))
    if not np.isfinite(matrix).all():
        raise InputError("analysis.not_finite")
    return matrix


def unread_matrix(rows: npt.ArrayLike) -> npt.NDArray[np.generic]:
    """Take rows as they are, of any number type, without reading those that lie in a file.

    Args:
        rows: Rows [n, d], for instance a ``numpy.memmap``.

    Returns:
        The same rows, unchecked.

    Raises:
        InputError: They are no matrix.
    """
    matrix = rows if isinstance(rows, np.ndarray) else np.asarray(rows, dtype=np.float32)
    if matrix.ndim != 2:
        raise InputError("analysis.not_a_matrix", shape=str(matrix.shape))
    return matrix


def vector_chunks(matrix: npt.NDArray[np.generic], rows: int) -> Iterator[tuple[int, Floats, int]]:
    """Read rows chunk by chunk, as float32, into one buffer that is used again.

    Args:
        matrix: Rows [n, d].
        rows: Rows of a chunk.

    Yields:
        (first row, chunk [rows, d], how many rows of the chunk count; the others are left over).

    Raises:
        InputError: A value is not finite.
    """
    buffer = np.zeros((rows, matrix.shape[1]), dtype=np.float32)
    for first in range(0, len(matrix), rows):
        held = min(rows, len(matrix) - first)
        np.copyto(buffer[:held], matrix[first : first + held], casting="same_kind")
        # One number tells, in a fraction of the time that looking at each takes.
        if not np.isfinite(buffer.sum(dtype=np.float64)):
            raise InputError("analysis.not_finite")
        yield first, buffer, held


def checked_scores(scores: npt.ArrayLike) -> Doubles:
    """Take scores as float64.

    Args:
        scores: One number for each document [n].

    Returns:
        The same numbers.

    Raises:
        InputError: They are no list, or a value is not finite.
    """
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 1:
        raise InputError("analysis.not_a_list", shape=str(array.shape))
    if not np.isfinite(array).all():
        raise InputError("analysis.not_finite")
    return array


def unit_rows(matrix: Floats) -> Floats:
    """Divide each row by its length.

    Args:
        matrix: Rows [n, d].

    Returns:
        Rows of length 1 [n, d]; a row of zeros stays zero.
    """
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return (matrix / np.where(lengths > 0, lengths, 1)).astype(np.float32)

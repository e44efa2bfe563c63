"""The array types that findings are made of, and the checks every function begins with."""

from __future__ import annotations

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

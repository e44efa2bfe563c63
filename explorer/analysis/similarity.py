"""Cosines between texts, and an order of rows and columns in which similar ones lie side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import pdist, squareform

from explorer.analysis.arrays import Doubles, Floats, Integers, checked_vectors
from explorer.errors import InputError

_MOST_FOR_OPTIMAL = 1_500
_SAME = 1e-5


@dataclass(frozen=True)
class Seriation:
    """An order of a matrix's rows and columns.

    Attributes:
        rows: Row indices in the new order, int32 [n].
        columns: Column indices in the new order, int32 [m]; equal to ``rows`` for a symmetric matrix.
    """

    rows: Integers
    columns: Integers


def cosine_matrix(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Compare every row with every other.

    Args:
        a: Unit rows [n, d].
        b: Unit rows [m, d].

    Returns:
        Cosines from -1 to 1, float32 [n, m].

    Raises:
        InputError: The rows have different widths, or a value is not finite.
    """
    rows, columns = checked_vectors(a), checked_vectors(b)
    if rows.shape[1] != columns.shape[1]:
        raise InputError("analysis.widths_differ", first=rows.shape[1], second=columns.shape[1])
    cosines: Floats = np.clip(rows @ columns.T, -1.0, 1.0).astype(np.float32)
    return cosines


def clustered_order(matrix: npt.ArrayLike) -> Seriation:
    """Order a matrix of cosines so that similar rows, and similar columns, lie side by side.

    Rows are joined by average linkage, and the branches turned so that neighbouring leaves are as close as they can
    be (Bar-Joseph, Gifford, Jaakkola 2001). A matrix of texts with themselves is taken as distances 1 - cosine;
    of any other, rows are compared by their cosines with all columns, and columns by theirs with all rows.

    Args:
        matrix: Cosines [n, m].

    Returns:
        The order of rows and of columns.

    Raises:
        InputError: It is no matrix, or a value is not finite.
    """
    cosines = checked_vectors(matrix).astype(np.float64)
    if _compares_with_itself(cosines):
        distances = np.maximum(1.0 - (cosines + cosines.T) / 2, 0.0)
        np.fill_diagonal(distances, 0.0)
        order = _leaf_order(squareform(distances, checks=False), len(cosines))
        return Seriation(order, order)
    return Seriation(_profile_order(cosines), _profile_order(cosines.T))


def _compares_with_itself(cosines: Doubles) -> bool:
    """Say whether rows and columns are the same texts."""
    rows, columns = cosines.shape
    return (
        rows == columns
        and np.allclose(cosines, cosines.T, atol=_SAME)
        and np.allclose(np.diag(cosines), 1, atol=_SAME)
    )


def _profile_order(cosines: Doubles) -> Integers:
    """Order rows by the Euclidean distance between them."""
    if len(cosines) < 3 or cosines.shape[1] == 0:
        return np.arange(len(cosines), dtype=np.int32)
    return _leaf_order(pdist(cosines), len(cosines))


def _leaf_order(distances: Doubles, count: int) -> Integers:
    """Order leaves by average linkage; turning the branches takes cubic time and is left out for very many."""
    if count < 3:
        return np.arange(count, dtype=np.int32)
    tree = linkage(distances, method="average", optimal_ordering=count <= _MOST_FOR_OPTIMAL)
    order: Integers = leaves_list(tree).astype(np.int32)
    return order

"""What a cosine is worth for one model: its place among cosines of texts that have nothing to do with each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.analysis.arrays import Floats
from explorer.analysis.similarity import cosine_matrix
from explorer.errors import InputError


@dataclass(frozen=True)
class RandomPairs:
    """Cosines of unrelated texts, the scale on which any other cosine of the same model is read.

    Attributes:
        cosines: In rising order, float32 [n], n at least 1.
    """

    cosines: Floats

    def share_below(self, cosine: float) -> float:
        """Tell how unusual a cosine is.

        Args:
            cosine: Of any pair.

        Returns:
            The share of random pairs with a smaller cosine, from 0 to 1.
        """
        return float(np.searchsorted(self.cosines, cosine, side="left")) / len(self.cosines)

    def quantile(self, share: float) -> float:
        """Find the cosine that a share of random pairs stays below.

        Args:
            share: From 0 to 1.

        Returns:
            The cosine, interpolated between two pairs.
        """
        return float(np.quantile(self.cosines, share))


def unrelated_pairs(
    rows: npt.ArrayLike,
    columns: npt.ArrayLike,
    row_topics: Sequence[str],
    column_topics: Sequence[str],
) -> RandomPairs:
    """Compare each row with every column of another topic.

    Args:
        rows: Unit vectors [n, d].
        columns: Unit vectors [m, d]; the same as the rows for texts among themselves, whose pairs then count once.
        row_topics: Topic of each row.
        column_topics: Topic of each column.

    Returns:
        The cosines of all pairs of different topics.

    Raises:
        InputError: There is no such pair, or the vectors do not fit.
    """
    cosines = cosine_matrix(rows, columns)
    differ = np.asarray(list(row_topics))[:, None] != np.asarray(list(column_topics))[None, :]
    if rows is columns:
        differ &= np.triu(np.ones_like(differ), k=1)
    if not differ.any():
        raise InputError("analysis.nothing_to_compare")
    return RandomPairs(np.sort(cosines[differ]))

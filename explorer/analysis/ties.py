"""What is lost when scores are written with fewer digits: documents that tie, and pairs that change places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.analysis.arrays import Integers, checked_scores
from explorer.errors import InputError


@dataclass(frozen=True)
class Ties:
    """How far coarse scores keep documents apart.

    Attributes:
        sizes: How many documents have the same coarse score as each, itself included, int32 [n].
        distinct: How many different coarse scores there are.
        first: How many documents share the best coarse score.
        tied_pairs: Pairs that the fine scores tell apart and the coarse ones do not.
        reversed_pairs: Pairs that the coarse scores put the other way round.
    """

    sizes: Integers
    distinct: int
    first: int
    tied_pairs: int
    reversed_pairs: int


def ties(fine: npt.ArrayLike, coarse: npt.ArrayLike) -> Ties:
    """Compare scores with the same scores in a coarser form.

    Args:
        fine: Higher is better [n].
        coarse: The same documents [n].

    Returns:
        What the coarse form loses.

    Raises:
        InputError: The scores do not belong together, or are not finite.
    """
    exact, rounded = checked_scores(fine), checked_scores(coarse)
    if len(exact) != len(rounded):
        raise InputError("analysis.rows_differ", first=len(exact), second=len(rounded))
    values, place, counts = np.unique(rounded, return_inverse=True, return_counts=True)
    upper = np.triu_indices(len(exact), 1)
    wanted = np.sign(exact[upper[0]] - exact[upper[1]])
    kept = np.sign(rounded[upper[0]] - rounded[upper[1]])
    return Ties(
        sizes=counts[place].astype(np.int32),
        distinct=len(values),
        first=int(counts[-1]) if len(values) else 0,
        tied_pairs=int(((wanted != 0) & (kept == 0)).sum()),
        reversed_pairs=int((wanted * kept < 0).sum()),
    )

"""Where two ways of judging the same pairs disagree: close but judged no, far but judged yes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.analysis.arrays import Integers, checked_scores
from explorer.errors import InputError


@dataclass(frozen=True)
class Quadrants:
    """Pairs on either side of two cuts.

    A pair is close when its cosine is above the cosine's cut, and judged yes when its log-odds are above theirs.

    Attributes:
        false_friends: Indices of pairs that are close but judged no, the closest first, int32.
        hidden_gems: Indices of pairs that are far but judged yes, the surest yes first, int32.
        both_yes: How many are close and judged yes.
        both_no: How many are far and judged no.
    """

    false_friends: Integers
    hidden_gems: Integers
    both_yes: int
    both_no: int


def quadrants(
    cosines: npt.ArrayLike, log_odds: npt.ArrayLike, cosine_cut: float, log_odds_cut: float = 0.0
) -> Quadrants:
    """Sort pairs into those on which two models agree and those on which they do not.

    Args:
        cosines: Cosine of each pair [n].
        log_odds: The reranker's log-odds of the same pairs [n].
        cosine_cut: Above it a pair is close.
        log_odds_cut: Above it a pair is judged yes; 0 is where yes and no are equally likely.

    Returns:
        The four parts; equal scores stand in the order given.

    Raises:
        InputError: The scores do not belong to the same pairs, or are not finite.
    """
    close, judged = checked_scores(cosines), checked_scores(log_odds)
    if len(close) != len(judged):
        raise InputError("analysis.rows_differ", first=len(close), second=len(judged))
    near, yes = close > cosine_cut, judged > log_odds_cut
    return Quadrants(
        false_friends=_listed(near & ~yes, close),
        hidden_gems=_listed(~near & yes, judged),
        both_yes=int((near & yes).sum()),
        both_no=int((~near & ~yes).sum()),
    )


def _listed(chosen: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]) -> Integers:
    """List the chosen pairs, the greatest score first."""
    best_first = np.argsort(-scores, kind="stable").astype(np.int32)
    listed: Integers = best_first[chosen[best_first]]
    return listed

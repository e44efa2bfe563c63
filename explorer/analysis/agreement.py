"""How alike several scorings of the same documents are, and what the second of two changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from explorer.analysis.arrays import Doubles, Integers
from explorer.analysis.ranking import kendall_tau, ranks
from explorer.errors import InputError

ChangeKind = Literal["same_scores", "same_order", "changed"]


@dataclass(frozen=True)
class Change:
    """What one scoring changed against another.

    Attributes:
        kind: ``"same_scores"`` when every score is equal to the last bit, ``"same_order"`` when scores differ and no
            rank does, else ``"changed"``.
        moved: How many ranks differ, over all queries.
        largest: The largest difference of a score, as an absolute number.
    """

    kind: ChangeKind
    moved: int
    largest: float


def ranks_of_each(scores: npt.ArrayLike) -> Integers:
    """Rank the documents of every query under every scoring.

    Args:
        scores: Higher is better [scorings, queries, documents].

    Returns:
        Ranks from 1, the best; see :func:`explorer.analysis.ranking.ranks`; int32 [scorings, queries, documents].

    Raises:
        InputError: The scores have another shape, or are not finite.
    """
    stacked = _stacked(scores)
    found = [ranks(row) for row in stacked.reshape(-1, stacked.shape[-1])]
    return np.array(found, dtype=np.int32).reshape(stacked.shape)


def agreement(scores: npt.ArrayLike) -> Doubles:
    """Say how often each two scorings agree on which of two documents is better.

    Args:
        scores: Higher is better [scorings, queries, documents].

    Returns:
        Kendall's tau of every scoring with every other, the mean over the queries, float64 [scorings, scorings].

    Raises:
        InputError: The scores have another shape, or are not finite.
    """
    stacked = _stacked(scores)
    tau = np.eye(len(stacked))
    for first in range(len(stacked)):
        for second in range(first):
            of_each = [kendall_tau(a, b) for a, b in zip(stacked[first], stacked[second], strict=True)]
            tau[first, second] = tau[second, first] = np.mean(of_each)
    return tau


def change(first: npt.NDArray[np.floating[Any]], second: npt.NDArray[np.floating[Any]]) -> Change:
    """Compare a scoring with the one that it is measured against.

    Args:
        first: What it is measured against [queries, documents].
        second: The same documents, scored otherwise [queries, documents].

    Returns:
        What changed.

    Raises:
        InputError: The scores do not belong together, or are not finite.
    """
    before, after = _stacked([first, second])
    first_ranks, second_ranks = ranks_of_each([before, after])
    moved = int((first_ranks != second_ranks).sum())
    largest = float(np.abs(after - before).max(initial=0.0))
    kind: ChangeKind = "changed" if moved else "same_order" if largest > 0 else "same_scores"
    return Change(kind, moved, largest)


def _stacked(scores: npt.ArrayLike) -> Doubles:
    """Take scores as float64 [scorings, queries, documents]."""
    try:
        stacked = np.asarray(scores, dtype=np.float64)
    except ValueError as error:
        raise InputError("analysis.not_one_block") from error
    if stacked.ndim != 3:
        raise InputError("analysis.not_one_block")
    return stacked

"""Ranks, how they move from one model to the next, and how alike two rankings are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau

from explorer.analysis.arrays import Integers, checked_scores
from explorer.errors import InputError


@dataclass(frozen=True)
class Movement:
    """How documents move between two rankings.

    Attributes:
        first_ranks: Ranks in the first stage, 1 is best, int32 [n].
        second_ranks: Ranks in the second stage, int32 [n].
        moved: ``first_ranks - second_ranks``; positive for a document that climbed, int32 [n].
    """

    first_ranks: Integers
    second_ranks: Integers
    moved: Integers


def order(scores: npt.ArrayLike, decimals: int = 4) -> Integers:
    """List documents from the best to the worst.

    Scores are rounded first and ties keep the order in which documents were given, since the last bits of a score
    depend on which texts shared a batch: without this, near-ties would change places between two runs.

    Args:
        scores: Higher is better [n].
        decimals: Decimals that count.

    Returns:
        Indices of documents, int32 [n].

    Raises:
        InputError: The scores are no list, or not finite.
    """
    rounded = np.round(checked_scores(scores), decimals)
    best_first: Integers = np.argsort(-rounded, kind="stable").astype(np.int32)
    return best_first


def ranks(scores: npt.ArrayLike, decimals: int = 4) -> Integers:
    """Give each document its rank.

    Args:
        scores: Higher is better [n].
        decimals: Decimals that count; see :func:`order`.

    Returns:
        Ranks from 1, the best, to n, each once, int32 [n].

    Raises:
        InputError: The scores are no list, or not finite.
    """
    best_first = order(scores, decimals)
    given = np.empty(len(best_first), dtype=np.int32)
    given[best_first] = np.arange(1, len(best_first) + 1, dtype=np.int32)
    return given


def movement(first_stage_scores: npt.ArrayLike, second_stage_scores: npt.ArrayLike) -> Movement:
    """Follow documents from one ranking to the next.

    Args:
        first_stage_scores: For instance cosines [n].
        second_stage_scores: For instance a reranker's log-odds [n].

    Returns:
        Both ranks of each document, and how far it moved.

    Raises:
        InputError: The scores do not belong to the same documents, or are not finite.
    """
    first, second = ranks(first_stage_scores), ranks(second_stage_scores)
    _same_length(first, second)
    return Movement(first, second, first - second)


def overlap_at_k(a: npt.ArrayLike, b: npt.ArrayLike, k: int) -> float:
    """Say how much of the top k two rankings share.

    Args:
        a: Scores of the documents [n].
        b: Other scores of the same documents [n].
        k: Length of the top; the whole list when there are fewer documents.

    Returns:
        Share from 0 to 1; 1 for an empty list.

    Raises:
        InputError: ``k`` is below 1, or the scores do not belong together.
    """
    if k < 1:
        raise InputError("analysis.below_one", name="k", value=k)
    first, second = order(a), order(b)
    _same_length(first, second)
    top = min(k, len(first))
    return float(len(np.intersect1d(first[:top], second[:top])) / top) if top else 1.0


def kendall_tau(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Say how often two rankings agree on which of two documents is better (Kendall 1938).

    Args:
        a: Scores of the documents [n].
        b: Other scores of the same documents [n].

    Returns:
        From -1, reversed, to 1, the same order; ties are broken as in :func:`order`. 1 for fewer than two documents.

    Raises:
        InputError: The scores do not belong together, or are not finite.
    """
    first, second = ranks(a), ranks(b)
    _same_length(first, second)
    return float(kendalltau(first, second).statistic) if len(first) > 1 else 1.0


def _same_length(first: Integers, second: Integers) -> None:
    """Refuse rankings of different documents."""
    if len(first) != len(second):
        raise InputError("analysis.rows_differ", first=len(first), second=len(second))

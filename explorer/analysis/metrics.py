"""Quality of a ranking against graded judgements, as trec_eval defines the measures.

nDCG uses linear gain, ``relevance / log2(rank + 1)`` (Järvelin and Kekäläinen 2002, as in trec_eval's ``ndcg_cut``),
not the exponential gain ``2 ** relevance - 1`` of Burges et al. 2005. The ideal ranking counts every judged document.
Equal scores keep the order in which documents are given.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from explorer.analysis.arrays import Doubles, checked_scores
from explorer.analysis.ranking import order
from explorer.errors import InputError

_DECIMALS = 8


def ndcg_at_k(scores: npt.ArrayLike, relevance: npt.ArrayLike, k: int = 10) -> float:
    """Measure how well graded documents are ordered (normalised discounted cumulative gain).

    Args:
        scores: Score of every document [n].
        relevance: Its judgement, 0 for not relevant; unjudged documents count as 0 [n].
        k: Ranks that count.

    Returns:
        From 0 to 1; 0 when nothing is relevant.

    Raises:
        InputError: ``k`` is below 1, or scores and judgements do not belong together.
    """
    ranked = _ranked_relevance(scores, relevance, k)
    ideal = _discounted(np.sort(ranked)[::-1][:k])
    return _discounted(ranked[:k]) / ideal if ideal > 0 else 0.0


def reciprocal_rank(scores: npt.ArrayLike, relevance: npt.ArrayLike, least: float = 1) -> float:
    """Measure how early the first relevant document comes.

    Args:
        scores: Score of every document [n].
        relevance: Its judgement [n].
        least: Judgement from which a document is relevant.

    Returns:
        One divided by the rank of the first relevant document; 0 when there is none.

    Raises:
        InputError: Scores and judgements do not belong together.
    """
    hits = np.flatnonzero(_ranked_relevance(scores, relevance, 1) >= least)
    return 1.0 / float(hits[0] + 1) if hits.size else 0.0


def recall_at_k(scores: npt.ArrayLike, relevance: npt.ArrayLike, k: int = 10, least: float = 1) -> float:
    """Measure which share of the relevant documents is found.

    Args:
        scores: Score of every document [n].
        relevance: Its judgement [n].
        k: Ranks that count.
        least: Judgement from which a document is relevant.

    Returns:
        From 0 to 1; 0 when nothing is relevant.

    Raises:
        InputError: ``k`` is below 1, or scores and judgements do not belong together.
    """
    relevant = _ranked_relevance(scores, relevance, k) >= least
    return float(relevant[:k].sum() / relevant.sum()) if relevant.any() else 0.0


def _ranked_relevance(scores: npt.ArrayLike, relevance: npt.ArrayLike, k: int) -> Doubles:
    """Put judgements in the order of the scores; a negative judgement counts as not relevant."""
    if k < 1:
        raise InputError("analysis.below_one", name="k", value=k)
    best_first, judged = order(scores, _DECIMALS), checked_scores(relevance)
    if len(best_first) != len(judged):
        raise InputError("analysis.rows_differ", first=len(best_first), second=len(judged))
    return np.maximum(judged[best_first], 0.0)


def _discounted(relevance: Doubles) -> float:
    """Sum judgements, each divided by the logarithm of its rank."""
    return float((relevance / np.log2(np.arange(2, len(relevance) + 2))).sum())

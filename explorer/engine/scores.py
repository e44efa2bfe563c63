"""What a reranker gives: scores with everything that must be said beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.engine.prompts import RerankTemplate
from explorer.provenance import Provenance

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class ScoredBatch:
    """What one step of a stream finished.

    Attributes:
        done: Documents finished so far.
        total: Documents in all.
        indices: Which documents these are, int64 [m].
        answer_logits: Logits of "no" and "yes", float32 [m, 2]; "no" is 0 where only their difference is known.
        log_odds: Their log-odds, float32 [m].
        probability: Their P(yes), float32 [m].
        tokens: Length of each prompt, int64 [m].
        cut_tokens: Tokens left out of each document because the prompt was too long, int64 [m].
    """

    done: int
    total: int
    indices: NDArray[np.int64]
    answer_logits: NDArray[np.float32]
    log_odds: Scores
    probability: Scores
    tokens: NDArray[np.int64]
    cut_tokens: NDArray[np.int64]


@dataclass(frozen=True)
class RerankScores:
    """How well documents meet a query, in the order of the documents.

    Attributes:
        answer_logits: Logits of "no" and "yes", float32 [n, 2]; "no" is 0 where only their difference is known.
        log_odds: logit(yes) - logit(no), float32 [n]; it does not saturate, so order by it.
        probability: P(yes) among the two answers, the logistic function of the log-odds, float32 [n].
        tokens: Length of each prompt, int64 [n].
        cut_tokens: Tokens left out of each document because the prompt was too long, int64 [n].
        instruction: The task that was used.
        template: Which official prompt was used.
        provenance: Model, dtype and device.
    """

    answer_logits: NDArray[np.float32]
    log_odds: Scores
    probability: Scores
    tokens: NDArray[np.int64]
    cut_tokens: NDArray[np.int64]
    instruction: str
    template: RerankTemplate
    provenance: Provenance


def collect_scores(
    batches: Sequence[ScoredBatch],
    count: int,
    instruction: str,
    template: RerankTemplate,
    provenance: Provenance,
) -> RerankScores:
    """Put the batches of a stream together, in the order of the documents.

    Args:
        batches: All batches of one :meth:`Reranker.stream`, in any order.
        count: Documents in all.
        instruction: The task that was used.
        template: Which official prompt was used.
        provenance: The reranker's.

    Returns:
        The scores, [count] each.
    """
    answer_logits = np.zeros((count, 2), dtype=np.float32)
    log_odds, probability = np.zeros(count, dtype=np.float32), np.zeros(count, dtype=np.float32)
    tokens, cut_tokens = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    for batch in batches:
        answer_logits[batch.indices] = batch.answer_logits
        log_odds[batch.indices] = batch.log_odds
        probability[batch.indices] = batch.probability
        tokens[batch.indices] = batch.tokens
        cut_tokens[batch.indices] = batch.cut_tokens
    return RerankScores(
        answer_logits, log_odds, probability, tokens, cut_tokens, instruction, template, provenance
    )


def logistic(log_odds: Scores) -> Scores:
    """Turn log-odds into probabilities without overflow.

    Args:
        log_odds: float32 [n].

    Returns:
        float32 [n], 1 / (1 + exp(-x)).
    """
    small = np.exp(-np.abs(log_odds.astype(np.float64)))
    return np.where(log_odds >= 0, 1 / (1 + small), small / (1 + small)).astype(np.float32)

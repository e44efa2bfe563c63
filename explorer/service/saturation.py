"""Saturation: whether P(yes) still tells documents apart, and whether it would in bfloat16."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.analysis.ranking import ranks
from explorer.analysis.ties import Ties, ties
from explorer.engine.prompts import DEFAULT_INSTRUCTION, RerankTemplate, form_of
from explorer.engine.saturation import bfloat16_model_card, bfloat16_softmax
from explorer.engine.scores import RerankScores
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.service.embedding import cut_notices
from explorer.service.judging import judged
from explorer.service.limits import LIMITS, checked_instruction, checked_query, checked_texts
from explorer.service.workspace import Workspace


@dataclass(frozen=True)
class Saturation:
    """The same scores as log-odds, as P(yes), and as a bfloat16 softmax would show them.

    Simulated is the last step alone: the two logits, which this project has in float32, are rounded to bfloat16, and
    torch's softmax of them is taken in bfloat16. What the model did before that stays as ``scores.provenance`` says.

    Attributes:
        documents: As used, n of them.
        scores: Both logits, log-odds and P(yes) in float32, [n] each.
        ranks: Rank of each document by its log-odds, 1 is best, int32 [n].
        softmax: P(yes) by the bfloat16 softmax, float32 [n].
        model_card: P(yes) by the lines of the model card in bfloat16, ``log_softmax`` and ``exp``, float32 [n].
        float32_ties: What P(yes) in float32 loses against the log-odds.
        softmax_ties: What the bfloat16 softmax loses.
        model_card_ties: What the model card's lines lose.
        both_logits: Whether both logits are known. A model that was turned into a classifier, or one behind a server,
            gives only their difference; "no" then counts as 0, and less is rounded away than might have been.
        notices: What was left out or cut.
    """

    documents: tuple[str, ...]
    scores: RerankScores
    ranks: npt.NDArray[np.int32]
    softmax: npt.NDArray[np.float32]
    model_card: npt.NDArray[np.float32]
    float32_ties: Ties
    softmax_ties: Ties
    model_card_ties: Ties
    both_logits: bool
    notices: tuple[Notice, ...]


def saturation_of(
    documents: Sequence[str], scores: RerankScores, notices: tuple[Notice, ...] = ()
) -> Saturation:
    """Measure the saturation of scores that are there already; no model runs.

    Args:
        documents: The documents, n of them.
        scores: Their scores, [n] each.
        notices: What was left out or cut when they were scored.

    Returns:
        The measurement.
    """
    softmax, model_card = bfloat16_softmax(scores.answer_logits), bfloat16_model_card(scores.answer_logits)
    return Saturation(
        documents=tuple(documents),
        scores=scores,
        ranks=ranks(scores.log_odds),
        softmax=softmax,
        model_card=model_card,
        float32_ties=ties(scores.log_odds, scores.probability),
        softmax_ties=ties(scores.log_odds, softmax),
        model_card_ties=ties(scores.log_odds, model_card),
        both_logits=bool(scores.answer_logits[:, 0].any()),
        notices=notices,
    )


def saturation(
    workspace: Workspace,
    query: str,
    documents: Sequence[str],
    instruction: str | None = None,
    template: RerankTemplate = "model_card",
) -> Generator[Progress[Saturation], None, None]:
    """Score documents and measure how far the scores saturate.

    Args:
        workspace: Where the reranker is.
        query: What is looked for.
        documents: What is scored.
        instruction: What counts as relevant; the model card's default when None or empty.
        template: Which of the two official prompt templates the reranker reads.

    Yields:
        Steps, the last with the measurement.

    Raises:
        InputError: The query or all documents are empty, something is too long or too many, or there is no such
            template.
    """
    form_of(template)
    asked = checked_query(query)
    read, empty = checked_texts(documents, LIMITS.rerank_documents, "service.documents_empty")
    task = checked_instruction(instruction) or DEFAULT_INSTRUCTION
    reranker = yield from workspace.reranker()
    scores = yield from judged(reranker, asked, read, task, template)
    cut = cut_notices(scores.cut_tokens, "document", scores.provenance)
    yield Progress(len(read), len(read), "service.stage_done", saturation_of(read, scores, (*empty, *cut)))

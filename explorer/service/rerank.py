"""Rerank: read each document together with the query, and show how that changes the embedding model's order."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from explorer.analysis.ranking import Movement, movement
from explorer.analysis.similarity import cosine_matrix
from explorer.corpus.export import to_csv
from explorer.engine.prompts import DEFAULT_INSTRUCTION, RerankTemplate, form_of
from explorer.engine.scores import RerankScores
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service.compare import embed_both
from explorer.service.embedding import cut_notices
from explorer.service.judging import judged
from explorer.service.limits import LIMITS, checked_instruction, checked_query, checked_texts
from explorer.service.workspace import Workspace

__all__ = ["TEMPLATES", "RerankTemplate", "Reranking", "rerank", "scores_csv"]

TEMPLATES: tuple[RerankTemplate, ...] = get_args(RerankTemplate)


@dataclass(frozen=True, eq=False)
class Reranking:
    """A list of documents in two orders.

    Attributes:
        query: The query as it was used.
        documents: The documents as they were used, in the order given, n of them.
        instruction: What counts as relevant, given to both models.
        cosines: Cosine of the query's and each document's embedding, float32 [n].
        scores: The reranker's log-odds and probabilities, [n] each.
        movement: Rank of each document in both orders, and by how much it moved.
        embedding: The model behind the cosines.
        notices: What was left out or cut.
    """

    query: str
    documents: tuple[str, ...]
    instruction: str
    cosines: npt.NDArray[np.float32]
    scores: RerankScores
    movement: Movement
    embedding: Provenance
    notices: tuple[Notice, ...]

    @property
    def best(self) -> int:
        """Index of the document that the reranker puts first."""
        return int(np.argmin(self.movement.second_ranks))


def scores_csv(result: Reranking) -> bytes:
    """Write a result as a spreadsheet file, best document first.

    Args:
        result: What :func:`rerank` gave.

    Returns:
        CSV in UTF-8, in which no text can act as a formula, with a column for each number and for both models.
    """
    count = len(result.documents)
    frame = pd.DataFrame(
        {
            "rerank_rank": result.movement.second_ranks,
            "log_odds": result.scores.log_odds,
            "probability": result.scores.probability,
            "embedding_rank": result.movement.first_ranks,
            "cosine": result.cosines,
            "document": result.documents,
            "query": [result.query] * count,
            "instruction": [result.instruction] * count,
            "template": [result.scores.template] * count,
            "reranker": [result.scores.provenance.line] * count,
            "embedding": [result.embedding.line] * count,
        }
    )
    return to_csv(frame.sort_values("rerank_rank"))


def rerank(
    workspace: Workspace,
    query: str,
    documents: Sequence[str],
    instruction: str | None = None,
    template: RerankTemplate = "model_card",
) -> Generator[Progress[Reranking], None, None]:
    """Rank documents by the reranker, beside the embedding model's ranking.

    Args:
        workspace: Where the models are.
        query: What is looked for.
        documents: What is ranked.
        instruction: What counts as relevant; the model card's default when None or empty.
        template: Which of the two official prompt templates the reranker reads.

    Yields:
        Steps, the last with the result.

    Raises:
        InputError: The query or all documents are empty, something is too long or too many, or there is no such
            template.
    """
    form_of(template)
    asked = checked_query(query)
    read, empty = checked_texts(documents, LIMITS.rerank_documents, "service.documents_empty")
    used_instruction = checked_instruction(instruction) or DEFAULT_INSTRUCTION
    both = yield from embed_both(workspace, (asked,), read, used_instruction)
    cosines = cosine_matrix(both.queries.vectors, both.documents.vectors)[0]
    reranker = yield from workspace.reranker()
    scores = yield from judged(reranker, asked, read, used_instruction, template)
    result = Reranking(
        query=asked,
        documents=read,
        instruction=used_instruction,
        cosines=cosines,
        scores=scores,
        movement=movement(cosines, scores.log_odds),
        embedding=both.provenance,
        notices=(*empty, *both.notices, *cut_notices(scores.cut_tokens, "document", scores.provenance)),
    )
    yield Progress(len(read), len(read), "service.stage_done", result)

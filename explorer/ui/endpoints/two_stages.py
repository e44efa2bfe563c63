"""The endpoints ``/two_stages`` and ``/disagreements``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.service import disagreements as crossing
from explorer.service import rerank
from explorer.service import two_stages as searching
from explorer.service.disagreements import Disagreements
from explorer.service.searched import Source
from explorer.service.two_stages import TwoStages
from explorer.service.workspace import Workspace
from explorer.ui.endpoints.answer import Answer, answered, sentences_of
from explorer.ui.jobs import said


def endpoints(workspace: Workspace) -> tuple[Callable[..., Answer], ...]:
    """Give the endpoints of this file.

    Args:
        workspace: Where the models are.

    Returns:
        Functions whose names are the endpoints'.
    """
    return (_two_stages(workspace), _disagreements(workspace))


def _two_stages(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def two_stages(
        query: str,
        documents: list[str] | None = None,
        k: int = 20,
        instruction: str = "",
        template: rerank.RerankTemplate = "model_card",
    ) -> Answer:
        """Retrieve the k documents nearest to a query, then rerank them. Without documents: the demo corpus."""
        job = searching.two_stages(workspace, query, Source(documents), k, instruction, template)
        yield from answered(job, _retrieved)

    return two_stages


def _retrieved(result: TwoStages) -> dict[str, Any]:
    quality = result.quality
    return {
        "searched": result.searched,
        "row": result.rows.tolist(),
        "document": list(result.documents),
        "cosine": result.cosines.tolist(),
        "retrieval_rank": result.movement.first_ranks.tolist(),
        "log_odds": result.scores.log_odds.tolist(),
        "probability": result.scores.probability.tolist(),
        "final_rank": result.movement.second_ranks.tolist(),
        "grade": list(result.grades),
        "missed": [{"rank": one.rank, "document": one.text, "grade": one.grade} for one in result.missed],
        "ndcg": quality
        and {"retrieved": quality.retrieved, "reranked": quality.reranked, "k": quality.ranks},
        "embedding": result.embedding.line,
        "reranker": result.scores.provenance.line,
        "instruction": result.instruction,
        "notices": sentences_of(result.notices),
    }


def _disagreements(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def disagreements(
        queries: list[str],
        documents: list[str] | None = None,
        documents_at_most: int = 0,
        instruction: str = "",
        template: rerank.RerankTemplate = "model_card",
    ) -> Answer:
        """Judge every query with every document by cosine and by log-odds, and list where the two disagree.

        Without documents: the demo corpus. 0 documents at most means as many as the limit on pairs allows.
        """
        asked = (queries, Source(documents), documents_at_most or None, instruction, template)
        yield from answered(crossing.disagreements(workspace, *asked), _crossed)

    return disagreements


def _crossed(result: Disagreements) -> dict[str, Any]:
    parts, width = result.quadrants(), len(result.documents)
    return {
        "document": list(result.documents),
        "row": result.rows.tolist(),
        "query": list(result.queries),
        "cosine": result.cosines.tolist(),
        "log_odds": result.log_odds.tolist(),
        "cosine_cut": result.cosine_cut,
        "false_friends": [list(divmod(pair, width)) for pair in parts.false_friends.tolist()],
        "hidden_gems": [list(divmod(pair, width)) for pair in parts.hidden_gems.tolist()],
        "embedding": result.embedding.line,
        "reranker": result.reranker.line,
        "instruction": result.instruction,
        "notices": sentences_of(result.notices),
    }

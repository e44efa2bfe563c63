"""The endpoints ``/rerank``, ``/similarity`` and ``/embed``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.service import compare, rerank
from explorer.service.compare import Comparison
from explorer.service.embed import TextVectors, embed_texts
from explorer.service.rerank import Reranking
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
    return (_rerank(workspace), _similarity(workspace), _embed(workspace))


def _rerank(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def rerank_documents(
        query: str,
        documents: list[str],
        instruction: str = "",
        template: rerank.RerankTemplate = "model_card",
    ) -> Answer:
        """Rank documents for a query: log-odds, P(yes), cosine and both ranks, in the order given."""
        yield from answered(rerank.rerank(workspace, query, documents, instruction, template), _reranking)

    rerank_documents.__name__ = "rerank"
    return rerank_documents


def _reranking(result: Reranking) -> dict[str, Any]:
    return {
        "log_odds": result.scores.log_odds.tolist(),
        "probability": result.scores.probability.tolist(),
        "rerank_rank": result.movement.second_ranks.tolist(),
        "cosine": result.cosines.tolist(),
        "embedding_rank": result.movement.first_ranks.tolist(),
        "reranker": result.scores.provenance.line,
        "embedding": result.embedding.line,
        "instruction": result.instruction,
        "notices": sentences_of(result.notices),
    }


def _similarity(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def similarity(queries: list[str], documents: list[str], instruction: str = "") -> Answer:
        """Give the cosine of every query with every document, and of the documents with each other."""
        yield from answered(compare.compare(workspace, queries, documents, instruction), _comparison)

    return similarity


def _comparison(result: Comparison) -> dict[str, Any]:
    return {
        "query_document": result.query_document.tolist(),
        "document_document": result.document_document.tolist(),
        "embedding": result.provenance.line,
        "notices": sentences_of(result.notices),
    }


def _embed(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def embed(texts: list[str], instruction: str = "", dimensions: int = 0) -> Answer:
        """Embed texts as unit vectors; with an instruction they are queries. 0 dimensions means all."""
        yield from answered(
            embed_texts(
                workspace,
                texts,
                instruction,
                dimensions or None,
            ),
            _vectors,
        )

    return embed


def _vectors(result: TextVectors) -> dict[str, Any]:
    return {
        "vectors": result.vectors.tolist(),
        "embedding": result.provenance.line,
        "notices": sentences_of(result.notices),
    }

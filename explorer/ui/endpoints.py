"""The documented HTTP endpoints: the same service functions as the views, with plain JSON in and out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from explorer.service import compare, rerank
from explorer.service.embed import embed_texts
from explorer.service.workspace import Workspace, finished
from explorer.ui.jobs import DEVICE, said


def build(workspace: Workspace) -> None:
    """Publish the endpoints ``/rerank``, ``/similarity`` and ``/embed``.

    Args:
        workspace: Where the models are.
    """
    for endpoint in (_rerank(workspace), _similarity(workspace), _embed(workspace)):
        gr.api(  # type: ignore[attr-defined]
            endpoint, api_name=endpoint.__name__, concurrency_id=DEVICE, concurrency_limit=1
        )


def _rerank(workspace: Workspace) -> Callable[..., dict[str, Any]]:
    @said
    def rerank_documents(
        query: str,
        documents: list[str],
        instruction: str = "",
        template: rerank.RerankTemplate = "model_card",
    ) -> dict[str, Any]:
        """Rank documents for a query: log-odds, P(yes), cosine and both ranks, in the order given."""
        result = finished(rerank.rerank(workspace, query, documents, instruction, template))
        return {
            "log_odds": result.scores.log_odds.tolist(),
            "probability": result.scores.probability.tolist(),
            "rerank_rank": result.movement.second_ranks.tolist(),
            "cosine": result.cosines.tolist(),
            "embedding_rank": result.movement.first_ranks.tolist(),
            "reranker": result.scores.provenance.line,
            "embedding": result.embedding.line,
            "instruction": result.instruction,
            "notices": [notice.text("en") for notice in result.notices],
        }

    rerank_documents.__name__ = "rerank"
    return rerank_documents


def _similarity(workspace: Workspace) -> Callable[..., dict[str, Any]]:
    @said
    def similarity(queries: list[str], documents: list[str], instruction: str = "") -> dict[str, Any]:
        """Give the cosine of every query with every document, and of the documents with each other."""
        result = finished(compare.compare(workspace, queries, documents, instruction))
        return {
            "query_document": result.query_document.tolist(),
            "document_document": result.document_document.tolist(),
            "embedding": result.provenance.line,
            "notices": [notice.text("en") for notice in result.notices],
        }

    return similarity


def _embed(workspace: Workspace) -> Callable[..., dict[str, Any]]:
    @said
    def embed(texts: list[str], instruction: str = "", dimensions: int = 0) -> dict[str, Any]:
        """Embed texts as unit vectors; with an instruction they are queries. 0 dimensions means all."""
        result = finished(embed_texts(workspace, texts, instruction, dimensions or None))
        return {
            "vectors": result.vectors.tolist(),
            "embedding": result.provenance.line,
            "notices": [notice.text("en") for notice in result.notices],
        }

    return embed

"""The documented HTTP endpoints: the same service functions as the views, with plain JSON in and out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar

import gradio as gr

from explorer.notices import Notice
from explorer.progress import Progress
from explorer.service import compare, rerank
from explorer.service.compare import Comparison
from explorer.service.embed import TextVectors, embed_texts
from explorer.service.rerank import Reranking
from explorer.service.workspace import Workspace
from explorer.ui.jobs import DEVICE, said

Result = TypeVar("Result")


Answer = Iterator[dict[str, Any]]
"""Steps ``{"done", "total"}``, so that a client can stop between two batches, then the result."""


def build(workspace: Workspace) -> None:
    """Publish the endpoints ``/rerank``, ``/similarity`` and ``/embed``.

    Args:
        workspace: Where the models are.
    """
    for endpoint in (_rerank(workspace), _similarity(workspace), _embed(workspace)):
        gr.api(  # type: ignore[attr-defined]
            endpoint, api_name=endpoint.__name__, concurrency_id=DEVICE, concurrency_limit=1
        )


def _answer(job: Generator[Progress[Result], None, None], form: Callable[[Result], dict[str, Any]]) -> Answer:
    try:
        for step in job:
            finished = step.partial
            yield {"done": step.done, "total": step.total} if finished is None else form(finished)
    finally:
        job.close()


def _rerank(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def rerank_documents(
        query: str,
        documents: list[str],
        instruction: str = "",
        template: rerank.RerankTemplate = "model_card",
    ) -> Answer:
        """Rank documents for a query: log-odds, P(yes), cosine and both ranks, in the order given."""
        yield from _answer(rerank.rerank(workspace, query, documents, instruction, template), _reranking)

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
        "notices": _sentences(result.notices),
    }


def _similarity(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def similarity(queries: list[str], documents: list[str], instruction: str = "") -> Answer:
        """Give the cosine of every query with every document, and of the documents with each other."""
        yield from _answer(compare.compare(workspace, queries, documents, instruction), _comparison)

    return similarity


def _comparison(result: Comparison) -> dict[str, Any]:
    return {
        "query_document": result.query_document.tolist(),
        "document_document": result.document_document.tolist(),
        "embedding": result.provenance.line,
        "notices": _sentences(result.notices),
    }


def _embed(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def embed(texts: list[str], instruction: str = "", dimensions: int = 0) -> Answer:
        """Embed texts as unit vectors; with an instruction they are queries. 0 dimensions means all."""
        yield from _answer(
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
        "notices": _sentences(result.notices),
    }


def _sentences(notices: tuple[Notice, ...]) -> list[str]:
    return [notice.text("en") for notice in notices]

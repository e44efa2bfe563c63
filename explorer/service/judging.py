"""Let a reranker read documents, with progress."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Never

from explorer.engine.prompts import RerankTemplate
from explorer.engine.reranker import Reranker
from explorer.engine.scores import RerankScores, collect_scores
from explorer.progress import Progress


def judged(
    reranker: Reranker,
    query: str,
    documents: Sequence[str],
    instruction: str,
    template: RerankTemplate,
    before: int = 0,
    total: int | None = None,
) -> Generator[Progress[Never], None, RerankScores]:
    """Let the reranker read documents.

    Args:
        reranker: The model.
        query: A cleaned query.
        documents: Cleaned documents.
        instruction: What counts as relevant.
        template: Which official prompt.
        before: Pairs of the same job that were read before.
        total: Pairs of the whole job; the documents when None.

    Yields:
        One step a batch.

    Returns:
        Scores in the order of the documents.
    """
    batches = []
    for batch in reranker.stream(query, documents, instruction, template=template):
        batches.append(batch)
        yield Progress(before + batch.done, total or batch.total, "service.stage_reranking")
    return collect_scores(batches, len(documents), instruction, template, reranker.provenance)

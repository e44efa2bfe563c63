"""Compare: the cosine of every query with every document, and of the documents with each other."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal, Never

import numpy as np
import numpy.typing as npt

from explorer.analysis.similarity import Seriation, clustered_order, cosine_matrix
from explorer.engine.embedder import Embedder
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service.embedding import Embedded, cut_notices, embed
from explorer.service.limits import LIMITS, checked_instruction, checked_texts
from explorer.service.workspace import Workspace

Pairs = Literal["query_document", "document_document"]


@dataclass(frozen=True)
class Comparison:
    """Cosines of texts.

    Attributes:
        queries: The queries as used.
        documents: The documents as used.
        query_document: float32 [queries, documents].
        document_document: float32 [documents, documents].
        query_order: Order of both sides of the first matrix in which similar ones lie side by side.
        document_order: The same for the second matrix.
        instruction: What the queries carried, or None.
        provenance: The model behind the cosines.
        notices: What was left out or cut.
    """

    queries: tuple[str, ...]
    documents: tuple[str, ...]
    query_document: npt.NDArray[np.float32]
    document_document: npt.NDArray[np.float32]
    query_order: Seriation
    document_order: Seriation
    instruction: str | None
    provenance: Provenance
    notices: tuple[Notice, ...]


def compare(
    workspace: Workspace, queries: Sequence[str], documents: Sequence[str], instruction: str | None = None
) -> Generator[Progress[Comparison], None, None]:
    """Compare queries with documents, and documents with each other.

    Args:
        workspace: Where the models are.
        queries: Query texts; they carry the instruction.
        documents: Document texts; they carry none.
        instruction: What the queries look for; None for the bare query text.

    Yields:
        Steps, the last with the comparison.

    Raises:
        InputError: A side is empty, too long or too many.
    """
    asked, empty_queries = checked_texts(queries, LIMITS.compared_texts, "service.queries_empty")
    read, empty_documents = checked_texts(documents, LIMITS.compared_texts, "service.documents_empty")
    task = checked_instruction(instruction)
    both = yield from embed_both(workspace, asked, read, task)
    query_document = cosine_matrix(both.queries.vectors, both.documents.vectors)
    document_document = cosine_matrix(both.documents.vectors, both.documents.vectors)
    result = Comparison(
        queries=asked,
        documents=read,
        query_document=query_document,
        document_document=document_document,
        query_order=clustered_order(query_document),
        document_order=clustered_order(document_document),
        instruction=task,
        provenance=both.provenance,
        notices=(*empty_queries, *empty_documents, *both.notices),
    )
    total = len(asked) + len(read)
    yield Progress(total, total, "service.stage_done", result)


@dataclass(frozen=True)
class BothSides:
    """Vectors of queries and documents, and the model that made them."""

    queries: Embedded
    documents: Embedded
    provenance: Provenance

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the model could not read to the end."""
        return (
            *cut_notices(self.queries.cut_tokens, "query", self.provenance),
            *cut_notices(self.documents.cut_tokens, "document", self.provenance),
        )


def embed_both(
    workspace: Workspace, queries: Sequence[str], documents: Sequence[str], instruction: str | None
) -> Generator[Progress[Never], None, BothSides]:
    """Embed queries with their instruction, and documents without.

    Args:
        workspace: Where the models are.
        queries: Cleaned queries.
        documents: Cleaned documents.
        instruction: What the queries look for, or None.

    Yields:
        One step a batch, without a result.

    Returns:
        Both sides.
    """
    embedder = yield from workspace.embedder()
    return (yield from embed_sides(embedder, queries, documents, instruction))


def embed_sides(
    embedder: Embedder,
    queries: Sequence[str],
    documents: Sequence[str],
    instruction: str | None,
    stage: str = "service.stage_embedding",
) -> Generator[Progress[Never], None, BothSides]:
    """Embed queries with their instruction, and documents without, by a given model.

    Args:
        embedder: The model.
        queries: Cleaned queries.
        documents: Cleaned documents.
        instruction: What the queries look for, or None.
        stage: What the steps say is being done.

    Yields:
        One step a batch, without a result.

    Returns:
        Both sides.
    """
    total = len(queries) + len(documents)
    sides: list[Embedded] = []
    for texts, side_instruction in ((queries, instruction), (documents, None)):
        before = len(queries) if sides else 0
        for step in embed(embedder, texts, side_instruction):
            if step.partial is None:
                yield Progress(before + step.done, total, stage)
            else:
                sides.append(step.partial)
    return BothSides(sides[0], sides[1], embedder.provenance)

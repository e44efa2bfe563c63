"""Compare: the cosine of every query with every document, and of the documents with each other."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal, Never, get_args

import numpy as np
import numpy.typing as npt

from explorer.analysis.similarity import Seriation, clustered_order, cosine_matrix
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service.embedding import Embedded, cut_notices, embed
from explorer.service.limits import LIMITS, checked_instruction, checked_texts
from explorer.service.workspace import Workspace

Pairs = Literal["query_document", "document_document"]
Order = Literal["given", "clustered"]
PAIRS: tuple[Pairs, ...] = get_args(Pairs)
ORDERS: tuple[Order, ...] = get_args(Order)


@dataclass(frozen=True)
class MatrixView:
    """One matrix in the order in which it is drawn.

    Attributes:
        cosines: float32 [rows, columns].
        row_texts: Text of each row.
        column_texts: Text of each column.
        square: Whether rows and columns are the same texts.
    """

    cosines: npt.NDArray[np.float32]
    row_texts: tuple[str, ...]
    column_texts: tuple[str, ...]
    square: bool


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
        provenance: The model behind the cosines.
        notices: What was left out or cut.
    """

    queries: tuple[str, ...]
    documents: tuple[str, ...]
    query_document: npt.NDArray[np.float32]
    document_document: npt.NDArray[np.float32]
    query_order: Seriation
    document_order: Seriation
    provenance: Provenance
    notices: tuple[Notice, ...]

    def view(self, pairs: Pairs, order: Order) -> MatrixView:
        """Choose one matrix and an order.

        Args:
            pairs: Queries with documents, or documents with documents.
            order: As given, or similar ones side by side.

        Returns:
            The matrix as it is drawn.
        """
        square = pairs == "document_document"
        matrix = self.document_document if square else self.query_document
        rows_from = self.documents if square else self.queries
        seriation = self.document_order if square else self.query_order
        rows, columns = np.arange(matrix.shape[0]), np.arange(matrix.shape[1])
        if order == "clustered":
            rows, columns = np.asarray(seriation.rows), np.asarray(seriation.columns)
        return MatrixView(
            cosines=matrix[np.ix_(rows, columns)],
            row_texts=tuple(rows_from[row] for row in rows),
            column_texts=tuple(self.documents[column] for column in columns),
            square=square,
        )


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
    both = yield from embed_both(workspace, asked, read, checked_instruction(instruction))
    query_document = cosine_matrix(both.queries.vectors, both.documents.vectors)
    document_document = cosine_matrix(both.documents.vectors, both.documents.vectors)
    result = Comparison(
        queries=asked,
        documents=read,
        query_document=query_document,
        document_document=document_document,
        query_order=clustered_order(query_document),
        document_order=clustered_order(document_document),
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
    total = len(queries) + len(documents)
    sides: list[Embedded] = []
    for texts, side_instruction in ((queries, instruction), (documents, None)):
        before = len(queries) if sides else 0
        for step in embed(embedder, texts, side_instruction):
            if step.partial is None:
                yield Progress(before + step.done, total, step.stage)
            else:
                sides.append(step.partial)
    return BothSides(sides[0], sides[1], embedder.provenance)

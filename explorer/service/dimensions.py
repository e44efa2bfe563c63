"""Dimensions: embed once at full size, so that the browser can cut every smaller size by itself."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.analysis.matryoshka import MatryoshkaCurve, curve, ladder
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service.compare import embed_both
from explorer.service.limits import LIMITS, checked_instruction, checked_texts
from explorer.service.workspace import Workspace

CURVE_K = 5
"""Length of the rankings that are compared between sizes."""

SLIDER_TEXTS = 64
"""Texts on either side that the browser recomputes at each step of the slider."""


@dataclass(frozen=True)
class SliderVectors:
    """What the slider needs.

    Attributes:
        queries: The queries as used.
        documents: The documents as used.
        query_vectors: Unit rows at full size, float32 [queries, d].
        document_vectors: Unit rows at full size, float32 [documents, d].
        curve: How much of the full ranking each size keeps.
        provenance: The model that made the vectors.
        notices: What was left out or cut.
    """

    queries: tuple[str, ...]
    documents: tuple[str, ...]
    query_vectors: npt.NDArray[np.float32]
    document_vectors: npt.NDArray[np.float32]
    curve: MatryoshkaCurve
    provenance: Provenance
    notices: tuple[Notice, ...]


def embed_for_slider(
    workspace: Workspace, queries: Sequence[str], documents: Sequence[str], instruction: str | None = None
) -> Generator[Progress[SliderVectors], None, None]:
    """Embed queries and documents at full size.

    Args:
        workspace: Where the models are.
        queries: Query texts; they carry the instruction.
        documents: Document texts; they carry none.
        instruction: What the queries look for; None for the bare query text.

    Yields:
        Steps, the last with the vectors.

    Raises:
        InputError: A side is empty, too long or too many.
    """
    asked, empty_queries = checked_texts(queries, LIMITS.compared_texts, "service.queries_empty")
    read, empty_documents = checked_texts(documents, LIMITS.compared_texts, "service.documents_empty")
    notices = [*empty_queries, *empty_documents]
    if max(len(asked), len(read)) > SLIDER_TEXTS:
        notices.append(Notice("dimensions.too_many", {"limit": SLIDER_TEXTS}))
        asked, read = asked[:SLIDER_TEXTS], read[:SLIDER_TEXTS]
    both = yield from embed_both(workspace, asked, read, checked_instruction(instruction))
    result = SliderVectors(
        queries=asked,
        documents=read,
        query_vectors=both.queries.vectors,
        document_vectors=both.documents.vectors,
        curve=curve(
            both.queries.vectors, both.documents.vectors, ladder(both.queries.vectors.shape[1]), CURVE_K
        ),
        provenance=both.provenance,
        notices=(*notices, *both.notices),
    )
    yield Progress(len(asked) + len(read), len(asked) + len(read), "service.stage_done", result)

"""Embed: vectors of texts, for whoever wants to work with them elsewhere."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.analysis.matryoshka import truncate
from explorer.engine.vectors import checked_dimensions
from explorer.errors import InputError
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service.embedding import Side, cut_notices, embed
from explorer.service.limits import LIMITS, checked_instruction, checked_texts
from explorer.service.workspace import Workspace


@dataclass(frozen=True)
class TextVectors:
    """Vectors of texts.

    Attributes:
        vectors: Unit rows, float32 [n, d].
        provenance: The model that made them.
        notices: What was left out or cut.
    """

    vectors: npt.NDArray[np.float32]
    provenance: Provenance
    notices: tuple[Notice, ...]


def embed_texts(
    workspace: Workspace,
    texts: Sequence[str],
    instruction: str | None = None,
    dimensions: int | None = None,
) -> Generator[Progress[TextVectors], None, None]:
    """Embed texts.

    Args:
        workspace: Where the models are.
        texts: Documents, or queries when there is an instruction.
        instruction: What the queries look for; None for documents.
        dimensions: How many leading dimensions to keep; None for all.

    Yields:
        Steps, the last with the vectors.

    Raises:
        InputError: There is no text, something is too long or too many, or ``dimensions`` is out of range.
    """
    read, notices = checked_texts(texts, LIMITS.compared_texts, "service.documents_empty")
    if not isinstance(dimensions, int | None) or isinstance(dimensions, bool):
        raise InputError("service.not_a_number")
    embedder = yield from workspace.embedder()
    size = checked_dimensions(dimensions, embedder.dimensions)
    for step in embed(embedder, read, checked_instruction(instruction)):
        if step.partial is None:
            yield Progress(step.done, step.total, step.stage)
            continue
        vectors = truncate(step.partial.vectors, size)
        side: Side = "query" if instruction else "document"
        said = (*notices, *cut_notices(step.partial.cut_tokens, side, embedder.provenance))
        result = TextVectors(vectors, embedder.provenance, said)
        yield Progress(step.done, step.total, "service.stage_done", result)

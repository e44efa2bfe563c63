"""Embed texts with progress, and tell which of them the model could not read to the end."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from explorer.engine.embedder import Embedder
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance

Side = Literal["query", "document"]

NAMED_CUTS = 3
"""Above this many cut texts, one sentence counts them instead of naming each."""


@dataclass(frozen=True)
class Embedded:
    """Vectors of a list of texts.

    Attributes:
        vectors: Unit rows at the model's full size, float32 [n, d].
        cut_tokens: Tokens beyond the model's limit, by text, int64 [n].
    """

    vectors: npt.NDArray[np.float32]
    cut_tokens: npt.NDArray[np.int64]


def embed(
    embedder: Embedder, texts: Sequence[str], instruction: str | None
) -> Generator[Progress[Embedded], None, None]:
    """Embed texts at the model's full size.

    Args:
        embedder: The model.
        texts: Documents, or queries when an instruction is given.
        instruction: What the queries look for; None for documents.

    Yields:
        One step for each batch, the last with the vectors.
    """
    vectors = np.zeros((len(texts), embedder.dimensions), np.float32)
    cut = np.zeros(len(texts), np.int64)
    for batch in embedder.stream(texts, instruction):
        vectors[batch.indices] = batch.vectors
        cut[batch.indices] = batch.cut_tokens
        whole = Embedded(vectors, cut) if batch.done == batch.total else None
        yield Progress(batch.done, batch.total, "service.stage_embedding", whole)


def cut_notices(cut_tokens: npt.NDArray[np.int64], side: Side, reader: Provenance) -> tuple[Notice, ...]:
    """Say which texts were longer than a model reads.

    Args:
        cut_tokens: Tokens left out, by text.
        side: Whether these are queries or documents.
        reader: The model that could not read them to the end.

    Returns:
        A sentence for each of a few, one sentence for many, none when nothing was cut.
    """
    positions = np.flatnonzero(cut_tokens)
    if len(positions) > NAMED_CUTS:
        return (Notice(f"service.cut_{side}_many", {"count": len(positions), "model": reader.model}),)
    return tuple(
        Notice(
            f"service.cut_{side}",
            {"position": int(at) + 1, "cut": int(cut_tokens[at]), "model": reader.model},
        )
        for at in positions
    )

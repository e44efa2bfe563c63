"""What an embedding model gives: vectors with everything that must be said beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.progress import ProgressCallback
from explorer.provenance import Provenance

Vectors = NDArray[np.float32]
"""Unit rows, float32 [n, d]."""


@dataclass(frozen=True)
class EmbeddedBatch:
    """What one step of a stream finished.

    Attributes:
        done: Texts finished so far.
        total: Texts in all; 0 when not known.
        indices: Which texts these are, int64 [m].
        vectors: Their unit rows, float32 [m, d].
        tokens: Their lengths as the model read them, int64 [m].
        cut_tokens: Tokens left out of each because it was too long, int64 [m].
    """

    done: int
    total: int
    indices: NDArray[np.int64]
    vectors: Vectors
    tokens: NDArray[np.int64]
    cut_tokens: NDArray[np.int64]


@dataclass(frozen=True)
class Embeddings:
    """Vectors with everything that must be said beside them.

    Attributes:
        vectors: Unit rows, float32 [n, d], in the order of the texts.
        tokens: Length of each text as the model read it, int64 [n].
        cut_tokens: Tokens left out of each text because it was too long, int64 [n].
        instruction: The task, or None for documents.
        provenance: Model, dtype and device.
    """

    vectors: Vectors
    tokens: NDArray[np.int64]
    cut_tokens: NDArray[np.int64]
    instruction: str | None
    provenance: Provenance


def checked_dimensions(dimensions: int | None, full: int) -> int:
    """Check a number of dimensions against the model's.

    Args:
        dimensions: How many leading dimensions are wanted; None for all.
        full: How many the model has.

    Returns:
        How many to keep.

    Raises:
        InputError: There are not so many.
    """
    kept = full if dimensions is None else dimensions
    if not 1 <= kept <= full:
        raise InputError("engine.dimensions_out_of_range", dimensions=kept, largest=full)
    return kept


def collect_embeddings(
    batches: Iterable[EmbeddedBatch],
    count: int,
    dimensions: int,
    instruction: str | None,
    provenance: Provenance,
    progress: ProgressCallback | None,
) -> Embeddings:
    """Put the batches of a stream together, in the order of the texts.

    Args:
        batches: All batches of one stream, in any order.
        count: Texts in all.
        dimensions: How many leading dimensions to keep.
        instruction: The task, or None for documents.
        provenance: The model's.
        progress: Called with (texts done, texts in all).

    Returns:
        The vectors, [count, dimensions], and what must be said beside them.
    """
    vectors = np.zeros((count, dimensions), dtype=np.float32)
    tokens, cut_tokens = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    for batch in batches:
        vectors[batch.indices] = truncate(batch.vectors, dimensions)
        tokens[batch.indices] = batch.tokens
        cut_tokens[batch.indices] = batch.cut_tokens
        if progress:
            progress(batch.done, batch.total)
    return Embeddings(vectors, tokens, cut_tokens, instruction, provenance)


def truncate(vectors: Vectors, dimensions: int) -> Vectors:
    """Keep the leading dimensions and scale the rows to length one again.

    Matryoshka representation learning (Kusupati et al., arXiv 2205.13147) trains the prefix to be a vector of its own.

    Args:
        vectors: float32 [n, d].
        dimensions: How many to keep.

    Returns:
        Unit rows, float32 [n, dimensions]; a row whose prefix is all zero stays zero.
    """
    if dimensions == vectors.shape[1]:
        return vectors
    kept = vectors[:, :dimensions]
    norms = np.linalg.norm(kept, axis=1, keepdims=True)
    unit: Vectors = kept / np.maximum(norms, np.finfo(np.float32).tiny)
    return unit

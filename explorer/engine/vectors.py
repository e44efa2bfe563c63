"""What an embedding model gives: vectors with everything that must be said beside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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

"""Texts to vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from explorer.engine.cache import VectorCache
from explorer.engine.runner import DEFAULT_MAX_LENGTH, Runner
from explorer.engine.tokens import TokenView, describe, embedding_tokens
from explorer.errors import InputError
from explorer.models.loading import LoadedModel, LoadProgress, load_model
from explorer.progress import CancelToken, ProgressCallback
from explorer.provenance import Provenance

Vectors = NDArray[np.float32]
"""Unit rows, float32 [n, d]."""


@dataclass(frozen=True)
class EmbeddedBatch:
    """What one step of a stream finished.

    Attributes:
        done: Texts finished so far.
        total: Texts in all.
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


class Embedder:
    """An embedding model that turns texts into unit vectors.

    Args:
        loaded: A model loaded as ``"embedding"``.
        cache: Where finished vectors are kept; a new one when None.
        max_length: Longest input in tokens; 8,192 as in the official examples, or the model's own context when that
            is shorter.
    """

    def __init__(
        self, loaded: LoadedModel, cache: VectorCache | None = None, max_length: int = DEFAULT_MAX_LENGTH
    ) -> None:
        """Wrap a loaded model."""
        self._loaded = loaded
        self._runner = Runner(loaded, _unit, cache)
        self.max_length = min(max_length, loaded.max_length)

    @property
    def provenance(self) -> Provenance:
        """What must stand beside every number."""
        return self._runner.provenance

    @property
    def dimensions(self) -> int:
        """Full dimension of the vectors."""
        return self._loaded.dimensions

    @property
    def cache(self) -> VectorCache:
        """Where finished vectors are kept."""
        return self._runner.cache

    @property
    def forwards(self) -> int:
        """How many times the model ran, which shows what the cache saved."""
        return self._runner.forwards

    def encode(
        self,
        texts: str | Sequence[str],
        instruction: str | None = None,
        dimensions: int | None = None,
        *,
        progress: ProgressCallback | None = None,
        cancel: CancelToken | None = None,
    ) -> Vectors:
        """Embed texts.

        Args:
            texts: One text or many.
            instruction: The task, which makes the texts queries; None for documents.
            dimensions: How many leading dimensions to keep before the rows are scaled to length one; None for all.
            progress: Called with (texts done, texts in all).
            cancel: Stops between batches.

        Returns:
            Unit rows, float32 [n, d], in the order of the texts.

        Raises:
            InputError: ``dimensions`` is out of range, or the instruction leaves no room for a text.
            OutOfMemoryError: One text alone does not fit the device.
            Cancelled: The person asked to stop.
        """
        found = self.embed(texts, instruction, dimensions, progress=progress, cancel=cancel)
        return found.vectors

    def embed(
        self,
        texts: str | Sequence[str],
        instruction: str | None = None,
        dimensions: int | None = None,
        *,
        progress: ProgressCallback | None = None,
        cancel: CancelToken | None = None,
    ) -> Embeddings:
        """Embed texts and report lengths, truncation and provenance with the vectors.

        Args:
            texts: One text or many.
            instruction: The task, which makes the texts queries; None for documents.
            dimensions: How many leading dimensions to keep; None for all.
            progress: Called with (texts done, texts in all).
            cancel: Stops between batches.

        Returns:
            The vectors and what must be said beside them.

        Raises:
            InputError: ``dimensions`` is out of range, or the instruction leaves no room for a text.
            OutOfMemoryError: One text alone does not fit the device.
            Cancelled: The person asked to stop.
        """
        texts = [texts] if isinstance(texts, str) else list(texts)
        kept = self._checked(dimensions)
        vectors = np.zeros((len(texts), kept), dtype=np.float32)
        tokens = np.zeros(len(texts), dtype=np.int64)
        cut_tokens = np.zeros(len(texts), dtype=np.int64)
        for batch in self.stream(texts, instruction, cancel=cancel):
            vectors[batch.indices] = truncate(batch.vectors, kept)
            tokens[batch.indices] = batch.tokens
            cut_tokens[batch.indices] = batch.cut_tokens
            if progress:
                progress(batch.done, batch.total)
        return Embeddings(vectors, tokens, cut_tokens, instruction, self.provenance)

    def stream(
        self, texts: Sequence[str], instruction: str | None = None, *, cancel: CancelToken | None = None
    ) -> Iterator[EmbeddedBatch]:
        """Embed texts and give each batch as soon as it is finished.

        Batches are made by length, so the indices of a batch are not neighbours.

        Args:
            texts: Many texts.
            instruction: The task, which makes the texts queries; None for documents.
            cancel: Stops between batches; what was finished stays in the cache.

        Yields:
            Batches that together hold every text once, with vectors of full dimension.

        Raises:
            InputError: The instruction leaves no room for a text.
            OutOfMemoryError: One text alone does not fit the device.
            Cancelled: The person asked to stop.
        """
        sequences = embedding_tokens(self._loaded.tokenizer, texts, instruction, self.max_length)
        tokens = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
        cut_tokens = np.array([len(sequence.cut_ids) for sequence in sequences], dtype=np.int64)
        done = 0
        for indices, rows in self._runner.run([sequence.ids for sequence in sequences], cancel):
            done += len(indices)
            yield EmbeddedBatch(done, len(texts), indices, rows, tokens[indices], cut_tokens[indices])

    def tokens(self, text: str, instruction: str | None = None) -> tuple[TokenView, ...]:
        """Spell out one text exactly as it is embedded.

        Args:
            text: The text.
            instruction: The task, or None for a document.

        Returns:
            Every token; those that are left out stand in their place, marked as cut.
        """
        sequence = embedding_tokens(self._loaded.tokenizer, [text], instruction, self.max_length)[0]
        return describe(self._loaded.tokenizer, sequence)

    def _checked(self, dimensions: int | None) -> int:
        """Check a number of dimensions against the model's."""
        if dimensions is None:
            return self.dimensions
        if not 1 <= dimensions <= self.dimensions:
            raise InputError("engine.dimensions_out_of_range", dimensions=dimensions, largest=self.dimensions)
        return dimensions


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


def load_embedder(
    model: str = "bundled",
    device: str = "auto",
    dtype: str = "auto",
    *,
    offline: bool = False,
    progress: LoadProgress | None = None,
    cancel: CancelToken | None = None,
) -> Embedder:
    """Load an embedding model.

    Args:
        model: ``"bundled"``, a published size or name (``"0.6B"``, ``"Qwen/Qwen3-Embedding-4B"``), a local folder or
            a hub repository of the same architecture.
        device: ``"auto"``, ``"cpu"``, ``"mps"``, ``"cuda"`` or ``"cuda:N"``.
        dtype: ``"auto"`` (bfloat16 on CUDA, float32 elsewhere), ``"float32"`` or ``"bfloat16"``.
        offline: Never reach for the hub.
        progress: Called with (stage, bytes done, bytes in all).
        cancel: Stops the loading.

    Returns:
        The model, ready to encode.

    Raises:
        ModelLoadError: It cannot be found, read or used; the message says what to do.
        OutOfMemoryError: The device has no room; the message says what would fit.
        Cancelled: The person asked to stop.
    """
    return Embedder(
        load_model(model, "embedding", device, dtype, offline=offline, progress=progress, cancel=cancel)
    )


def _unit(states: torch.Tensor) -> torch.Tensor:
    """Scale rows to length one."""
    return torch.nn.functional.normalize(states, dim=-1)

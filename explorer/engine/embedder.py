"""Texts to vectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch

from explorer.engine.runner import DEFAULT_MAX_LENGTH, Runner
from explorer.engine.store.cache import VectorCache
from explorer.engine.tokens import TokenSequence, TokenView, describe, embedding_tokens, lengths_of
from explorer.engine.vectors import EmbeddedBatch, Embeddings, Vectors, checked_dimensions, collect_embeddings
from explorer.engine.windows import (
    Window,
    tokenised_ahead,
    window_characters,
    windows_by_length,
    windows_in_order,
)
from explorer.models.loading import LoadedModel, load_model
from explorer.progress import CancelToken, LoadProgress, ProgressCallback
from explorer.provenance import Acceleration, Provenance


class Embedder:
    """An embedding model that turns texts into unit vectors.

    Args:
        loaded: A model loaded as ``"embedding"``.
        cache: Where finished vectors are kept; a new one when None.
        max_length: Longest input in tokens; 8,192 as in the official examples, or the model's own context when that
            is shorter.
        reproducible: Whether a text's vector must not depend on what else is embedded with it, to the last bit;
            slower. :class:`explorer.engine.runner.Runner` says how far that goes on each device.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        cache: VectorCache | None = None,
        max_length: int = DEFAULT_MAX_LENGTH,
        reproducible: bool = False,
    ) -> None:
        """Wrap a loaded model."""
        self._loaded = loaded
        self._runner = Runner(loaded, _unit, cache, reproducible)
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

    @property
    def loaded(self) -> LoadedModel:
        """The model itself, for what needs its derivatives."""
        return self._loaded

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
        kept = checked_dimensions(dimensions, self.dimensions)
        batches = self.stream(texts, instruction, cancel=cancel)
        return collect_embeddings(batches, len(texts), kept, instruction, self.provenance, progress)

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
        windows = windows_by_length(texts, window_characters(self._runner.budget.tokens))
        done = 0
        for window, sequences in self._tokenised(windows, instruction):
            tokens, cut_tokens = lengths_of(sequences)
            for indices, rows in self._runner.run([sequence.ids for sequence in sequences], cancel):
                done += len(indices)
                yield EmbeddedBatch(
                    done, len(texts), window.indices[indices], rows, tokens[indices], cut_tokens[indices]
                )

    def stream_in_order(
        self, texts: Iterable[str], instruction: str | None = None, *, cancel: CancelToken | None = None
    ) -> Iterator[EmbeddedBatch]:
        """Embed any number of texts in bounded memory, and give them back in their order.

        Args:
            texts: Read window by window, each of about sixteen packs of the device; never all of them at once.
            instruction: The task, which makes the texts queries; None for documents.
            cancel: Stops between packs; what was finished stays in the cache.

        Yields:
            Neighbouring texts, window after window, with vectors of full dimension; ``total`` is 0, since the end is
            not known.

        Raises:
            InputError: The instruction leaves no room for a text.
            OutOfMemoryError: One text alone does not fit the device.
            Cancelled: The person asked to stop.
        """
        windows = windows_in_order(texts, window_characters(self._runner.budget.tokens))
        done = 0
        for window, sequences in self._tokenised(windows, instruction):
            vectors = np.zeros((len(sequences), self.dimensions), dtype=np.float32)
            for indices, rows in self._runner.run([sequence.ids for sequence in sequences], cancel):
                vectors[indices] = rows
            done += len(sequences)
            yield EmbeddedBatch(done, 0, window.indices, vectors, *lengths_of(sequences))

    def _tokenised(
        self, windows: Iterable[Window], instruction: str | None
    ) -> Iterator[tuple[Window, list[TokenSequence]]]:
        """Tokenise each window while the one before it is computed."""
        tokenizer = self._loaded.tokenizer
        return tokenised_ahead(
            windows, lambda window: embedding_tokens(tokenizer, window.texts, instruction, self.max_length)
        )

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


def load_embedder(
    model: str = "bundled",
    device: str = "auto",
    dtype: str = "auto",
    *,
    accelerate: Acceleration = "none",
    reproducible: bool = False,
    offline: bool = False,
    progress: LoadProgress | None = None,
    cancel: CancelToken | None = None,
) -> Embedder:
    """Load an embedding model.

    Args:
        model: ``"bundled"``, a published size or name (``"0.6B"``, ``"Qwen/Qwen3-Embedding-4B"``), a local folder or
            a hub repository of the same architecture.
        device: ``"auto"``, ``"cpu"``, ``"mps"``, ``"cuda"`` or ``"cuda:N"``.
        dtype: ``"auto"`` (bfloat16 on CUDA, float32 elsewhere and for bundled models), ``"float32"`` or ``"bfloat16"``.
        accelerate: ``"none"``, ``"compile"``, ``"int8"`` or ``"bf16"``, see :mod:`explorer.models.acceleration`.
        reproducible: Whether a result must not depend on what else is computed with it, see :class:`Embedder`.
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
    loaded = load_model(
        model,
        "embedding",
        device,
        dtype,
        accelerate=accelerate,
        offline=offline,
        progress=progress,
        cancel=cancel,
    )
    return Embedder(loaded, reproducible=reproducible)


def _unit(states: torch.Tensor) -> torch.Tensor:
    """Scale rows to length one."""
    return torch.nn.functional.normalize(states, dim=-1)

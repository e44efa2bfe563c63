"""Pairs of query and document to scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.engine.prompts import DEFAULT_INSTRUCTION, RerankTemplate, form_of
from explorer.engine.runner import DEFAULT_MAX_LENGTH, Runner
from explorer.engine.scores import RerankScores, ScoredBatch, Scores, collect_scores, logistic
from explorer.engine.store.cache import VectorCache
from explorer.engine.tokens import TokenIds, TokenSequence, TokenView, describe, lengths_of, pair_tokens
from explorer.engine.windows import tokenised_ahead, window_characters, windows_by_length
from explorer.errors import ModelLoadError
from explorer.models.loading import LoadedModel, load_model
from explorer.progress import CancelToken, LoadProgress, ProgressCallback
from explorer.provenance import Acceleration, Provenance


class Reranker:
    """A reranker that judges documents by a query and an instruction.

    Args:
        loaded: A model loaded as ``"reranker"``.
        cache: Where finished scores are kept; a new one when None.
        max_length: Longest prompt in tokens; 8,192 as on the model card, or the model's own context when that is
            shorter.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        cache: VectorCache | None = None,
        max_length: int = DEFAULT_MAX_LENGTH,
        reproducible: bool = False,
    ) -> None:
        """Wrap a loaded model."""
        if loaded.head is None:
            raise ModelLoadError("models.family_not_reranker", folder=loaded.provenance.model)
        head = loaded.head
        self._loaded = loaded
        self._runner = Runner(loaded, lambda states: states @ head.T, cache, reproducible)
        self.max_length = min(max_length, loaded.max_length)

    @property
    def provenance(self) -> Provenance:
        """What must stand beside every number."""
        return self._runner.provenance

    @property
    def cache(self) -> VectorCache:
        """Where finished scores are kept."""
        return self._runner.cache

    @property
    def forwards(self) -> int:
        """How many times the model ran, which shows what the cache saved."""
        return self._runner.forwards

    @property
    def loaded(self) -> LoadedModel:
        """The model itself, for what needs its gradients."""
        return self._loaded

    def score(
        self,
        query: str,
        documents: Sequence[str],
        instruction: str | None = None,
        *,
        template: RerankTemplate = "model_card",
        progress: ProgressCallback | None = None,
        cancel: CancelToken | None = None,
    ) -> RerankScores:
        """Judge documents.

        Args:
            query: What is searched for.
            documents: What is judged; may be empty.
            instruction: The task; None for the model card's default.
            template: Which official prompt.
            progress: Called with (documents done, documents in all).
            cancel: Stops between batches.

        Returns:
            Scores in the order of the documents.

        Raises:
            InputError: Instruction and query leave no room for a document, or there is no such template.
            OutOfMemoryError: One pair alone does not fit the device.
            Cancelled: The person asked to stop.
        """
        batches = []
        for batch in self.stream(query, documents, instruction, template=template, cancel=cancel):
            batches.append(batch)
            if progress:
                progress(batch.done, batch.total)
        return collect_scores(batches, len(documents), _chosen(instruction), template, self.provenance)

    def stream(
        self,
        query: str,
        documents: Sequence[str],
        instruction: str | None = None,
        *,
        template: RerankTemplate = "model_card",
        cancel: CancelToken | None = None,
    ) -> Iterator[ScoredBatch]:
        """Judge documents and give each batch as soon as it is finished.

        The system message, instruction and query are computed once for all documents of a batch.

        Args:
            query: What is searched for.
            documents: What is judged.
            instruction: The task; None for the model card's default.
            template: Which official prompt.
            cancel: Stops between batches; what was finished stays in the cache.

        Yields:
            Batches that together hold every document once.

        Raises:
            InputError: Instruction and query leave no room for a document, or there is no such template.
            OutOfMemoryError: One pair alone does not fit the device.
            Cancelled: The person asked to stop.
        """
        windows = windows_by_length(documents, window_characters(self._runner.budget.tokens))
        done = 0
        for window, sequences in tokenised_ahead(
            windows, lambda window: self._tokens(query, window.texts, instruction, template)
        ):
            tokens, cut_tokens = lengths_of(sequences)
            for indices, rows in self._runner.run([sequence.ids for sequence in sequences], cancel):
                done += len(indices)
                log_odds = rows[:, 1] - rows[:, 0]
                yield ScoredBatch(
                    done=done,
                    total=len(documents),
                    indices=window.indices[indices],
                    answer_logits=rows,
                    log_odds=log_odds,
                    probability=logistic(log_odds),
                    tokens=tokens[indices],
                    cut_tokens=cut_tokens[indices],
                )

    def prompt_log_odds(self, prompts: Sequence[TokenIds]) -> Iterator[tuple[NDArray[np.int64], Scores]]:
        """Judge prompts that are given as token ids, for instance with some of them taken out.

        Args:
            prompts: Token ids, each [tokens].

        Yields:
            (indices into ``prompts`` int64 [m], their log-odds float32 [m]).

        Raises:
            OutOfMemoryError: One prompt alone does not fit the device.
        """
        for indices, rows in self._runner.run(prompts):
            yield indices, rows[:, 1] - rows[:, 0]

    def tokens(
        self,
        query: str,
        document: str,
        instruction: str | None = None,
        *,
        template: RerankTemplate = "model_card",
    ) -> tuple[TokenView, ...]:
        """Spell out one pair exactly as it is judged.

        Args:
            query: What is searched for.
            document: What is judged.
            instruction: The task; None for the model card's default.
            template: Which official prompt.

        Returns:
            Every token of the prompt; those of the document that are left out stand in their place, marked as cut.
        """
        sequence = self._tokens(query, [document], instruction, template)[0]
        return describe(self._loaded.tokenizer, sequence)

    def _tokens(
        self, query: str, documents: Sequence[str], instruction: str | None, name: RerankTemplate
    ) -> list[TokenSequence]:
        """Tokenise all pairs."""
        form, task = form_of(name), _chosen(instruction)
        return pair_tokens(self._loaded.tokenizer, query, documents, task, form, self.max_length)


def load_reranker(
    model: str = "bundled",
    device: str = "auto",
    dtype: str = "auto",
    *,
    accelerate: Acceleration = "none",
    reproducible: bool = False,
    offline: bool = False,
    progress: LoadProgress | None = None,
    cancel: CancelToken | None = None,
) -> Reranker:
    """Load a reranker.

    Args:
        model: ``"bundled"``, a published size or name (``"0.6B"``, ``"Qwen/Qwen3-Reranker-4B"``), a local folder or a
            hub repository of the same architecture, also a sequence-classification conversion.
        device: ``"auto"``, ``"cpu"``, ``"mps"``, ``"cuda"`` or ``"cuda:N"``.
        dtype: ``"auto"`` (bfloat16 on CUDA, float32 elsewhere and for bundled models), ``"float32"`` or ``"bfloat16"``.
        accelerate: ``"none"``, ``"compile"``, ``"int8"`` or ``"bf16"``, see :mod:`explorer.models.acceleration`.
        reproducible: Whether a result must not depend on what else is computed with it, see :class:`Reranker`.
        offline: Never reach for the hub.
        progress: Called with (stage, bytes done, bytes in all).
        cancel: Stops the loading.

    Returns:
        The model, ready to score.

    Raises:
        ModelLoadError: It cannot be found, read or used; the message says what to do.
        OutOfMemoryError: The device has no room; the message says what would fit.
        Cancelled: The person asked to stop.
    """
    loaded = load_model(
        model,
        "reranker",
        device,
        dtype,
        accelerate=accelerate,
        offline=offline,
        progress=progress,
        cancel=cancel,
    )
    return Reranker(loaded, reproducible=reproducible)


def _chosen(instruction: str | None) -> str:
    """Fill in the default instruction."""
    return DEFAULT_INSTRUCTION if instruction is None else instruction

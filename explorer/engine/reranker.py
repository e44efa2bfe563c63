"""Pairs of query and document to scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from explorer.engine.cache import VectorCache
from explorer.engine.prompts import DEFAULT_INSTRUCTION, RerankTemplate, form_of
from explorer.engine.runner import DEFAULT_MAX_LENGTH, Runner
from explorer.engine.tokens import TokenSequence, TokenView, describe, pair_tokens
from explorer.errors import ModelLoadError
from explorer.models.loading import LoadedModel, LoadProgress, load_model
from explorer.progress import CancelToken, ProgressCallback
from explorer.provenance import Provenance

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class ScoredBatch:
    """What one step of a stream finished.

    Attributes:
        done: Documents finished so far.
        total: Documents in all.
        indices: Which documents these are, int64 [m].
        log_odds: Their log-odds, float32 [m].
        probability: Their P(yes), float32 [m].
        tokens: Length of each prompt, int64 [m].
        cut_tokens: Tokens left out of each document because the prompt was too long, int64 [m].
    """

    done: int
    total: int
    indices: NDArray[np.int64]
    log_odds: Scores
    probability: Scores
    tokens: NDArray[np.int64]
    cut_tokens: NDArray[np.int64]


@dataclass(frozen=True)
class RerankScores:
    """How well documents meet a query, in the order of the documents.

    Attributes:
        log_odds: logit(yes) - logit(no), float32 [n]; it does not saturate, so order by it.
        probability: P(yes) among the two answers, the logistic function of the log-odds, float32 [n].
        tokens: Length of each prompt, int64 [n].
        cut_tokens: Tokens left out of each document because the prompt was too long, int64 [n].
        instruction: The task that was used.
        template: Which official prompt was used.
        provenance: Model, dtype and device.
    """

    log_odds: Scores
    probability: Scores
    tokens: NDArray[np.int64]
    cut_tokens: NDArray[np.int64]
    instruction: str
    template: RerankTemplate
    provenance: Provenance


class Reranker:
    """A reranker that judges documents by a query and an instruction.

    Args:
        loaded: A model loaded as ``"reranker"``.
        cache: Where finished scores are kept; a new one when None.
        max_length: Longest prompt in tokens; 8,192 as on the model card, or the model's own context when that is
            shorter.
    """

    def __init__(
        self, loaded: LoadedModel, cache: VectorCache | None = None, max_length: int = DEFAULT_MAX_LENGTH
    ) -> None:
        """Wrap a loaded model."""
        if loaded.head is None:
            raise ModelLoadError("models.family_not_reranker", folder=loaded.provenance.model)
        head = loaded.head
        self._loaded = loaded
        self._runner = Runner(loaded, lambda states: _log_odds(states, head), cache)
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
        sequences = self._tokens(query, documents, instruction, template)
        tokens = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
        cut_tokens = np.array([len(sequence.cut_ids) for sequence in sequences], dtype=np.int64)
        done = 0
        for indices, rows in self._runner.run([sequence.ids for sequence in sequences], cancel):
            done += len(indices)
            log_odds = rows[:, 0]
            yield ScoredBatch(
                done=done,
                total=len(documents),
                indices=indices,
                log_odds=log_odds,
                probability=logistic(log_odds),
                tokens=tokens[indices],
                cut_tokens=cut_tokens[indices],
            )

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


def collect_scores(
    batches: Sequence[ScoredBatch],
    count: int,
    instruction: str,
    template: RerankTemplate,
    provenance: Provenance,
) -> RerankScores:
    """Put the batches of a stream together, in the order of the documents.

    Args:
        batches: All batches of one :meth:`Reranker.stream`, in any order.
        count: Documents in all.
        instruction: The task that was used.
        template: Which official prompt was used.
        provenance: The reranker's.

    Returns:
        The scores, [count] each.
    """
    log_odds, probability = np.zeros(count, dtype=np.float32), np.zeros(count, dtype=np.float32)
    tokens, cut_tokens = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    for batch in batches:
        log_odds[batch.indices] = batch.log_odds
        probability[batch.indices] = batch.probability
        tokens[batch.indices] = batch.tokens
        cut_tokens[batch.indices] = batch.cut_tokens
    return RerankScores(log_odds, probability, tokens, cut_tokens, instruction, template, provenance)


def logistic(log_odds: Scores) -> Scores:
    """Turn log-odds into probabilities without overflow.

    Args:
        log_odds: float32 [n].

    Returns:
        float32 [n], 1 / (1 + exp(-x)).
    """
    small = np.exp(-np.abs(log_odds.astype(np.float64)))
    return np.where(log_odds >= 0, 1 / (1 + small), small / (1 + small)).astype(np.float32)


def load_reranker(
    model: str = "bundled",
    device: str = "auto",
    dtype: str = "auto",
    *,
    offline: bool = False,
    progress: LoadProgress | None = None,
    cancel: CancelToken | None = None,
) -> Reranker:
    """Load a reranker.

    Args:
        model: ``"bundled"``, a published size or name (``"0.6B"``, ``"Qwen/Qwen3-Reranker-4B"``), a local folder or a
            hub repository of the same architecture, also a sequence-classification conversion.
        device: ``"auto"``, ``"cpu"``, ``"mps"``, ``"cuda"`` or ``"cuda:N"``.
        dtype: ``"auto"`` (bfloat16 on CUDA, float32 elsewhere), ``"float32"`` or ``"bfloat16"``.
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
    return Reranker(
        load_model(model, "reranker", device, dtype, offline=offline, progress=progress, cancel=cancel)
    )


def _chosen(instruction: str | None) -> str:
    """Fill in the default instruction."""
    return DEFAULT_INSTRUCTION if instruction is None else instruction


def _log_odds(states: torch.Tensor, head: torch.Tensor) -> torch.Tensor:
    """Compute logit(yes) - logit(no) in float32, [n, 1]."""
    logits = states @ head.T
    return logits[:, 1:] - logits[:, :1]

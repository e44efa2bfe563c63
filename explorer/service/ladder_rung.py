"""One rung of the size ladder: what one model answers, how long it takes and how much memory."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Never

import numpy as np
import numpy.typing as npt

from explorer.analysis.ranking import ranks
from explorer.analysis.similarity import cosine_matrix
from explorer.engine.embedder import Embedder
from explorer.engine.prompts import RerankTemplate
from explorer.engine.reranker import Reranker
from explorer.engine.store.cache import VectorCache
from explorer.models.loading import LoadedModel
from explorer.models.working_memory import WorkingMemory
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service.embedding import Side, cut_notices

TIMED_RUNS = 3
TIMED_SECONDS = 3.0
"""Runs are repeated until there are so many, or so much time has passed."""

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Question:
    """What every model is asked.

    Attributes:
        query: The query as used.
        documents: The documents as used, n of them.
        instruction: What counts as relevant.
        template: Which official prompt a reranker reads.
    """

    query: str
    documents: tuple[str, ...]
    instruction: str
    template: RerankTemplate


@dataclass(frozen=True)
class Rung:
    """What one model answered, and what that took.

    Attributes:
        source: The model as it was asked for.
        provenance: The model as it ran.
        scores: Log-odds of a reranker, cosines of an embedding model, float32 [n].
        ranks: Rank of each document, from 1, int32 [n].
        milliseconds: Time for the query and all documents together, median of the runs after the first.
        runs: How many were timed.
        weight_bytes: Memory of the weights.
        working_bytes: Most memory that the first run took beside the weights.
    """

    source: str
    provenance: Provenance
    scores: Scores
    ranks: npt.NDArray[np.int32]
    milliseconds: float
    runs: int
    weight_bytes: int
    working_bytes: int

    @property
    def peak_bytes(self) -> int:
        """Weights and working memory together."""
        return self.weight_bytes + self.working_bytes


def climb(
    name: str, loaded: LoadedModel, question: Question
) -> Generator[Progress[Never], None, tuple[Rung, tuple[Notice, ...]]]:
    """Ask one model once for its scores and memory, then again for its time.

    Args:
        name: The model as it was asked for.
        loaded: The model.
        question: What it is asked.

    Yields:
        Documents done.

    Returns:
        The rung, and notices about what the model could not read to the end.

    Raises:
        ExplorerError: A text alone does not fit the device, or the numbers are not finite.
    """
    with WorkingMemory(loaded.device) as working:
        answer, _ = yield from _answer(loaded, question, "size_ladder.stage_first")
    seconds: list[float] = []
    while len(seconds) < TIMED_RUNS and sum(seconds) < TIMED_SECONDS:
        _, took = yield from _answer(loaded, question, "size_ladder.stage_timing")
        seconds.append(took)
    rung = Rung(
        source=name,
        provenance=answer.provenance,
        scores=answer.scores,
        ranks=ranks(answer.scores),
        milliseconds=1000 * median(seconds),
        runs=len(seconds),
        weight_bytes=loaded.weight_bytes,
        working_bytes=working.bytes,
    )
    cuts = (cut_notices(cut, side, answer.provenance) for side, cut in answer.cut_tokens.items())
    return rung, tuple(notice for cut in cuts for notice in cut)


@dataclass(frozen=True)
class _Answer:
    """What a model gave in one run."""

    scores: Scores
    provenance: Provenance
    cut_tokens: dict[Side, npt.NDArray[np.int64]]


def _answer(
    loaded: LoadedModel, question: Question, stage: str
) -> Generator[Progress[Never], None, tuple[_Answer, float]]:
    """Score all documents from scratch; only the time within the model counts, not that between steps."""
    count, seconds = len(question.documents), 0.0
    asking = _embedded(loaded, question) if loaded.head is None else _judged(loaded, question)
    while True:
        began = time.perf_counter()
        done = next(asking)
        seconds += time.perf_counter() - began
        if isinstance(done, _Answer):
            return done, seconds
        yield Progress(done, count, stage)


def _judged(loaded: LoadedModel, question: Question) -> Iterator[int | _Answer]:
    """Rerank without a cache; the answer comes last."""
    reranker, count = Reranker(loaded, VectorCache()), len(question.documents)
    scores, cut = np.zeros(count, np.float32), np.zeros(count, np.int64)
    for batch in reranker.stream(
        question.query, question.documents, question.instruction, template=question.template
    ):
        scores[batch.indices], cut[batch.indices] = batch.log_odds, batch.cut_tokens
        yield batch.done
    yield _Answer(scores, reranker.provenance, {"document": cut})


def _embedded(loaded: LoadedModel, question: Question) -> Iterator[int | _Answer]:
    """Embed without a cache; the answer comes last."""
    embedder, count = Embedder(loaded, VectorCache()), len(question.documents)
    query = embedder.embed(question.query, question.instruction)
    vectors, cut = np.zeros((count, embedder.dimensions), np.float32), np.zeros(count, np.int64)
    for batch in embedder.stream(question.documents):
        vectors[batch.indices], cut[batch.indices] = batch.vectors, batch.cut_tokens
        yield batch.done
    cosines = cosine_matrix(query.vectors, vectors)[0]
    yield _Answer(cosines, embedder.provenance, {"query": query.cut_tokens, "document": cut})

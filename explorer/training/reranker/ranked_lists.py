"""Lists that a reranker learns from: a query, the document that answers it, and several that do not.

A list is a pure function of (pairs, seed, step), so a run that is resumed at any step sees what it would have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.engine.embedder import Embedder
from explorer.engine.prompts import DEFAULT_INSTRUCTION
from explorer.engine.reranker import Reranker
from explorer.errors import InputError
from explorer.training.pairs.pair import TrainingPair
from explorer.training.quality.held_out import folded

COSINE_SCALE = 20.0
"""Factor that turns a teacher's cosines into scores for a softmax, one over sentence-transformers' temperature."""


@dataclass(frozen=True)
class RankedTexts:
    """One list.

    Attributes:
        instruction: The task.
        query: What is searched for.
        documents: The right one first.
    """

    instruction: str
    query: str
    documents: tuple[str, ...]


@dataclass(frozen=True)
class ListTeacher:
    """A model whose view of a list is learned.

    Attributes:
        name: Tells it from other teachers; a run goes on only with the same.
        score: Scores of a list's documents on the scale of log-odds, [documents].
    """

    name: str
    score: Callable[[RankedTexts], NDArray[np.float32]]


def reranker_teacher(reranker: Reranker) -> ListTeacher:
    """Learn from a reranker's log-odds.

    Args:
        reranker: A larger model.

    Returns:
        The teacher.
    """

    def score(one: RankedTexts) -> NDArray[np.float32]:
        return reranker.score(one.query, one.documents, one.instruction).log_odds

    return ListTeacher(reranker.provenance.fingerprint, score)


def embedder_teacher(embedder: Embedder, scale: float = COSINE_SCALE) -> ListTeacher:
    """Learn from an embedding model's cosines.

    Args:
        embedder: The model.
        scale: Multiplies the cosines.

    Returns:
        The teacher.
    """

    def score(one: RankedTexts) -> NDArray[np.float32]:
        found = embedder.encode(one.documents) @ embedder.encode([one.query], one.instruction)[0]
        return np.asarray(found * scale, dtype=np.float32)

    return ListTeacher(f"{embedder.provenance.fingerprint} {scale}", score)


class ListOrder:
    """The endless sequence of lists, shuffled anew every epoch; graded pairs have no place in it.

    Args:
        pairs: What is learned from.
        negatives: Wrong documents a list. A pair's own hard negatives come first; where it has fewer, documents of
            other pairs are drawn.
        seed: Of all draws.

    Raises:
        InputError: There are fewer than two pairs that are not graded.
    """

    def __init__(self, pairs: Sequence[TrainingPair], negatives: int, seed: int) -> None:
        """Note which documents answer which query."""
        self._pairs = [pair for pair in pairs if pair.score is None]
        if len(self._pairs) < 2:
            raise InputError("trainer.too_few_pairs", count=len(pairs))
        self._negatives, self._seed = negatives, seed
        self._documents = list(dict.fromkeys(pair.document for pair in self._pairs))
        self._answers: dict[str, set[str]] = {}
        for pair in self._pairs:
            self._answers.setdefault(folded(pair.query), set()).add(folded(pair.document))
        self._epoch: tuple[int, NDArray[np.int64]] = (-1, np.zeros(0, dtype=np.int64))

    def at(self, step: int, size: int) -> list[RankedTexts]:
        """Make the lists of one step.

        Args:
            step: Counted from 0.
            size: Lists a step.

        Returns:
            The lists; every pair comes once before any comes again.
        """
        return [self._list(number) for number in range(step * size, (step + 1) * size)]

    def _list(self, number: int) -> RankedTexts:
        epoch, position = divmod(number, len(self._pairs))
        if self._epoch[0] != epoch:
            order = np.random.default_rng([self._seed, epoch]).permutation(len(self._pairs))
            self._epoch = (epoch, order)
        pair = self._pairs[self._epoch[1][position]]
        rng = np.random.default_rng([self._seed, epoch, position])
        own = [text for text in dict.fromkeys(pair.negatives) if folded(text) not in self._barred(pair)]
        picked = [own[index] for index in rng.permutation(len(own))[: self._negatives]]
        documents = (pair.document, *picked, *self._others(pair, picked, rng))
        return RankedTexts(pair.instruction or DEFAULT_INSTRUCTION, pair.query, documents)

    def _others(self, pair: TrainingPair, picked: Sequence[str], rng: np.random.Generator) -> list[str]:
        """Draw documents of other pairs to fill a list."""
        wanted = self._negatives - len(picked)
        barred = self._barred(pair) | {folded(text) for text in picked}
        # More than enough to find so many beside those that must not be taken, without shuffling all documents.
        count = min(len(self._documents), wanted + len(barred)) if wanted > 0 else 0
        drawn = [self._documents[index] for index in rng.choice(len(self._documents), count, replace=False)]
        return [text for text in drawn if folded(text) not in barred][:wanted]

    def _barred(self, pair: TrainingPair) -> set[str]:
        return self._answers[folded(pair.query)]

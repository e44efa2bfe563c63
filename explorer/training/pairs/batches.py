"""Which pairs are learned from together.

A batch is a pure function of (pairs, size, seed, step), so a run that is resumed at any step sees what it would have
seen. A batch holds either positives (retrieval, bitext, classification) for the contrastive loss, or graded pairs for
the ordering loss: contrasting pairs that are somewhat similar would be wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.training.pairs.pair import TrainingPair

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Text:
    """One input of the model.

    Attributes:
        text: As it stands in the pair.
        instruction: The task of a query, or None for documents and raw queries.
    """

    text: str
    instruction: str | None = None


@dataclass(frozen=True)
class Batch:
    """Pairs that are learned from together; every different text is listed, and computed, once.

    Attributes:
        texts: What the model reads.
        queries: Row in ``texts`` of each pair's query, int64 [b].
        documents: Row in ``texts`` of each pair's document, int64 [b].
        negatives: Rows in ``texts`` of each pair's hard negatives, int64 [b, k]; -1 where it has fewer.
        groups: int64 [b]; pairs that share a document or a query carry the same number and are never each other's
            negatives.
        scores: Graded similarities, float64 [b], or None for positives.
    """

    texts: tuple[Text, ...]
    queries: IntArray
    documents: IntArray
    negatives: IntArray
    groups: IntArray
    scores: NDArray[np.float64] | None


class BatchOrder:
    """The endless sequence of batches, shuffled anew every epoch.

    Args:
        pairs: What is learned from.
        size: Pairs a batch.
        seed: Of the order.

    Raises:
        InputError: Neither kind has two pairs.
    """

    def __init__(self, pairs: Sequence[TrainingPair], size: int, seed: int) -> None:
        """Part the graded pairs from the positives."""
        self._pairs = pairs
        self._size = size
        self._seed = seed
        graded = np.array([is_graded(pair) for pair in pairs], dtype=bool)
        found = [np.flatnonzero(graded == kind) for kind in (False, True)]
        self._kinds = [rows for rows in found if len(rows) > 1]
        if not self._kinds:
            raise InputError("trainer.too_few_pairs", count=len(pairs))
        self.per_epoch = sum(max(1, len(rows) // size) for rows in self._kinds)
        self._epoch: tuple[int, list[IntArray]] = (-1, [])

    def at(self, step: int) -> Batch:
        """Make the batch of one step.

        Args:
            step: Counted from 0.

        Returns:
            The batch; within an epoch no pair comes twice, and what does not fill a batch is left out.
        """
        epoch, position = divmod(step, self.per_epoch)
        if self._epoch[0] != epoch:
            self._epoch = (epoch, self._shuffled(epoch))
        return make_batch([self._pairs[row] for row in self._epoch[1][position]])

    def _shuffled(self, epoch: int) -> list[IntArray]:
        generator = np.random.default_rng([self._seed, epoch])
        batches = []
        for rows in self._kinds:
            order = generator.permutation(rows)
            whole = max(1, len(rows) // self._size)
            batches += [order[first * self._size : (first + 1) * self._size] for first in range(whole)]
        return [batches[index] for index in generator.permutation(len(batches))]


def is_graded(pair: TrainingPair) -> bool:
    """Tell whether a pair carries a graded similarity rather than being a positive."""
    return pair.kind == "similarity" and pair.score is not None


def make_batch(pairs: Sequence[TrainingPair]) -> Batch:
    """Lay pairs out as texts and rows.

    Args:
        pairs: All graded, or none.

    Returns:
        The batch. A hard negative that is the pair's own document is dropped.
    """
    rows: dict[Text, int] = {}

    def row(text: str, instruction: str | None = None) -> int:
        return rows.setdefault(Text(text, instruction), len(rows))

    queries = [row(pair.query, pair.instruction or None) for pair in pairs]
    documents = [row(pair.document) for pair in pairs]
    hard = [[row(text) for text in pair.negatives if text != pair.document] for pair in pairs]
    negatives = np.full((len(pairs), max(map(len, hard))), -1, dtype=np.int64)
    for index, found in enumerate(hard):
        negatives[index, : len(found)] = found
    graded = [pair.score for pair in pairs if is_graded(pair)]
    return Batch(
        tuple(rows),
        np.array(queries, dtype=np.int64),
        np.array(documents, dtype=np.int64),
        negatives,
        _groups(pairs),
        np.array(graded, dtype=np.float64) if graded else None,
    )


def _groups(pairs: Sequence[TrainingPair]) -> IntArray:
    """Number the pairs so that those which share a document or a query, even through others, share a number."""
    leader = list(range(len(pairs)))

    def find(index: int) -> int:
        while leader[index] != index:
            index = leader[index]
        return index

    first: dict[tuple[str, str], int] = {}
    for index, pair in enumerate(pairs):
        for key in (("document", pair.document), ("query", pair.query)):
            other = find(first.setdefault(key, index))
            leader[max(other, find(index))] = min(other, find(index))
    return np.array([find(index) for index in range(len(pairs))], dtype=np.int64)

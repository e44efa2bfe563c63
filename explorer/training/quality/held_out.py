"""Texts that no training sees, so that quality can be measured on them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from explorer.engine.prompts import DEFAULT_INSTRUCTION
from explorer.errors import InputError
from explorer.training.pairs.files import read_records
from explorer.training.pairs.pair import TrainingPair


@dataclass(frozen=True)
class RetrievalItem:
    """A query and what answers it.

    Attributes:
        query: What is searched for, without its instruction.
        judged: Documents with their grades, above 0 for an answer; all others count as 0.
        instruction: Task of the query; empty where it stands raw.
    """

    query: str
    judged: tuple[tuple[str, float], ...]
    instruction: str = DEFAULT_INSTRUCTION


@dataclass(frozen=True)
class HeldOut:
    """What quality is measured on.

    Attributes:
        similarity: Two texts, neither with an instruction, and how alike people hold them to be.
        retrieval: Queries with their answers.
        others: Further documents that are searched beside the answers.
    """

    similarity: tuple[tuple[str, str, float], ...] = ()
    retrieval: tuple[RetrievalItem, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def documents(self) -> tuple[str, ...]:
        """Every distinct document that is searched, in a fixed order."""
        judged = (text for item in self.retrieval for text, _ in item.judged)
        return tuple(dict.fromkeys((*judged, *self.others)))


def folded(text: str) -> str:
    """Bring a text into the form in which duplicates are equal: one space between words, no capitals."""
    return " ".join(text.split()).casefold()


def read_passages(path: Path, question: str = "question") -> HeldOut | None:
    """Read questions with the paragraphs that answer them.

    Args:
        path: JSON Lines with the fields ``paragraph`` and at least one question.
        question: Name of the question's field.

    Returns:
        Every question over all paragraphs; None when the first line has no paragraph, as in a file of pairs.

    Raises:
        InputError: A later line lacks a field; the message names the line.
    """
    items: list[RetrievalItem] = []
    for record in read_records(path):
        if not items and "paragraph" not in record.fields:
            return None
        items.append(RetrievalItem(record.text(question), ((record.text("paragraph"), 1.0),)))
    return HeldOut(retrieval=tuple(items))


def hold_out(
    pairs: Sequence[TrainingPair], share: float = 0.1, seed: int = 0, most: int = 200
) -> tuple[list[TrainingPair], HeldOut]:
    """Split pairs so that nothing leaks.

    Pairs that share a text, directly or through other pairs, go to the same side together; a training pair also
    loses those of its negatives that were held out.

    Args:
        pairs: All pairs.
        share: Share of the pairs to hold out, from 0 to 1.
        seed: Draws which.
        most: Pairs held out at most.

    Returns:
        Pairs to train on, in their order, and what was held out. A set of texts that all hang together is trained
        on as a whole, and nothing is held out.

    Raises:
        InputError: ``share`` does not lie between 0 and 1.
    """
    if not 0 <= share <= 1:
        raise InputError("merging.share_out_of_range", share=share)
    groups = _connected(pairs)
    random.Random(seed).shuffle(groups)
    wanted = min(most, round(share * len(pairs)))
    held: set[int] = set()
    for group in groups:
        # A group of many pairs is passed over rather than taken whole far beyond what was asked for.
        if len(held) + len(group) <= wanted:
            held.update(group)
    hidden = {text for index in held for text in _sides(pairs[index])}
    kept = [
        replace(pair, negatives=tuple(text for text in pair.negatives if folded(text) not in hidden))
        for index, pair in enumerate(pairs)
        if index not in held
    ]
    return kept, _held_out([pairs[index] for index in sorted(held)])


def without(pairs: Sequence[TrainingPair], held_out: HeldOut) -> list[TrainingPair]:
    """Leave out every pair that holds a held-out text.

    Args:
        pairs: Pairs of another source than the held-out texts.
        held_out: What is measured on.

    Returns:
        The other pairs, without negatives that were held out; texts that are only searched beside the answers may stay.
    """
    hidden = {folded(text) for first, second, _ in held_out.similarity for text in (first, second)}
    for item in held_out.retrieval:
        hidden |= {folded(item.query), *(folded(text) for text, _ in item.judged)}
    return [
        replace(pair, negatives=tuple(text for text in pair.negatives if folded(text) not in hidden))
        for pair in pairs
        if hidden.isdisjoint(_sides(pair))
    ]


def _held_out(pairs: Sequence[TrainingPair]) -> HeldOut:
    """Turn pairs into what is measured: graded ones for similarity, all others for retrieval."""
    graded = tuple((pair.query, pair.document, pair.score) for pair in pairs if pair.score is not None)
    answers: dict[tuple[str, str], dict[str, float]] = {}
    for pair in pairs:
        if pair.score is None:
            answers.setdefault((pair.query, pair.instruction), {})[pair.document] = 1.0
    items = tuple(
        RetrievalItem(query, tuple(judged.items()), instruction)
        for (query, instruction), judged in answers.items()
    )
    return HeldOut(graded, items)


def _connected(pairs: Sequence[TrainingPair]) -> list[list[int]]:
    """Group pairs that share texts, by union-find over their folded sides."""
    parents: dict[str, str] = {}

    def root(text: str) -> str:
        while parents.setdefault(text, text) != text:
            parents[text] = text = parents[parents[text]]
        return text

    for pair in pairs:
        query, document = _sides(pair)
        parents[root(query)] = root(document)
    groups: dict[str, list[int]] = {}
    for index, pair in enumerate(pairs):
        groups.setdefault(root(folded(pair.document)), []).append(index)
    return list(groups.values())


def _sides(pair: TrainingPair) -> Iterator[str]:
    yield folded(pair.query)
    yield folded(pair.document)

"""Texts that answer each other: what a reranker is trained on.

An :class:`Item` says that some queries, or any question about a statement, are answered by some documents. Items of
one :class:`Source` serve as each other's wrong answers, except within a group (one intent, one article, one package
family), where that would not be certain.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from explorer.engine.prompts import DEFAULT_INSTRUCTION

OFFICIAL_INSTRUCTIONS = (
    DEFAULT_INSTRUCTION,
    "Given the user query, retrieval the relevant passages",
    "Retrieval document that can answer user's query",
)
SEARCH_INSTRUCTIONS = (
    *OFFICIAL_INSTRUCTIONS,
    *OFFICIAL_INSTRUCTIONS,
    DEFAULT_INSTRUCTION,
    "Given a question, retrieve passages that answer it",
    "Find the paragraph that answers the question",
    "Retrieve text that helps to answer the user's question",
    "Given a query, find documents about it",
)


@dataclass(frozen=True)
class Item:
    """One thing that can be asked for.

    Attributes:
        group: Items of the same group are never each other's wrong answers.
        documents: Texts, each of which is a right answer.
        queries: Ready-made queries; may be empty.
        statement: A sentence that questions are made from by rule; may be empty.
        decoys: Texts that are known to be wrong answers.
    """

    group: str
    documents: tuple[str, ...]
    queries: tuple[str, ...] = ()
    statement: str = ""
    decoys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """Items of one origin.

    Attributes:
        name: Short name, as in the reports.
        items: All items.
        instructions: One of them is drawn for each query.
        weight: Relative frequency in training.
        padded: Whether single sentences are set among others to make a paragraph.
        mirrored: Whether a text of the item may be query or document alike.
    """

    name: str
    items: tuple[Item, ...]
    instructions: tuple[str, ...] = SEARCH_INSTRUCTIONS
    weight: float = 1.0
    padded: bool = False
    mirrored: bool = False


def held_to(source: Source, most: int, seed: int = 0) -> Source:
    """Keep at most so many items of a source, drawn at random."""
    if len(source.items) <= most:
        return source
    return replace(source, items=tuple(random.Random(seed).sample(source.items, most)))


def split_held_out(source: Source, every: int = 25) -> tuple[Source, Source]:
    """Set aside whole groups of a source for checking.

    Args:
        source: All items.
        every: One group in this many is held out; none of a source with too few groups to rank ten.

    Returns:
        The source to train on and the source to check on, without a common group.
    """
    groups = sorted({item.group for item in source.items})
    held = set(groups[::every]) if len(groups) > 10 * every else set()
    kept = tuple(item for item in source.items if item.group not in held)
    checked = tuple(item for item in source.items if item.group in held)
    return replace(source, items=kept), replace(source, items=checked)

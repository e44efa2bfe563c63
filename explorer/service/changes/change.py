"""What a change is: which text of a pair it touches, where, and what stands there afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

Place = Literal["document", "query", "instruction"]
PLACES: tuple[Place, ...] = get_args(Place)

Kind = Literal["negate", "number", "name", "sentence", "translate"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class PairVersion:
    """One wording of a pair and its instruction.

    Attributes:
        query: What is looked for.
        document: What is judged.
        instruction: What counts as relevant; empty for the model card's default.
    """

    query: str
    document: str
    instruction: str

    def text(self, place: Place) -> str:
        """Give one of the three texts.

        Args:
            place: Which.
        """
        texts = {"document": self.document, "query": self.query, "instruction": self.instruction}
        return texts[place]

    def with_text(self, place: Place, text: str) -> PairVersion:
        """Put another text in one place.

        Args:
            place: Which text.
            text: What stands there now.
        """
        if place == "document":
            return replace(self, document=text)
        return replace(self, query=text) if place == "query" else replace(self, instruction=text)


@dataclass(frozen=True)
class Edit:
    """A span of a text and what takes its place.

    Attributes:
        start: First character.
        end: Character after the last; ``start`` for an insertion.
        replacement: The new words; empty when the span is dropped.
    """

    start: int
    end: int
    replacement: str

    def apply(self, text: str) -> str:
        """Give the text with the span replaced.

        Args:
            text: The text that the span points into.
        """
        return text[: self.start] + self.replacement + text[self.end :]


@dataclass(frozen=True)
class Change:
    """One change of a pair.

    Attributes:
        kind: Which rule made it.
        place: Which text it touches.
        before: The words that were there; empty for an insertion.
        after: The words that are there now; empty for an omission.
        version: The pair after the change.
    """

    kind: Kind
    place: Place
    before: str
    after: str
    version: PairVersion


Rule = Callable[[str], Iterator[Edit]]
"""Gives every edit of one kind that a text allows, in reading order."""

"""What a run of synthesis is asked for."""

from __future__ import annotations

import random
from dataclasses import dataclass

from explorer.errors import InputError
from explorer.training.pairs.pair import KINDS, PairKind, checked_language


@dataclass(frozen=True)
class SynthesisPlan:
    """How many pairs of which kinds are made of each document.

    Attributes:
        kinds: Kinds of pairs.
        pairs_per_document: Pairs of each kind that are asked for; rules may find fewer.
        language: BCP 47 tag in which a language model writes; empty for the document's own.
        translation_language: BCP 47 tag that bitext is translated into; documents in it are put into English, or
            English ones into Chinese.
        shortest: Fewest words that a query, label or sentence is asked to have.
        most_words: Most words of the same.
        documents_at_once: Documents whose prompts are answered together.
        longest_answer: Most tokens of an answer.
        seed: Of all draws.
    """

    kinds: tuple[PairKind, ...] = ("retrieval",)
    pairs_per_document: int = 1
    language: str = ""
    translation_language: str = "zh"
    shortest: int = 4
    most_words: int = 16
    documents_at_once: int = 8
    longest_answer: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a plan that cannot be carried out.

        Raises:
            InputError: A kind or a language is unknown, or a number is out of range.
        """
        if not self.kinds or any(kind not in KINDS for kind in self.kinds):
            raise InputError("pairs.plan_kinds", kinds=", ".join(self.kinds)[:80], known=", ".join(KINDS))
        counts = (self.pairs_per_document, self.shortest, self.documents_at_once, self.longest_answer)
        if min(counts) < 1 or self.most_words < self.shortest:
            raise InputError("pairs.plan_numbers")
        for tag in (self.language or "en", self.translation_language):
            checked_language(tag)

    def draw(self, *names: object) -> random.Random:
        """Give a source of randomness that depends on the seed and a place only, not on what ran before.

        Args:
            *names: The place, for instance a kind and the number of a document.

        Returns:
            A fresh generator.
        """
        return random.Random("/".join(map(str, (self.seed, *names))))

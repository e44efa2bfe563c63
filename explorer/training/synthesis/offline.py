"""Pairs made by rule, so that the pipeline runs where there is no language model."""

from __future__ import annotations

import random
from collections.abc import Iterator

from explorer.errors import InputError
from explorer.progress import CancelToken
from explorer.training.pairs.pair import PairKind, PairProvenance, TrainingPair
from explorer.training.sources.lexicon import Lexicon
from explorer.training.synthesis.documents import Batch, SourceDocument
from explorer.training.synthesis.paraphrases import SIMILARITY_RULES
from explorer.training.synthesis.plan import SynthesisPlan
from explorer.training.synthesis.rules import RETRIEVAL_RULES

LABEL_INSTRUCTION = "Given a text, retrieve the label that describes it"

_WRONG_LABELS = 4


class OfflineGenerator:
    """Makes retrieval, similarity and classification pairs of what the documents themselves say.

    Args:
        lexicon: Where other words for a word come from; without one, wording stays the document's own.
    """

    def __init__(self, lexicon: Lexicon | None = None) -> None:
        """Keep the lexicon."""
        self._lexicon = lexicon or Lexicon({}, {})

    def make(
        self, batch: Batch, kind: PairKind, plan: SynthesisPlan, cancel: CancelToken
    ) -> list[TrainingPair]:
        """Make pairs of one kind from a few documents.

        Args:
            batch: The documents.
            kind: The kind of pair.
            plan: What is wanted.
            cancel: Stops between two documents.

        Returns:
            At most ``plan.pairs_per_document`` pairs of each document.

        Raises:
            InputError: No rule can translate.
            Cancelled: The person asked to stop.
        """
        if kind == "bitext":
            raise InputError("pairs.offline_bitext")
        made: list[TrainingPair] = []
        for offset, document in enumerate(batch.documents):
            cancel.raise_if_cancelled()
            draw = plan.draw(kind, batch.first + offset)
            if kind == "classification":
                found = _labelled(document, batch.labels, draw)
            else:
                found = self._in_turn(document, kind, draw)
            made.extend(pair for pair, _ in zip(found, range(plan.pairs_per_document), strict=False))
        return made

    def _in_turn(
        self, document: SourceDocument, kind: PairKind, draw: random.Random
    ) -> Iterator[TrainingPair]:
        """Give one pair of each rule, then the second of each, and so on, none of them twice."""
        rules = list(RETRIEVAL_RULES if kind == "retrieval" else SIMILARITY_RULES)
        draw.shuffle(rules)
        sources = [rule(document, draw, self._lexicon) for rule in rules]
        given: set[tuple[str, str]] = set()
        while sources:
            for source in list(sources):
                pair = next(source, None)
                if pair is None:
                    sources.remove(source)
                    continue
                sides = (pair.query.strip(), pair.document.strip())
                if all(sides) and sides[0] != sides[1] and sides not in given:
                    given.add(sides)
                    yield pair


def _labelled(
    document: SourceDocument, labels: tuple[str, ...], draw: random.Random
) -> Iterator[TrainingPair]:
    """Set a text beside its label, with labels of other documents as wrong ones."""
    others = [label for label in labels if label != document.label]
    if document.label and others:
        wrong = tuple(draw.sample(others, min(_WRONG_LABELS, len(others))))
        made = PairProvenance("offline", source="text to label")
        yield TrainingPair(
            document.text,
            document.label,
            "classification",
            LABEL_INSTRUCTION,
            wrong,
            language=document.language,
            provenance=made,
        )

"""Pairs written by a language model, in the report's two steps."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from explorer.engine.embedder import Embedder
from explorer.progress import CancelToken
from explorer.training.pairs.pair import PairKind, PairProvenance, TrainingPair
from explorer.training.synthesis.answers import json_object
from explorer.training.synthesis.configuration import configuration_prompt, read_configuration
from explorer.training.synthesis.documents import Batch, SourceDocument
from explorer.training.synthesis.drafts import (
    Draft,
    Order,
    bitext,
    classification,
    retrieval,
    similarity,
)
from explorer.training.synthesis.generator import TextGenerator
from explorer.training.synthesis.personas import candidates
from explorer.training.synthesis.plan import SynthesisPlan

_CONFIGURATION_TOKENS = 96


class PromptedPairs:
    """Asks a language model for pairs.

    Args:
        generator: The model.
        embedder: Retrieves personas for each document; None to draw them by the seed.
    """

    def __init__(self, generator: TextGenerator, embedder: Embedder | None = None) -> None:
        """Keep the models."""
        self._generator = generator
        self._embedder = embedder

    def make(
        self, batch: Batch, kind: PairKind, plan: SynthesisPlan, cancel: CancelToken
    ) -> list[TrainingPair]:
        """Make pairs of one kind from a few documents.

        Args:
            batch: The documents.
            kind: The kind of pair.
            plan: What is wanted.
            cancel: Stops between the two steps.

        Returns:
            One pair for every answer that could be used.

        Raises:
            InputError: The server cannot be reached, or a prompt does not fit the model.
            OutOfMemoryError: One prompt alone does not fit the device.
            Cancelled: The person asked to stop.
        """
        orders = [
            self._order(document, plan, plan.draw(kind, batch.first + offset, turn))
            for offset, document in enumerate(batch.documents)
            for turn in range(plan.pairs_per_document)
        ]
        seed = plan.draw(kind, batch.first).randrange(2**31)
        drafts = self._drafts(orders, kind, seed, cancel)
        cancel.raise_if_cancelled()
        prompts = [draft.prompt for draft in drafts]
        answers = self._generator.generate(prompts, plan.longest_answer, seed + 1)
        finished = (draft.finish(json_object(answer)) for draft, answer in zip(drafts, answers, strict=True))
        return [self._signed(pair, draft) for pair, draft in zip(finished, drafts, strict=True) if pair]

    def _order(self, document: SourceDocument, plan: SynthesisPlan, draw: random.Random) -> Order:
        words = draw.randint(plan.shortest, plan.most_words)
        return Order(document, plan.language or document.language, words, draw, plan)

    def _drafts(self, orders: Sequence[Order], kind: PairKind, seed: int, cancel: CancelToken) -> list[Draft]:
        if kind != "retrieval":
            write = {"bitext": bitext, "classification": classification, "similarity": similarity}[kind]
            return [write(order) for order in orders]
        draws = [order.draw for order in orders]
        personas = candidates([order.document for order in orders], draws, self._embedder, cancel)
        prompts = [
            configuration_prompt(order.passage, known) for order, known in zip(orders, personas, strict=True)
        ]
        answers = self._generator.generate(prompts, _CONFIGURATION_TOKENS, seed)
        return [
            retrieval(order, read_configuration(answer, known, order.draw))
            for order, known, answer in zip(orders, personas, answers, strict=True)
        ]

    def _signed(self, pair: TrainingPair, draft: Draft) -> TrainingPair:
        """Write on a pair who made it and what was asked for."""
        made = PairProvenance(self._generator.kind, self._generator.model, pair.kind, draft.settings)
        return replace(pair, provenance=made)

"""The second of the report's two steps: for each kind of pair, what a model is asked and how its answer is read."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from explorer.training.pairs.pair import TrainingPair
from explorer.training.synthesis import templates
from explorer.training.synthesis.answers import text_field, text_fields
from explorer.training.synthesis.configuration import Configuration
from explorer.training.synthesis.documents import SourceDocument
from explorer.training.synthesis.plan import SynthesisPlan
from explorer.training.synthesis.sentences import sentences, size, whole_sentences
from explorer.training.synthesis.templates import language_name, length_in

PASSAGE_CHARACTERS = 4_000
"""A model is shown this much of a document; the pair keeps all of it."""

BITEXT_INSTRUCTION = "Retrieve parallel sentences"
"""As the official evaluation code has it."""

WRONG_LABELS = 3
"""How many wrong labels a model is asked for."""

_QUOTED_WORDS = 5
"""A query may use a phrase of its document, but not copy a stretch longer than this."""

Answer = dict[str, object]
Settings = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Draft:
    """A pair that waits for the model's words.

    Attributes:
        prompt: What the model is asked.
        settings: What it was asked for, as provenance keeps it.
        finish: Makes the pair of the answer's object; None when a side is missing.
    """

    prompt: str
    settings: Settings
    finish: Callable[[Answer], TrainingPair | None]


@dataclass(frozen=True)
class Order:
    """One pair that is wanted.

    Attributes:
        document: What it is made of.
        language: BCP 47 tag to write in.
        words: Length to write, in words.
        draw: Its own source of randomness.
        plan: The whole plan.
    """

    document: SourceDocument
    language: str
    words: int
    draw: random.Random
    plan: SynthesisPlan

    @property
    def passage(self) -> str:
        """As much of the document as the model is shown."""
        return self.document.text.strip()[:PASSAGE_CHARACTERS]

    @property
    def length(self) -> str:
        """The length as the model is told it."""
        return length_in(self.language, self.words)

    @property
    def translation_language(self) -> str:
        """The plan's language of translation, or English or Chinese for a document that is in it already."""
        wanted, own = (
            tag.split("-")[0].lower() for tag in (self.plan.translation_language, self.document.language)
        )
        if wanted != own:
            return self.plan.translation_language
        return "zh" if own == "en" else "en"

    def sentence(self) -> str:
        """Draw one of the document's sentences, a whole one of at least four words where there is any."""
        return self.draw.choice(whole_sentences(self.passage) or sentences(self.passage))


def retrieval(order: Order, configuration: Configuration) -> Draft:
    """Ask for a query that the document answers."""
    question_type, difficulty = configuration.question_type, configuration.difficulty
    settings = (
        ("persona", configuration.persona),
        ("question type", question_type),
        ("difficulty", difficulty),
        ("chosen by", configuration.chosen_by),
        ("language", order.language),
        ("length", order.length),
    )
    prompt = templates.RETRIEVAL.format(
        character=configuration.persona,
        question_type=question_type.replace("_", " "),
        question_type_meaning=templates.QUESTION_TYPES[question_type],
        difficulty=difficulty.replace("_", " "),
        difficulty_meaning=templates.DIFFICULTIES[difficulty],
        language=language_name(order.language),
        length=order.length,
        passage=order.passage,
    )

    def finish(answer: Answer) -> TrainingPair | None:
        query = text_field(answer, "query")
        copied = query in order.document.text and size(query) > _QUOTED_WORDS
        if not query or copied:
            return None
        return TrainingPair(query, order.document.text, language=order.language)

    return Draft(prompt, settings, finish)


def bitext(order: Order) -> Draft:
    """Ask for a translation of one sentence."""
    sentence = order.sentence()
    source, target = order.document.language, order.translation_language
    length = length_in(source, size(sentence))
    settings = (("language", source), ("translation language", target), ("length", length))
    prompt = templates.BITEXT.format(
        language=language_name(source),
        translation_language=language_name(target),
        length=length,
        passage=sentence,
    )

    def finish(answer: Answer) -> TrainingPair | None:
        translation = text_field(answer, "translation")
        if not translation or translation == sentence:
            return None
        return TrainingPair(sentence, translation, "bitext", BITEXT_INSTRUCTION, language=source)

    return Draft(prompt, settings, finish)


def classification(order: Order) -> Draft:
    """Ask for a label that fits the text, and for some that do not."""
    aspect = order.draw.choice(templates.ASPECTS)
    length = length_in(order.language, 4)
    settings = (("aspect", aspect), ("language", order.language), ("length", length))
    prompt = templates.CLASSIFICATION.format(
        aspect=aspect,
        wrong=WRONG_LABELS,
        language=language_name(order.language),
        length=length,
        passage=order.passage,
    )

    def finish(answer: Answer) -> TrainingPair | None:
        label = text_field(answer, "label")
        found = text_fields(answer, "wrong_labels")
        wrong = tuple(other for other in found if other.lower() != label.lower())
        if not label or not wrong:
            return None
        instruction = templates.CLASSIFICATION_INSTRUCTION.format(aspect=aspect)
        language = order.document.language
        return TrainingPair(
            order.document.text, label, "classification", instruction, wrong, language=language
        )

    return Draft(prompt, settings, finish)


def similarity(order: Order) -> Draft:
    """Ask for a sentence that is as similar as a drawn grade says."""
    sentence = order.sentence()
    score, meaning = order.draw.choice(templates.DEGREES)
    settings = (("degree", meaning), ("language", order.language), ("length", order.length))
    prompt = templates.SIMILARITY.format(
        language=language_name(order.language), length=order.length, degree=meaning, passage=sentence
    )

    def finish(answer: Answer) -> TrainingPair | None:
        other = text_field(answer, "sentence")
        if not other or other == sentence:
            return None
        language = order.document.language
        return TrainingPair(sentence, other, "similarity", "", score=score, language=language)

    return Draft(prompt, settings, finish)

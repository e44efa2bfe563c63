"""Queries and the documents that belong to them, for the contrastive part of the training.

Queries are written with an instruction, as the model will be asked; documents stand raw.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from explorer.training.distil.dictionaries import question_for, wordnet_senses
from explorer.training.distil.evaluate import INSTRUCTION, as_query
from explorer.training.distil.texts import (
    LANGUAGES,
    Text,
    chinese_passages,
    intent_rows,
    similarity_rows,
    split_sentences,
)
from explorer.training.sources.lexicon import Lexicon, read_lexicon
from explorer.training.sources.questions import question

QUESTION_TASKS = (
    INSTRUCTION,
    "Given a question, retrieve passages that answer the question",
    "Given a search query, retrieve relevant documents",
    "Find the paragraph that contains the answer",
)
SAME_MEANING_TASKS = (
    "Retrieve semantically similar text.",
    "Find sentences with the same meaning",
    INSTRUCTION,
)
INTENT_TASK = "Given a customer's question, retrieve questions that ask for the same thing"


@dataclass(frozen=True)
class Pair:
    """A query, the task it is asked with, and the document that answers it.

    Attributes:
        query: the query, bare.
        task: the task of its instruction.
        parts: the texts that the document consists of; its target is their mean.
        aim: the text whose target the query takes; the query itself where it has been read by the teachers.
    """

    query: str
    task: str
    parts: tuple[str, ...]
    aim: str

    @property
    def asked(self) -> str:
        """The query as the model reads it."""
        return as_query(self.query, self.task)

    @property
    def document(self) -> str:
        """The document as the model reads it."""
        return " ".join(self.parts)


def gather_pairs(data: Path, wordnet: Path, described: list[Text], seed: int = 0) -> list[Pair]:
    """Collect pairs from questions, translations, paraphrases, requests and descriptions."""
    pairs = [
        *_reading(data),
        *_translations(data),
        *_paraphrases(data),
        *_encyclopaedia(data, read_lexicon(wordnet), random.Random(seed)),
        *_requests(data, random.Random(seed)),
        *_definitions(wordnet),
        *_packages(described),
    ]
    random.Random(seed).shuffle(pairs)
    return pairs


def _pair(query: str, tasks: tuple[str, ...], document: str, turn: int) -> Pair:
    return Pair(query, tasks[turn % len(tasks)], (document,), query)


def _encyclopaedia(data: Path, lexicon: Lexicon, generator: random.Random) -> Iterator[Pair]:
    """Yield questions made by rule from one sentence of a passage of two to four; a question aims at its sentence."""
    sentences = [whole for whole, _, _ in split_sentences(data)]
    generator.shuffle(sentences)
    for turn in range(3):
        start = 0
        while start < len(sentences) - 4:
            count = generator.randint(2, 4)
            passage = tuple(sentences[start : start + count])
            start += count
            source = generator.choice(passage)
            asked = question(source, lexicon, generator)
            yield Pair(asked, QUESTION_TASKS[(start + turn) % len(QUESTION_TASKS)], passage, source)
        generator.shuffle(sentences)


def _reading(data: Path) -> Iterator[Pair]:
    """Yield Chinese questions with the part of their paragraph that the teachers read."""
    turn = 0
    for passage in chinese_passages(data)[0]:
        for asked in passage.questions:
            turn += 1
            yield _pair(asked, QUESTION_TASKS, passage.paragraph, turn)


def _translations(data: Path) -> Iterator[Pair]:
    """Yield English sentences with one translation each, and the other way round."""
    rows = {language: similarity_rows(data, language, "train") for language in LANGUAGES}
    for index, (first, second, _) in enumerate(rows["en"]):
        language = LANGUAGES[1 + index % 6]
        yield _pair(first, SAME_MEANING_TASKS, rows[language][index][0], index)
        language = LANGUAGES[1 + (index + 3) % 6]
        yield _pair(rows[language][index][1], SAME_MEANING_TASKS, second, index)


def _paraphrases(data: Path) -> Iterator[Pair]:
    """Yield sentences with their split into two, and benchmark rows that people found equal in meaning."""
    for index, (whole, first, second) in enumerate(split_sentences(data)):
        if index % 2 == 0:
            yield _pair(first if index % 4 == 0 else second, SAME_MEANING_TASKS, whole, index)
    for language in LANGUAGES:
        for index, (one, two, score) in enumerate(similarity_rows(data, language, "train")):
            if score >= 4.0 and one != two:
                yield _pair(one, SAME_MEANING_TASKS, two, index)


def _requests(data: Path, generator: random.Random) -> Iterator[Pair]:
    """Yield requests with another request of the same intent."""
    groups: dict[str, list[str]] = {}
    for text, intent in intent_rows(data):
        groups.setdefault(intent, []).append(text)
    for members in groups.values():
        generator.shuffle(members)
        for one, two in zip(members[:40:2], members[1:40:2], strict=False):
            yield Pair(one, INTENT_TASK, (two,), one)


def _definitions(wordnet: Path) -> Iterator[Pair]:
    """Yield questions for a word with the word's definition, without the word itself."""
    for index, (words, definition, _) in enumerate(wordnet_senses(wordnet)):
        if index % 5 == 0 and len(definition) > 30:
            yield _pair(question_for(words[0], index // 5), QUESTION_TASKS, definition, index)


def _packages(described: list[Text]) -> Iterator[Pair]:
    """Yield an English description with its translation."""
    translated = [item for item in described if item.english and item.source == "debian"]
    for index, item in enumerate(translated):
        if index % 4 == 0 and item.english is not None:
            yield _pair(item.english, SAME_MEANING_TASKS, item.text, index)

"""Gather the texts from which the bundled embedding model learns.

Every text says its language and its source, and, where it is a translation, the English text that means the
same: the teacher's vector of the English text then draws all its translations to one place.
"""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("en", "zh", "de", "es", "fr", "ja", "ru")
HELD_OUT_PARAGRAPHS = 300
_SENTENCE_END = re.compile(r"(?<=[。！？!?])")


@dataclass(frozen=True)
class Text:
    """One text to learn from.

    Attributes:
        text: the text itself.
        language: one of ``LANGUAGES``.
        source: the collection it comes from.
        english: the English text of the same meaning, or None.
    """

    text: str
    language: str
    source: str
    english: str | None = None


@dataclass(frozen=True)
class Passage:
    """A paragraph with the questions that it answers."""

    paragraph: str
    questions: tuple[str, ...]


def similarity_rows(data: Path, language: str, split: str) -> list[tuple[str, str, float]]:
    """Read one language of the translated STS benchmark: sentence, sentence, score 0-5."""
    with (data / "stsb-multi-mt" / f"stsb-{language}-{split}.csv").open(encoding="utf-8", newline="") as file:
        return [(first, second, float(score)) for first, second, score in csv.reader(file)]


def similarity_texts(data: Path) -> Iterator[Text]:
    """Yield the STS benchmark's training sentences in every language, bound to their English originals."""
    english = similarity_rows(data, "en", "train")
    for language in LANGUAGES:
        for row, original in zip(similarity_rows(data, language, "train"), english, strict=True):
            for side in (0, 1):
                bound = None if language == "en" else str(original[side])
                yield Text(str(row[side]), language, "stsb-multi-mt", bound)


def split_sentences(data: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (sentence, first half, second half) of wiki-split in ordinary spelling."""
    for name in ("tune.tsv", "validation.tsv", "test.tsv"):
        for line in (data / "wiki-split" / name).read_text(encoding="utf-8").splitlines():
            whole, _, halves = line.partition("\t")
            first, _, second = halves.partition("<::::>")
            yield _plain(whole), _plain(first), _plain(second)


def split_texts(data: Path) -> Iterator[Text]:
    """Yield wiki-split's sentences and halves."""
    for parts in split_sentences(data):
        for part in parts:
            yield Text(part, "en", "wiki-split")


def intent_rows(data: Path) -> list[tuple[str, str]]:
    """Read (request, intent) of the training parts of banking77 and clinc150."""
    with (data / "banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["text"].strip(), row["category"]) for row in csv.DictReader(file)]
    full = json.loads((data / "clinc150" / "data_full.json").read_text(encoding="utf-8"))
    return rows + [(text, intent) for text, intent in full["train"]]


def intent_texts(data: Path) -> Iterator[Text]:
    """Yield the customers' questions and requests."""
    for text, _ in intent_rows(data):
        yield Text(text, "en", "intents")


def chinese_passages(data: Path) -> tuple[list[Passage], list[Passage]]:
    """Split CMRC2018 and DRCD by paragraph.

    Returns:
        The passages to learn from, and ``HELD_OUT_PARAGRAPHS`` of each collection that are only measured.
    """
    learn: list[Passage] = []
    held: list[Passage] = []
    for name in ("cmrc2018/cmrc2018_dev.json", "cmrc2018/cmrc2018_trial.json", "drcd/DRCD_dev.json"):
        articles = json.loads((data / name).read_text(encoding="utf-8"))["data"]
        passages = [
            Passage(paragraph["context"], tuple(qa["question"] for qa in paragraph["qas"]))
            for article in articles
            for paragraph in article["paragraphs"]
        ]
        if name.endswith("_dev.json"):
            held += passages[:HELD_OUT_PARAGRAPHS]
            passages = passages[HELD_OUT_PARAGRAPHS:]
        learn += passages
    known = {passage.paragraph for passage in held}
    return [passage for passage in learn if passage.paragraph not in known], held


def chinese_texts(data: Path) -> Iterator[Text]:
    """Yield sentences, passages of three sentences, whole paragraphs and questions of the Chinese collections."""
    for passage in chinese_passages(data)[0]:
        sentences = [part.strip() for part in _SENTENCE_END.split(passage.paragraph) if len(part.strip()) > 5]
        yield Text(passage.paragraph[:400], "zh", "chinese-reading")
        for start, sentence in enumerate(sentences):
            yield Text(sentence, "zh", "chinese-reading")
            if start % 2 == 0:
                yield Text("".join(sentences[start : start + 3]), "zh", "chinese-reading")
        for question in passage.questions:
            yield Text(question, "zh", "chinese-questions")


def sample(texts: Iterator[Text], count: int, seed: int = 0) -> list[Text]:
    """Draw at most ``count`` texts, the same ones every time."""
    pool = list(texts)
    random.Random(seed).shuffle(pool)
    return pool[:count]


def distinct(texts: list[Text], forbidden: set[str]) -> list[Text]:
    """Drop repetitions, empty texts and everything that is in ``forbidden``."""
    seen = set(forbidden)
    kept = []
    for item in texts:
        text = " ".join(item.text.split())
        if len(text) > 1 and text not in seen:
            seen.add(text)
            kept.append(Text(text, item.language, item.source, item.english))
    return kept


def _plain(text: str) -> str:
    """Undo the word-by-word spelling of wiki-split."""
    text = text.replace("''", '"')
    text = re.sub(r" ([,.;:!?%)\]])", r"\1", text)
    text = re.sub(r"([(\[]) ", r"\1", text)
    text = re.sub(r" ('s|'t|'re|'ve|'m|'ll|'d|n't)\b", r"\1", text)
    text = re.sub(r'" ([^"]*?) "', r'"\1"', text)
    return " ".join(text.replace(" - ", "-").split())

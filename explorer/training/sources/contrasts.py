"""Pairs that only the instruction can decide: one query, several documents, each right under another instruction.

What is right under one instruction stands as a hard negative under the others. A model that ignores the instruction
cannot learn them; one that reads it learns to obey.
"""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from explorer.training.distil.texts import chinese_passages, intent_rows, similarity_rows, split_sentences
from explorer.training.pairs.pair import PairProvenance, TrainingPair
from explorer.training.sources.lexicon import Lexicon, Synset, read_lexicon
from explorer.training.sources.questions import question

LANGUAGE_NAMES = {
    "en": ("English", "英文"),
    "zh": ("Chinese", "中文"),
    "de": ("German", "德文"),
    "es": ("Spanish", "西班牙文"),
    "fr": ("French", "法文"),
    "ja": ("Japanese", "日文"),
    "ru": ("Russian", "俄文"),
}
LANGUAGE_TASKS = (
    "Retrieve {} text",
    "Find passages in {}",
    "Given a query, retrieve relevant documents written in {}",
    "Only return results in {}",
    "Retrieve the {} translation of the query",
)
DEFINITION_TASKS = (
    "Given a word, find its definition",
    "Retrieve the meaning of the word",
    "Find a dictionary entry",
)
EXAMPLE_TASKS = (
    "Given a word, find a sentence that uses it",
    "Retrieve an example of the word in use",
    "Find example sentences",
)
SAME_TASKS = ("Given a word, find a synonym", "Retrieve words with the same meaning", "Find a similar word")
OPPOSITE_TASKS = (
    "Given a word, find its opposite",
    "Retrieve the antonym",
    "Find a word that means the contrary",
)
ANSWER_TASKS = (
    "Given a question, retrieve passages that answer it",
    "Find the paragraph that answers the question",
    "Retrieve the answer, not another question",
)
QUESTION_TASKS = (
    "Given a question, retrieve other questions on the same passage",
    "Find similar questions",
    "Retrieve questions, not answers",
)
PRAISE_TASKS = (
    "Find positive reviews",
    "Retrieve opinions that praise it",
    "Given a product, retrieve satisfied customers' comments",
    "Find reasons for it",
)
BLAME_TASKS = (
    "Find negative reviews",
    "Retrieve opinions that criticise it",
    "Given a product, retrieve complaints of unhappy customers",
    "Find reasons against it",
)
SAME_INTENT_TASKS = ("Find requests with the same intent", "Retrieve requests that ask for the same thing")
SAME_FIELD_TASKS = (
    "Find requests on the same subject that want something else",
    "Retrieve other requests of this field",
)


@dataclass(frozen=True)
class Choice:
    """What one query may ask for.

    Attributes:
        query: The query.
        answers: (tasks, document, language of the document), each right under its own tasks alone.
        source: Where it comes from.
    """

    query: str
    answers: tuple[tuple[Sequence[str], str, str], ...]
    source: str


def contrasting_pairs(data: Path, most: int = 3_000, seed: int = 0) -> list[TrainingPair]:
    """Draw pairs of every kind of contrast.

    Args:
        data: Folder with one sub-folder a data set.
        most: Most choices of one kind.
        seed: Of all draws.

    Returns:
        One pair for each answer of each choice, in random order, the other answers as its hard negatives.
    """
    rng = random.Random(seed)
    lexicon = read_lexicon(data / "wordnet")
    kinds = (
        _languages(data, rng),
        _definitions(lexicon, rng),
        _opposites(lexicon, rng),
        _english_questions(data, lexicon, rng),
        _chinese_questions(data, rng),
        _opinions(rng),
        _requests(data, rng),
    )
    pairs = [pair for kind in kinds for choice in _at_most(kind, most) for pair in _pairs(choice, rng)]
    rng.shuffle(pairs)
    return pairs


def _at_most(kind: Iterator[Choice], most: int) -> Iterator[Choice]:
    for _, choice in zip(range(most), kind, strict=False):
        yield choice


def _pairs(choice: Choice, rng: random.Random) -> Iterator[TrainingPair]:
    for turn, (tasks, document, language) in enumerate(choice.answers):
        others = tuple(answer[1] for place, answer in enumerate(choice.answers) if place != turn)
        provenance = PairProvenance("labelled", source=f"contrast: {choice.source}")
        yield TrainingPair(
            choice.query, document, "retrieval", rng.choice(tasks), others, None, language, provenance
        )


def _languages(data: Path, rng: random.Random) -> Iterator[Choice]:
    """One meaning in several languages; the instruction names the language wanted."""
    table = {code: similarity_rows(data, code, "train") for code in LANGUAGE_NAMES}
    for number in rng.sample(range(len(table["en"])), len(table["en"])):
        wanted = rng.sample(list(LANGUAGE_NAMES), 2)
        if rng.random() < 0.6:
            wanted = ["en", "zh"]
        asked = rng.choice([code for code in LANGUAGE_NAMES if code not in wanted] + wanted)
        query, column = table[asked][number][0], 1 if table["en"][number][2] >= 4 else 0
        if any(table[code][number][column] == query for code in wanted):
            continue
        answers = tuple((_language_tasks(code), str(table[code][number][column]), code) for code in wanted)
        yield Choice(query, answers, "language")


def _language_tasks(code: str) -> tuple[str, ...]:
    english, chinese = LANGUAGE_NAMES[code]
    return (
        *(task.format(english) for task in LANGUAGE_TASKS),
        f"检索{chinese}文本",
        f"只返回{chinese}的结果",
    )


def _definitions(lexicon: Lexicon, rng: random.Random) -> Iterator[Choice]:
    """A word's definition or a sentence that uses it."""
    for synset in _shuffled(lexicon, rng):
        definition, _, rest = synset.gloss.partition('; "')
        example = rest.partition('"')[0]
        if len(example) > 15 and len(definition) > 15:
            answers = ((DEFINITION_TASKS, definition, "en"), (EXAMPLE_TASKS, example, "en"))
            yield Choice(synset.words[0], answers, "definition or example")


def _opposites(lexicon: Lexicon, rng: random.Random) -> Iterator[Choice]:
    """A word's synonym or its opposite."""
    for synset in _shuffled(lexicon, rng):
        opposite = synset.related.get("opposite", ())
        if len(synset.words) > 1 and opposite:
            contrary = lexicon.synsets[opposite[0]].words[0]
            answers = ((SAME_TASKS, synset.words[1], "en"), (OPPOSITE_TASKS, contrary, "en"))
            yield Choice(synset.words[0], answers, "synonym or opposite")


def _shuffled(lexicon: Lexicon, rng: random.Random) -> list[Synset]:
    synsets = list(lexicon.synsets.values())
    rng.shuffle(synsets)
    return synsets


def _english_questions(data: Path, lexicon: Lexicon, rng: random.Random) -> Iterator[Choice]:
    """The sentence that answers a question, or another question that it answers."""
    sentences = list(split_sentences(data))
    rng.shuffle(sentences)
    for whole, first, second in sentences:
        asked, other = question(whole, lexicon, rng), question(whole, lexicon, rng)
        if asked != other:
            answers = ((ANSWER_TASKS, f"{first} {second}", "en"), (QUESTION_TASKS, other, "en"))
            yield Choice(asked, answers, "answer or question")


def _chinese_questions(data: Path, rng: random.Random) -> Iterator[Choice]:
    passages = [passage for passage in chinese_passages(data)[0] if len(passage.questions) > 1]
    rng.shuffle(passages)
    for passage in passages:
        asked, other = rng.sample(passage.questions, 2)
        answers = ((ANSWER_TASKS, passage.paragraph[:300], "zh"), (QUESTION_TASKS, other, "zh"))
        yield Choice(asked, answers, "answer or question")


def _opinions(rng: random.Random) -> Iterator[Choice]:
    """Praise or blame of one thing, from sentences written for this project."""
    written = tomllib.loads((Path(__file__).parent / "opinions.toml").read_text("utf-8"))
    for _ in range(2_000):
        thing = rng.choice(written["things"])
        answers = (
            (PRAISE_TASKS, _about(thing, rng.choice(written["praise"])), "en"),
            (BLAME_TASKS, _about(thing, rng.choice(written["blame"])), "en"),
        )
        yield Choice(thing, answers, "praise or blame")


def _about(thing: str, sentence: str) -> str:
    text = sentence.format(it=thing)
    return text[:1].upper() + text[1:]


def _requests(data: Path, rng: random.Random) -> Iterator[Choice]:
    """A request of the same intent, or one of another intent in the same field of life."""
    groups: dict[str, list[str]] = {}
    for text, intent in intent_rows(data):
        groups.setdefault(intent, []).append(text)
    fields: dict[str, list[str]] = json.loads((data / "clinc150" / "domains.json").read_text("utf-8"))
    while True:
        field = rng.choice(sorted(fields))
        intent, other = rng.sample(fields[field], 2)
        asked, same = rng.sample(groups[intent], 2)
        answers = ((SAME_INTENT_TASKS, same, "en"), (SAME_FIELD_TASKS, rng.choice(groups[other]), "en"))
        yield Choice(asked, answers, "intent or field")

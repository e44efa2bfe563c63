"""Questions and contrasts that were written for this project, not made by rule.

``written_questions.jsonl`` asks about sentences of wiki-split, which it names by their place in that set;
``written_chinese.jsonl`` asks in Chinese and says the sentence in Chinese; ``written_contrasts.jsonl`` holds one query,
two rival instructions and what is right under each.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from explorer.training.distil.texts import split_sentences
from explorer.training.pairs.pair import PairProvenance, TrainingPair
from explorer.training.sources.items import SEARCH_INSTRUCTIONS

_HERE = Path(__file__).parent


def written_pairs(data: Path, seed: int = 0) -> list[TrainingPair]:
    """Read all written pairs.

    Args:
        data: Folder with ``wiki-split``.
        seed: Of the instructions and of what surrounds a sentence.

    Returns:
        For each English question the sentence alone and set among others, for each Chinese one the sentence in Chinese
        and in English, and two pairs for each contrast.
    """
    rng = random.Random(seed)
    return [*_questions(data, rng), *_chinese(data, rng), *_contrasts()]


def _questions(data: Path, rng: random.Random) -> Iterator[TrainingPair]:
    sentences = list(split_sentences(data))
    for row in _rows("written_questions.jsonl"):
        whole, first, second = sentences[row["row"]]
        around = [
            sentences[place][0] for place in rng.choices(range(len(sentences)), k=rng.choice((1, 1, 2)))
        ]
        passage = [f"{first} {second}", *around]
        rng.shuffle(passage)
        for document in (whole, " ".join(passage)):
            yield TrainingPair(
                row["question"],
                document,
                instruction=rng.choice(SEARCH_INSTRUCTIONS),
                provenance=PairProvenance("labelled", source="written questions"),
            )


def _chinese(data: Path, rng: random.Random) -> Iterator[TrainingPair]:
    sentences = list(split_sentences(data))
    for row in _rows("written_chinese.jsonl"):
        for document, language in ((row["sentence"], "zh"), (sentences[row["row"]][0], "en")):
            yield TrainingPair(
                row["question"],
                document,
                instruction=rng.choice(SEARCH_INSTRUCTIONS),
                language=language,
                provenance=PairProvenance("labelled", source="written Chinese questions"),
            )


def _contrasts() -> Iterator[TrainingPair]:
    for row in _rows("written_contrasts.jsonl"):
        provenance = PairProvenance("labelled", source=f"written contrast: {row['kind']}")
        for asked, other in (("first", "second"), ("second", "first")):
            yield TrainingPair(
                row["query"],
                row[f"{asked}_document"],
                instruction=row[f"{asked}_instruction"],
                negatives=(row[f"{other}_document"],),
                provenance=provenance,
            )


def _rows(name: str) -> Iterator[dict[str, Any]]:
    with (_HERE / name).open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)

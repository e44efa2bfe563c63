"""Labelled pairs for the second stage of training, drawn from the open data sets.

Queries come from the sets where they have them and from rules where they do not; wrong answers that a set knows of
become hard negatives; the STS benchmark gives graded pairs, within a language and across languages.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from explorer.training.distil.corpus import held_out_texts
from explorer.training.distil.texts import LANGUAGES, similarity_rows
from explorer.training.pairs.pair import PairKind, PairProvenance, TrainingPair
from explorer.training.sources.collections import load_sources
from explorer.training.sources.items import Item, Source
from explorer.training.sources.lexicon import Lexicon, read_lexicon
from explorer.training.sources.questions import question

CAPS = {"wiki-split": 15_000, "wordnet": 10_000, "debian-en": 14_000, "cmrc2018": 6_000, "drcd": 6_000}
"""Most items drawn from a large source."""
OTHER_CAP = 2_500
LONGEST = 700
"""Characters of a document that are kept: the bundled model trains on texts of up to 160 tokens."""


def labelled_pairs(data: Path, languages: tuple[str, ...] = LANGUAGES, seed: int = 0) -> list[TrainingPair]:
    """Draw pairs from every data set that is present, in random order.

    Args:
        data: Folder with one sub-folder a data set, as :func:`load_sources` reads them.
        languages: Languages of the sources.
        seed: Of all draws.

    Returns:
        Pairs without a text of the held-out sets (the STS benchmark's dev part, 600 Chinese paragraphs).
    """
    rng = random.Random(seed)
    lexicon = read_lexicon(data / "wordnet")
    pairs = [pair for source in load_sources(data, languages) for pair in _from_source(source, lexicon, rng)]
    pairs += graded_pairs(data, languages, rng)
    held = held_out_texts(data)
    kept = [
        pair for pair in pairs if not held & {" ".join(pair.query.split()), " ".join(pair.document.split())}
    ]
    rng.shuffle(kept)
    return kept


def graded_pairs(data: Path, languages: tuple[str, ...], rng: random.Random) -> Iterator[TrainingPair]:
    """Yield the STS benchmark's training rows: each language alone, and English against each other language."""
    table = {language: similarity_rows(data, language, "train") for language in languages}
    for language, rows in table.items():
        for number, (first, second, score) in enumerate(rows):
            yield _graded(first, second, score, language)
            if language != "en" and "en" in table and rng.random() < 0.5:
                yield _graded(table["en"][number][0], second, score, language)


def _graded(first: str, second: str, score: float, language: str) -> TrainingPair:
    """Build a pair whose score of 0 to 5 becomes 0 to 1."""
    provenance = PairProvenance("labelled", source="stsb-multi-mt")
    return TrainingPair(first, second, "similarity", "", (), score / 5, language, provenance)


def _from_source(source: Source, lexicon: Lexicon, rng: random.Random) -> Iterator[TrainingPair]:
    items = list(source.items)
    rng.shuffle(items)
    fillers = [item.documents[0] for item in items]
    for item in items[: CAPS.get(source.name, OTHER_CAP)]:
        drawn = [
            pair for _ in range(3 if source.padded else 1) for pair in _drawn(item, source, lexicon, rng)
        ]
        for query, document in drawn:
            if source.padded:
                document = _among_others(document, fillers, rng)
            yield TrainingPair(
                query,
                document[:LONGEST],
                _kind(source.name),
                rng.choice(source.instructions),
                item.decoys[:3],
                None,
                _language(source.name),
                PairProvenance("labelled", source=source.name),
            )


def _drawn(item: Item, source: Source, lexicon: Lexicon, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Yield one or two queries of an item, each with a right document."""
    if source.mirrored:
        texts = rng.sample(item.documents, 2)
        yield texts[0], texts[1]
        return
    if item.queries:
        for query in rng.sample(item.queries, min(len(item.queries), 3 if source.weight >= 3 else 1)):
            yield query, rng.choice(item.documents)
    if item.statement and source.name != "wordnet":
        swap = rng.choice((0.0, 0.1, 0.3, 0.5))
        yield question(item.statement, lexicon, rng, swap=swap), rng.choice(item.documents)


def _among_others(document: str, fillers: list[str], rng: random.Random) -> str:
    """Set a text among unrelated ones, as a sentence stands in a paragraph."""
    texts = [document, *rng.choices(fillers, k=rng.choice((0, 1, 1, 2)))]
    rng.shuffle(texts)
    return " ".join(texts)


def _kind(source: str) -> PairKind:
    return "bitext" if source.startswith("parallel") else "retrieval"


def _language(source: str) -> str:
    """Name the language of a source's documents, which its name ends with when it is not English."""
    if source in {"cmrc2018", "drcd"}:
        return "zh"
    last = source.rsplit("-", 1)[-1]
    return last if last in LANGUAGES else "en"

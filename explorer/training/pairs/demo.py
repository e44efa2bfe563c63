"""The demo material as something to train and measure on, so that every command works before anybody has data.

The texts lie in assets/demo and are described there. The bundled models never learnt from them.
"""

from __future__ import annotations

import csv
import itertools
import json
from functools import cache

from explorer.settings import ASSETS
from explorer.training.pairs.pair import PairProvenance, TrainingPair
from explorer.training.quality.held_out import HeldOut, RetrievalItem
from explorer.training.quality.reranker import InstructionPair

DEMO = ASSETS / "demo"
_FULL = 3


@cache
def demo_documents() -> dict[str, str]:
    """Read the demo corpus.

    Returns:
        Documents by their identifiers, in the order of the file.
    """
    with (DEMO / "corpus.csv").open(encoding="utf-8", newline="") as lines:
        return {row["id"]: row["text"] for row in csv.DictReader(lines)}


@cache
def demo_held_out() -> HeldOut:
    """Read the judged queries over the whole demo corpus.

    Returns:
        69 queries with grades from 1 to 3 over 384 documents; no similarity pairs.
    """
    documents = demo_documents()
    rows = _judgements()
    items = []
    for query in _queries():
        judged = [
            (documents[row["doc_id"]], float(row["grade"]))
            for row in rows
            if row["query_id"] == query["id"] and float(row["grade"]) > 0
        ]
        items.append(RetrievalItem(query["text"], tuple(judged)))
    return HeldOut(retrieval=tuple(items), others=tuple(documents.values()))


@cache
def demo_labelled_pairs() -> tuple[TrainingPair, ...]:
    """Turn the judged queries into labelled pairs.

    Returns:
        One pair for each document that answers a query fully (grade 3); its negatives are the documents that people
        judged as no answer.
    """
    documents = demo_documents()
    graded: dict[str, dict[str, int]] = {}
    for row in _judgements():
        graded.setdefault(row["query_id"], {})[documents[row["doc_id"]]] = int(row["grade"])
    return tuple(
        TrainingPair(
            query["text"],
            document,
            negatives=tuple(text for text, other in graded[query["id"]].items() if other == 0),
            language=query["language"],
            provenance=PairProvenance("labelled", source="demo judgements"),
        )
        for query in _queries()
        for document, grade in graded[query["id"]].items()
        if grade == _FULL
    )


@cache
def demo_instruction_pairs() -> tuple[InstructionPair, ...]:
    """Read the queries whose right document changes with the instruction.

    Returns:
        Every two instructions of one query that ask for different documents.
    """
    entries = json.loads((DEMO / "instruction_examples.json").read_text(encoding="utf-8"))
    return tuple(
        InstructionPair(
            entry["query"],
            (first["text"], second["text"]),
            (entry["documents"][first["right"]], entry["documents"][second["right"]]),
        )
        for entry in entries
        for first, second in itertools.combinations(entry["instructions"], 2)
        if first["right"] != second["right"]
    )


def _judgements() -> list[dict[str, str]]:
    with (DEMO / "judgements.tsv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def _queries() -> list[dict[str, str]]:
    lines = (DEMO / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]

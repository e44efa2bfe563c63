"""The worked examples that fill each view before anybody has typed anything."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from explorer.settings import ASSETS
from explorer.texts import LANGUAGES, Language

DEMO = ASSETS / "demo"
DEMO_QUERY = "q-plain-04"


@dataclass(frozen=True)
class RerankExample:
    """A query with documents, some of which share its words and miss its intent.

    Attributes:
        identifier: Stable name.
        title: What the example is about, by language.
        instruction: What counts as relevant.
        query: The query.
        documents: Documents in the order in which they are shown first.
        note: What to look at, by language.
    """

    identifier: str
    title: dict[Language, str]
    instruction: str
    query: str
    documents: tuple[str, ...]
    note: dict[Language, str]


@dataclass(frozen=True)
class ComparisonExample:
    """Queries and documents in several languages, on a few themes."""

    queries: tuple[str, ...]
    documents: tuple[str, ...]


@cache
def rerank_examples() -> tuple[RerankExample, ...]:
    """Read the examples of the Rerank view, the one shown first in front.

    An instruction example appears once for each of its instructions: with another instruction, another document
    is the right one.
    """
    plain = [
        RerankExample(
            identifier=entry["id"],
            title=_both(entry["title"]),
            instruction=entry["instruction"],
            query=entry["query"],
            documents=tuple(entry["documents"]),
            note=_both(entry["note"]),
        )
        for entry in _read("rerank_examples.json")
    ]
    return (*plain, *_instruction_examples())


def _instruction_examples() -> list[RerankExample]:
    found = []
    for entry in _read("instruction_examples.json"):
        for number, instruction in enumerate(entry["instructions"], start=1):
            title = _both(entry["title"])
            label = _both(instruction["label"])
            found.append(
                RerankExample(
                    identifier=f"{entry['id']}-{number}",
                    title={language: f"{title[language]} → {label[language]}" for language in LANGUAGES},
                    instruction=instruction["text"],
                    query=entry["query"],
                    documents=tuple(entry["documents"]),
                    note=label,
                )
            )
    return found


@cache
def comparison_example() -> ComparisonExample:
    """Read the example of the Similarity and Dimensions views."""
    entry = _read("similarity_example.json")
    return ComparisonExample(queries=tuple(entry["queries"]), documents=tuple(entry["documents"]))


@cache
def demo_query() -> str:
    """Give the query that lands on the demo map when the page opens: one whose answer is in the corpus."""
    lines = (DEMO / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    queries = {entry["id"]: entry["text"] for entry in map(json.loads, lines)}
    return str(queries[DEMO_QUERY])


def _read(name: str) -> Any:  # noqa: ANN401 - JSON is what it is; the callers above give it a type
    return json.loads((DEMO / name).read_text(encoding="utf-8"))


def _both(entry: dict[str, str]) -> dict[Language, str]:
    return {language: entry[language] for language in LANGUAGES}

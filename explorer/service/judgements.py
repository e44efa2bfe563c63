"""What people judged about the demo corpus: how well a document answers a query."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from functools import cache

from explorer.service import demo_map
from explorer.service.examples import DEMO

RELEVANT = 2
"""The grade from which a document is relevant: it answers a part of the query, or a closely neighbouring case."""

FIRST_QUERY = "How can I avoid weeping while chopping vegetables?"

Grade = int | None
"""0 for not relevant, 1 for the same subject, 2 for a part of the answer, 3 for the answer; None for unjudged."""


@cache
def judged_queries() -> tuple[str, ...]:
    """List the demo queries that people judged, a telling one first, those in the documents' own words last."""
    return tuple(sorted(_grades(), key=lambda query: query != FIRST_QUERY))


@cache
def plain_queries() -> tuple[str, ...]:
    """List the judged demo queries that use their answers' own words, on which small models do well."""
    return tuple(text for name, text in _queries().items() if name.startswith("q-plain"))


def grades_of(query: str, documents: Sequence[str]) -> tuple[Grade, ...]:
    """Look up what people judged about documents; only demo texts, word for word, were judged.

    Args:
        query: Any query.
        documents: Any documents.

    Returns:
        The grade of each document for the query; None for one that nobody judged.
    """
    known = _grades().get(query, {})
    return tuple(known.get(document) for document in documents)


@cache
def _queries() -> dict[str, str]:
    """Read query texts by their names."""
    lines = (DEMO / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    return {entry["id"]: entry["text"] for entry in map(json.loads, lines)}


@cache
def _grades() -> dict[str, dict[str, int]]:
    """Read grades, by query text, then by document text."""
    corpus = demo_map.corpus()
    texts = dict(zip(corpus.columns["id"], corpus.texts, strict=True))
    queries = _queries()
    found: dict[str, dict[str, int]] = {text: {} for text in queries.values()}
    with (DEMO / "judgements.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            found[queries[row["query_id"]]][texts[row["doc_id"]]] = int(row["grade"])
    return found

"""How good an embedding model is on texts it never saw, beside the baseline that knows words only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from scipy.stats import spearmanr

from explorer.analysis.arrays import Doubles, Floats, unit_rows
from explorer.analysis.matryoshka import cosines_by_dimension
from explorer.analysis.metrics import ndcg_at_k
from explorer.analysis.ranking import order
from explorer.engine.embedder import Embedder
from explorer.training.quality.bm25 import Bm25, words
from explorer.training.quality.held_out import HeldOut, RetrievalItem, hold_out

__all__ = ["Encode", "HeldOut", "Quality", "RetrievalItem", "hold_out", "measure_bm25", "measure_embedding"]

_DECIMALS = 8
"""Decimals of a score that count, as in :mod:`explorer.analysis.metrics`."""


class Encode(Protocol):
    """Anything that turns texts into unit rows as :meth:`Embedder.encode` does."""

    def __call__(self, texts: Sequence[str], instruction: str | None = None, /) -> Floats:
        """Embed texts, [texts, d]; an instruction makes them queries."""
        ...


@dataclass(frozen=True)
class Quality:
    """What was measured; None or empty where there was nothing to measure it on.

    Attributes:
        spearman: Rank correlation of cosines with people's scores, by number of leading dimensions.
        recall_at_1: Share of queries whose first document is an answer, at full size.
        ndcg_at_10: Mean nDCG@10 of the queries, at full size.
        queries: Queries that were searched.
        documents: Documents among which they were searched.
        recall_by_dimension: ``recall_at_1`` by number of leading dimensions.
        ndcg_by_dimension: ``ndcg_at_10`` by number of leading dimensions.
    """

    spearman: dict[int, float]
    recall_at_1: float | None
    ndcg_at_10: float | None
    queries: int
    documents: int
    recall_by_dimension: dict[int, float] = field(default_factory=dict)
    ndcg_by_dimension: dict[int, float] = field(default_factory=dict)

    def named(self) -> dict[str, float]:
        """Give the figures that a table or plot shows: each measure at the smallest and the full size, and recall."""
        found: dict[str, float] = {}
        for measure, by_size in (("Spearman", self.spearman), ("nDCG@10", self.ndcg_by_dimension)):
            for size in sorted({min(by_size), max(by_size)}) if by_size else ():
                found[f"{measure}, {size} dimensions"] = by_size[size]
        if self.recall_at_1 is not None:
            found["recall@1"] = self.recall_at_1
        return found

    def __str__(self) -> str:
        """Say all figures in one line."""
        parts = [f"Spearman {value:.3f} at {size}" for size, value in self.spearman.items()]
        if self.recall_at_1 is not None and self.ndcg_at_10 is not None:
            parts += [f"recall@1 {self.recall_at_1:.3f}", f"nDCG@10 {self.ndcg_at_10:.3f}"]
        return ", ".join(parts)


def measure_embedding(model: Embedder | Encode, held_out: HeldOut, ladder: Sequence[int] = ()) -> Quality:
    """Measure an embedding model.

    Args:
        model: The model, or a function that encodes as it does.
        held_out: Texts that the model was not trained on.
        ladder: Numbers of leading dimensions, in any order; sizes above the model's own are left out, and its full
            size is always measured.

    Returns:
        Spearman's rank correlation at each size, and retrieval at each size.
    """
    encode: Encode = model.encode if isinstance(model, Embedder) else model
    spearman = _spearman(encode, held_out.similarity, ladder) if len(held_out.similarity) > 1 else {}
    if not held_out.retrieval:
        return Quality(spearman, None, None, 0, 0)
    documents = held_out.documents
    queries, rows = encoded_queries(encode, held_out.retrieval), encode(documents)
    sizes = _sizes(ladder, rows.shape[1])
    recall: dict[int, float] = {}
    ndcg: dict[int, float] = {}
    for size, cosines in zip(sizes, cosines_by_dimension(queries, rows, sizes), strict=True):
        recall[size], ndcg[size] = ranked_quality(cosines, held_out)
    full = sizes[-1]
    return Quality(
        spearman, recall[full], ndcg[full], len(held_out.retrieval), len(documents), recall, ndcg
    )  # fmt: skip


def measure_bm25(held_out: HeldOut) -> Quality:
    """Measure the baseline on the same queries and documents.

    Args:
        held_out: Only its retrieval part is used.

    Returns:
        Retrieval quality; no Spearman.
    """
    if not held_out.retrieval:
        return Quality({}, None, None, 0, 0)
    documents = held_out.documents
    baseline = Bm25([words(text) for text in documents])
    scores = np.stack([baseline.scores(words(item.query)) for item in held_out.retrieval])
    recall, ndcg = ranked_quality(scores, held_out)
    return Quality({}, recall, ndcg, len(held_out.retrieval), len(documents))


def ranked_quality(scores: Floats | Doubles, held_out: HeldOut) -> tuple[float, float]:
    """Measure rankings of the held-out documents.

    Args:
        scores: One row a query, one column a document [queries, documents].
        held_out: Queries and documents in the same order.

    Returns:
        Share of queries whose first document is an answer, and mean nDCG@10.
    """
    grades = graded(held_out)
    first = [row[order(found, _DECIMALS)[0]] > 0 for found, row in zip(scores, grades, strict=True)]
    ndcg = [ndcg_at_k(found, row) for found, row in zip(scores, grades, strict=True)]
    return float(np.mean(first)), float(np.mean(ndcg))


def graded(held_out: HeldOut) -> Doubles:
    """Write the judgements as a table, [queries, documents]."""
    places = {text: column for column, text in enumerate(held_out.documents)}
    grades = np.zeros((len(held_out.retrieval), len(places)))
    for row, item in enumerate(held_out.retrieval):
        for text, grade in item.judged:
            grades[row, places[text]] = grade
    return grades


def _spearman(
    encode: Encode, rows: Sequence[tuple[str, str, float]], ladder: Sequence[int]
) -> dict[int, float]:
    """Correlate cosines with people's scores; 0 for a model that finds everything equally alike."""
    first, second = (encode([str(row[side]) for row in rows]) for side in (0, 1))
    scores = [row[2] for row in rows]
    found: dict[int, float] = {}
    for size in _sizes(ladder, first.shape[1]):
        cosines = np.sum(unit_rows(first[:, :size]) * unit_rows(second[:, :size]), axis=1)
        varied = len(set(scores)) > 1 and float(np.ptp(cosines)) > 0
        found[size] = float(spearmanr(cosines, scores).statistic) if varied else 0.0
    return found


def encoded_queries(encode: Encode, items: Sequence[RetrievalItem]) -> Floats:
    """Embed queries, those of one instruction together.

    Args:
        encode: The model.
        items: The queries.

    Returns:
        Unit rows in the order of the queries, float32 [queries, d].
    """
    places: dict[str, list[int]] = {}
    for index, item in enumerate(items):
        places.setdefault(item.instruction, []).append(index)
    parts = [encode([items[i].query for i in held], task or None) for task, held in places.items()]
    back = np.argsort([index for held in places.values() for index in held])
    return np.concatenate(parts)[back]


def _sizes(ladder: Sequence[int], full: int) -> tuple[int, ...]:
    return (*sorted({size for size in ladder if size < full}), full)

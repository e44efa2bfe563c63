"""The nearest of many vectors, exactly."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from sentence_transformers.util import dot_score, semantic_search

from explorer.analysis.search import top_k
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import Row, row_of
from tests.benchmarks.timing import Array, take_turns

_QUERIES, _DIMENSIONS, _K = 100, 256, 10


def measure(setting: Setting) -> Iterator[Row]:
    """Time our search and sentence-transformers' over vectors in the host's memory.

    Args:
        setting: How much to measure.

    Yields:
        Lines of the table.
    """
    draw = np.random.default_rng(0)
    vectors, queries = _unit_rows(draw, setting.search_rows), _unit_rows(draw, _QUERIES)
    device = setting.device

    def ours(_: object) -> Array:
        return top_k(queries, vectors, _K, str(device)).indices

    def theirs(_: object) -> Array:
        placed = (torch.from_numpy(rows).to(device) for rows in (queries, vectors))
        found = semantic_search(*placed, top_k=_K, score_function=dot_score)
        return np.array([[hit["corpus_id"] for hit in hits] for hits in found])

    turns = take_turns({"ours": ours, "sentence-transformers": theirs}, [], setting.repetitions, device)
    title = f"{_K} nearest of {len(vectors):,} x {_DIMENSIONS} for {_QUERIES} queries"
    for way, taken in turns.items():
        same = (taken.result == turns["ours"].result).mean()
        note = "" if way == "ours" else f"{same:.1%} of the neighbours are the same, in the same place"
        yield row_of(title, way, taken, turns["ours"], note)


def _unit_rows(draw: np.random.Generator, rows: int) -> Array:
    """Draw directions."""
    drawn = draw.standard_normal((rows, _DIMENSIONS), dtype=np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn

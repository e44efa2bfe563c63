"""Tables of random texts, some of them missing, for the tests of what reads Parquet files."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

WORDS = [
    "the",
    "capital",
    "of",
    "China",
    "is",
    "Beijing",
    "gravity",
    "pulls",
    "yes",
    "no",
    "北京",
    "苹果",
    "42",
]


def texts_of(count: int, longest: int = 12, seed: int = 0) -> list[str | None]:
    """Random texts, of which some are missing, empty or blank."""
    draw = np.random.default_rng(seed)
    texts: list[str | None] = [
        " ".join([str(row), *draw.choice(WORDS, draw.integers(1, longest + 1))]) for row in range(count)
    ]
    for row, empty in enumerate([None, "", " \n　"]):
        texts[row + 3 :: 50] = [empty] * len(texts[row + 3 :: 50])
    return texts


def table_of(texts: list[str | None]) -> pa.Table:
    ids = pa.array(range(len(texts)), pa.int64())
    nested = pa.array([[{"score": row / 7}] for row in range(len(texts))])
    return pa.table({"id": ids, "text": pa.array(texts, pa.string()), "nested": nested})

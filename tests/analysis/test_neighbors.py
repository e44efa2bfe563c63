"""Neighbours are the true ones: every pair is compared, and a vector always finds itself first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.analysis import search
from explorer.analysis.arrays import Floats, unit_rows
from explorer.analysis.neighbors import exact_neighbors
from explorer.errors import Cancelled, InputError
from explorer.progress import CancelToken


def random_units(rows: int, width: int, seed: int = 0) -> Floats:
    return unit_rows(np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32))


def test_recall_is_one_on_five_thousand_vectors() -> None:
    vectors = random_units(5_000, 48)
    found = exact_neighbors(vectors, 15)
    exact = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    np.fill_diagonal(exact, 2.0)
    expected = np.argpartition(-exact, 15, axis=1)[:, :15]
    hits = sum(len(np.intersect1d(a, b)) for a, b in zip(found.indices, expected, strict=True))
    assert hits == 5_000 * 15
    assert found.indices.dtype == np.int32
    assert found.cosines.dtype == np.float32


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = random_units(203, 8)
    whole = exact_neighbors(vectors, 7)
    monkeypatch.setattr(search, "CELLS", 64 * 8)
    blocks = exact_neighbors(vectors, 7)
    assert np.array_equal(whole.indices, blocks.indices)
    assert np.allclose(whole.cosines, blocks.cosines, atol=1e-6)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 6), st.integers(1, 50), st.integers(0, 5))
def test_self_comes_first_also_among_duplicates(rows: int, width: int, k: int, seed: int) -> None:
    distinct = random_units(max(1, rows // 3), width, seed)
    vectors = distinct[np.random.default_rng(seed).integers(0, len(distinct), rows)]
    found = exact_neighbors(vectors, k)
    assert found.indices.shape == (rows, min(k, rows))
    assert np.array_equal(found.indices[:, 0], np.arange(rows))
    assert np.all(found.cosines[:, 0] == 1.0)
    assert np.all(np.diff(found.cosines, axis=1) <= 0)
    assert np.all(np.abs(found.cosines) <= 1)
    assert all(len(set(row)) == len(row) for row in found.indices.tolist())


def test_queries_find_what_equals_them() -> None:
    vectors = random_units(50, 16)
    found = exact_neighbors(vectors, 3, queries=vectors[[40, 3]])
    assert found.indices[:, 0].tolist() == [40, 3]
    assert np.allclose(found.cosines[:, 0], 1, atol=1e-6)


def test_nothing_to_search_is_nothing_found() -> None:
    assert exact_neighbors(np.zeros((0, 4), np.float32), 5).indices.shape == (0, 0)
    assert exact_neighbors(random_units(3, 4), 5, queries=np.zeros((0, 4), np.float32)).indices.shape == (
        0,
        3,
    )


def test_unusable_input_is_named() -> None:
    vectors = random_units(5, 4)
    with pytest.raises(InputError, match="at least 1"):
        exact_neighbors(vectors, 0)
    with pytest.raises(InputError, match="4"):
        exact_neighbors(vectors, 2, queries=random_units(2, 3))
    with pytest.raises(InputError, match="infinite"):
        exact_neighbors(np.full((2, 2), np.nan), 1)
    with pytest.raises(InputError, match="shape"):
        exact_neighbors(np.zeros(3), 1)


def test_the_search_stops_when_asked() -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        exact_neighbors(random_units(5, 4), 2, cancel=cancel)

"""An approximate index finds most of the true neighbours, and says how many."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.analysis.approximate import ApproximateIndex
from explorer.analysis.arrays import Floats, unit_rows
from explorer.analysis.search import top_k
from explorer.errors import Cancelled, InputError
from explorer.progress import CancelToken

pytest.importorskip("faiss", reason="faiss-cpu is not installed")


def random_units(rows: int, width: int, seed: int = 0) -> Floats:
    return unit_rows(np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32))


@pytest.fixture(scope="module")
def vectors() -> Floats:
    return random_units(4_000, 12)


def share_found(found: np.ndarray, exact: np.ndarray) -> float:
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found, exact, strict=True)]))


def test_the_recall_it_says_is_the_recall_it_has(vectors):
    queries = random_units(150, 12, 1)
    index = ApproximateIndex(vectors, sample=queries)
    exact = top_k(queries, vectors, 10)
    probes = []
    for wanted in (0.3, 0.7, 0.95):
        result = index.search(queries, 10, wanted)
        assert result.recall >= wanted
        assert result.recall == pytest.approx(share_found(result.neighbors.indices, exact.indices), abs=1e-9)
        assert (result.sample, result.lists) == (150, index.lists)
        probes.append(result.probes)
    assert probes == sorted(probes)
    assert probes[0] < probes[-1] < index.lists
    assert index.search(queries, 10, 0.3).recall < 1


def test_stored_vectors_stand_for_queries_without_themselves(vectors):
    index = ApproximateIndex(vectors)
    result = index.search(random_units(2, 12, 1), 5, 0.0)
    own = np.linspace(0, 3_999, 100).astype(np.int64)
    exact = top_k(vectors[own], vectors, 6).indices[:, 1:]
    found = index._found(vectors[own], 6, result.probes).indices
    others = [[row for row in rows if row != itself][:5] for rows, itself in zip(found, own, strict=True)]
    assert result.recall == pytest.approx(share_found(others, exact), abs=1e-9)
    assert (result.sample, result.probes) == (100, 1)


def test_looking_everywhere_is_exact_search(vectors):
    queries = random_units(30, 12, 1)
    result, exact = ApproximateIndex(vectors).search(queries, 10, 1.0), top_k(queries, vectors, 10)
    assert np.array_equal(result.neighbors.indices, exact.indices)
    assert np.allclose(result.neighbors.cosines, exact.cosines, atol=1e-6)
    assert result.recall == 1.0


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.integers(0, 250), st.integers(1, 60), st.integers(0, 4), st.floats(0, 1), st.integers(0, 9))
def test_each_query_gets_its_full_number_of_different_neighbours(rows, k, wanted, recall, seed):
    distinct = random_units(max(1, rows // 3), 5, seed)
    stored = distinct[np.random.default_rng(seed).integers(0, len(distinct), rows)]
    queries = random_units(wanted, 5, seed + 1)
    result = ApproximateIndex(stored).search(queries, k, recall)
    found = result.neighbors
    assert found.indices.shape == found.cosines.shape == (wanted, min(k, rows))
    assert all(len(set(row)) == len(row) for row in found.indices.tolist())
    assert np.all(np.diff(found.cosines, axis=1) <= 0)
    for indices, cosines, query in zip(found.indices, found.cosines, queries, strict=True):
        assert np.allclose(cosines, np.clip(stored[indices] @ query, -1, 1), atol=1e-6)
    assert result.recall >= recall


def test_copies_of_a_vector_count_as_found():
    stored = np.repeat(random_units(40, 8), 50, axis=0)
    assert ApproximateIndex(stored, sample=stored[::50]).search(stored[:3], 10, 1.0).recall == 1.0


def test_a_file_of_another_number_type_is_indexed_chunk_by_chunk(tmp_path, vectors, monkeypatch):
    monkeypatch.setattr("explorer.analysis.approximate._CHUNK_ROWS", 700)
    np.save(tmp_path / "vectors.npy", vectors.astype(np.float16))
    on_disk = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    queries = random_units(5, 12, 1)
    found = ApproximateIndex(on_disk).search(queries, 7, 1.0).neighbors
    assert np.array_equal(found.indices, top_k(queries, on_disk, 7).indices)


def test_unusable_input_is_named(vectors):
    index = ApproximateIndex(vectors[:200])
    with pytest.raises(InputError, match="'k' is 0"):
        index.search(vectors[:1], 0)
    with pytest.raises(InputError, match=r"'recall' is 1\.5"):
        index.search(vectors[:1], 1, 1.5)
    with pytest.raises(InputError, match="3 and 12"):
        index.search(random_units(1, 3), 1)
    with pytest.raises(InputError, match="3 and 12"):
        ApproximateIndex(vectors[:200], sample=random_units(4, 3))
    wrong = vectors[:200].copy()
    wrong[150, 3] = np.nan
    with pytest.raises(InputError, match="infinite"):
        ApproximateIndex(wrong)
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        ApproximateIndex(vectors[:200], cancel=cancel)


def test_a_missing_library_is_told_with_what_to_do(vectors, monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(InputError, match="pip install faiss-cpu"):
        ApproximateIndex(vectors)

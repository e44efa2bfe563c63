"""The k best are those of comparing everything, with equal ones in order, however the vectors are cut into chunks."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.analysis import search
from explorer.analysis.arrays import Floats, unit_rows
from explorer.analysis.search import top_k
from explorer.errors import Cancelled, InputError
from explorer.progress import CancelToken


def random_units(rows: int, width: int, seed: int = 0) -> Floats:
    return unit_rows(np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32))


def halves(rows: int, seed: int) -> Floats:
    """Unit rows of four halves: products are exact in float32, and many are equal."""
    return np.random.default_rng(seed).choice(np.float32([-0.5, 0.5]), (rows, 4))


def brute_force(queries: Floats, vectors: Floats, k: int) -> tuple[np.ndarray, np.ndarray]:
    cosines = queries.astype(np.float64) @ vectors.astype(np.float64).T
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(cosines, order, axis=1)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    rows=st.integers(0, 300),
    wanted=st.integers(0, 9),
    k=st.integers(1, 40),
    chunk=st.none() | st.integers(1, 200),
    seed=st.integers(0, 20),
)
def test_equal_to_brute_force_also_among_ties(rows, wanted, k, chunk, seed):
    queries, vectors = halves(wanted, seed), halves(rows, seed + 1)
    found = top_k(queries, vectors, k, chunk=chunk)
    indices, cosines = brute_force(queries, vectors, k)
    assert found.indices.shape == (wanted, min(k, rows))
    assert np.array_equal(found.indices, indices)
    assert np.array_equal(found.cosines, cosines)
    assert (found.indices.dtype, found.cosines.dtype) == (np.int32, np.float32)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 300),
    width=st.integers(1, 70),
    k=st.integers(1, 20),
    chunk=st.none() | st.integers(1, 200),
    seed=st.integers(0, 20),
)
def test_copies_of_a_vector_come_in_their_order(rows, width, k, chunk, seed):
    distinct = random_units(max(1, rows // 4), width, seed)
    vectors = distinct[np.random.default_rng(seed).integers(0, len(distinct), rows)]
    queries = random_units(5, width, seed + 1)
    found = top_k(queries, vectors, k, chunk=chunk)
    for indices, cosines, query in zip(found.indices, found.cosines, queries, strict=True):
        assert len(set(indices.tolist())) == min(k, rows)
        assert np.all(np.diff(cosines) <= 0)
        assert np.allclose(cosines, np.clip(vectors[indices] @ query, -1, 1), atol=2e-6)
        assert np.sort(vectors @ query)[-len(cosines) :][0] <= cosines[-1] + 2e-6
        for place in range(len(indices) - 1):
            if np.array_equal(vectors[indices[place]], vectors[indices[place + 1]]):
                assert indices[place] < indices[place + 1]


def test_neither_chunks_nor_blocks_of_queries_change_what_is_found(monkeypatch):
    queries, vectors = random_units(300, 24), random_units(5_000, 24, 1)
    whole = top_k(queries, vectors, 12)
    assert np.array_equal(whole.indices, brute_force(queries, vectors, 12)[0])
    monkeypatch.setattr(search, "CELLS", 64 * 24 * 3)
    cut = top_k(queries, vectors, 12)
    assert np.array_equal(whole.indices, cut.indices)
    assert np.allclose(whole.cosines, cut.cosines, atol=1e-6)


def test_vectors_are_read_from_a_file_once_a_chunk_at_a_time(tmp_path):
    vectors = random_units(1_000, 16).astype(np.float16)
    np.save(tmp_path / "vectors.npy", vectors)
    on_disk = np.load(tmp_path / "vectors.npy", mmap_mode="r")

    class Watched(np.ndarray):
        read: list[int] = []  # noqa: RUF012 - one test, one list

        def __getitem__(self, rows):
            Watched.read.append(rows.stop - rows.start)
            return super().__getitem__(rows)

    queries = random_units(3, 16, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = top_k(queries, on_disk.view(Watched), 5, chunk=100)
    assert Watched.read == [128] * 7 + [104]
    assert np.array_equal(found.indices, brute_force(queries, vectors.astype(np.float32), 5)[0])


def test_unusable_input_is_named():
    vectors = random_units(5, 4)
    with pytest.raises(InputError, match="'k' is 0"):
        top_k(vectors, vectors, 0)
    with pytest.raises(InputError, match="'chunk' is 0"):
        top_k(vectors, vectors, 1, chunk=0)
    with pytest.raises(InputError, match="2 and 4"):
        top_k(random_units(2, 2), vectors, 1)
    with pytest.raises(InputError, match="shape"):
        top_k(vectors[0], vectors, 1)
    for value in (np.nan, np.inf, -np.inf):
        wrong = vectors.copy()
        wrong[3, 2] = value
        with pytest.raises(InputError, match="infinite"):
            top_k(vectors, wrong, 1)
        with pytest.raises(InputError, match="infinite"):
            top_k(wrong, vectors, 1)


def test_the_search_stops_when_asked_to():
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        top_k(random_units(2, 4), random_units(5, 4), 2, cancel=cancel)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_same_is_found_on_a_gpu(monkeypatch):
    queries, vectors = random_units(50, 256), random_units(20_000, 256, 1)
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", True)
    here, there = (top_k(queries, vectors, 10, device) for device in ("cpu", "cuda"))
    assert np.allclose(here.cosines, there.cosines, atol=1e-5)
    assert (here.indices == there.indices).mean() > 0.99
    ties = top_k(halves(20, 0), halves(3_000, 1), 30, "cuda", chunk=500)
    assert np.array_equal(ties.indices, brute_force(halves(20, 0), halves(3_000, 1), 30)[0])

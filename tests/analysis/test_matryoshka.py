"""A cut vector is the normalised beginning, and the whole curve in one pass equals one size at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from explorer.analysis.arrays import Floats, unit_rows
from explorer.analysis.matryoshka import bytes_per_million, cosines_by_dimension, curve, ladder, truncate
from explorer.analysis.ranking import kendall_tau, overlap_at_k, ranks
from explorer.errors import InputError


def random_units(rows: int, width: int, seed: int = 0) -> Floats:
    return unit_rows(np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32))


@pytest.mark.parametrize("d", range(1, 65))
def test_truncation_is_the_normalised_beginning(d: int) -> None:
    vectors = random_units(9, 64)
    cut = truncate(vectors, d)
    beginning = vectors[:, :d].astype(np.float64)
    assert np.abs(cut - beginning / np.linalg.norm(beginning, axis=1, keepdims=True)).max() <= 1e-6
    assert cut.dtype == np.float32
    assert np.allclose(np.linalg.norm(cut, axis=1), 1, atol=1e-5)


def test_full_size_is_the_identity() -> None:
    vectors = random_units(5, 32)
    assert np.array_equal(truncate(vectors, 32), vectors)


@pytest.mark.parametrize("d", [0, -1, 33])
def test_a_size_out_of_range_is_named(d: int) -> None:
    with pytest.raises(InputError, match="between 1 and 32"):
        truncate(random_units(2, 32), d)


def test_a_beginning_of_zeros_stays_zero() -> None:
    assert truncate(np.array([[0, 0, 1.0]]), 2).tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("full", "expected"),
    [
        (16, (16,)),
        (32, (32,)),
        (256, (32, 64, 128, 256)),
        (1024, (32, 64, 128, 256, 512, 768, 1024)),
        (2560, (32, 64, 128, 256, 512, 768, 1024, 2048, 2560)),
        (4096, (32, 64, 128, 256, 512, 768, 1024, 2048, 4096)),
    ],
)
def test_the_ladder_ends_at_the_full_size(full: int, expected: tuple[int, ...]) -> None:
    assert ladder(full) == expected


def test_bytes_of_a_million_vectors() -> None:
    assert bytes_per_million(1024) == 4_096_000_000
    assert bytes_per_million(1024, "int8") == 1_024_000_000
    assert bytes_per_million(100, "binary") == 13_000_000
    with pytest.raises(InputError, match="float32"):
        bytes_per_million(8, "float7")


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.integers(1, 6), st.integers(1, 12), st.integers(1, 40), st.integers(0, 5))
def test_one_pass_equals_one_size_at_a_time(queries: int, documents: int, full: int, seed: int) -> None:
    asked, found = random_units(queries, full, seed), random_units(documents, full, seed + 1)
    sizes = sorted({1, max(1, full // 3), full})
    together = cosines_by_dimension(asked, found, sizes)
    for step, d in enumerate(sizes):
        assert np.abs(together[step] - truncate(asked, d) @ truncate(found, d).T).max() <= 2e-6


def test_the_curve_says_what_its_parts_say() -> None:
    queries, documents = random_units(4, 64), random_units(30, 64, seed=1)
    sizes = (8, 32, 64)
    found = curve(queries, documents, sizes, k=5)
    full = queries @ documents.T
    for step, d in enumerate(sizes):
        cut = truncate(queries, d) @ truncate(documents, d).T
        pairs = list(zip(cut, full, strict=True))
        assert found.overlap[step] == pytest.approx(np.mean([overlap_at_k(a, b, 5) for a, b in pairs]))
        assert found.kendall[step] == pytest.approx(np.mean([kendall_tau(a, b) for a, b in pairs]))
        expected = np.mean([spearmanr(ranks(a), ranks(b)).statistic for a, b in pairs])
        assert found.spearman[step] == pytest.approx(expected)
        assert found.drift[step] == pytest.approx(np.abs(cut - full).mean(), abs=1e-6)
    assert found.overlap[-1] == found.spearman[-1] == 1
    assert found.kendall[-1] == pytest.approx(1)
    assert found.drift[-1] == 0
    assert found.overlap[0] < found.overlap[1] < 1


def test_the_curve_compares_with_full_size_also_when_it_is_not_listed() -> None:
    queries, documents = random_units(4, 64), random_units(30, 64, seed=1)
    assert curve(queries, documents, (8,)).overlap[0] == curve(queries, documents, (8, 64)).overlap[0] < 1


def test_a_single_document_leaves_nothing_to_reorder() -> None:
    found = curve(random_units(2, 8), random_units(1, 8, seed=1), (4, 8))
    assert found.k == 1
    assert found.overlap.tolist() == found.spearman.tolist() == found.kendall.tolist() == [1, 1]


@pytest.mark.parametrize("sizes", [(), (0, 8), (8, 4), (4, 4), (4, 9)])
def test_unusable_sizes_are_named(sizes: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="between 1 and 8"):
        cosines_by_dimension(random_units(2, 8), random_units(2, 8), sizes)


def test_nothing_to_compare_is_named() -> None:
    with pytest.raises(InputError, match="nothing to compare"):
        curve(np.zeros((0, 8)), random_units(2, 8), (8,))

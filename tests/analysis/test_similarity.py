"""Cosines are bounded and symmetric, and a clustered order brings together what belongs together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.analysis.arrays import Floats, unit_rows
from explorer.analysis.similarity import clustered_order, cosine_matrix
from explorer.errors import InputError


def random_units(rows: int, width: int, seed: int = 0) -> Floats:
    return unit_rows(np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32))


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.integers(0, 12), st.integers(1, 64), st.integers(0, 9))
def test_cosines_are_bounded_symmetric_and_one_with_themselves(rows: int, width: int, seed: int) -> None:
    vectors = random_units(rows, width, seed)
    cosines = cosine_matrix(vectors, vectors)
    assert cosines.shape == (rows, rows)
    assert cosines.dtype == np.float32
    assert np.isfinite(cosines).all()
    assert np.abs(cosines).max(initial=0) <= 1
    assert np.allclose(cosines, cosines.T, atol=1e-6)
    assert np.allclose(np.diag(cosines), 1, atol=1e-5)


def test_unusable_vectors_are_named() -> None:
    with pytest.raises(InputError, match="3 and 4"):
        cosine_matrix(random_units(2, 3), random_units(2, 4))
    with pytest.raises(InputError, match="infinite"):
        cosine_matrix(np.array([[np.inf, 0]]), random_units(1, 2))


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.integers(0, 15), st.integers(0, 15), st.integers(0, 9), st.booleans())
def test_an_order_names_every_row_and_column_once(
    rows: int, columns: int, seed: int, duplicates: bool
) -> None:
    random = np.random.default_rng(seed)
    matrix = random.uniform(-1, 1, size=(rows, columns))
    if duplicates and rows and columns:
        matrix = matrix[random.integers(0, rows, rows)][:, random.integers(0, columns, columns)]
    order = clustered_order(matrix)
    assert sorted(order.rows.tolist()) == list(range(rows))
    assert sorted(order.columns.tolist()) == list(range(columns))


def test_mixed_groups_are_sorted_apart() -> None:
    random = np.random.default_rng(3)
    labels = random.permutation(np.repeat(np.arange(4), 8))
    vectors = unit_rows((np.eye(4)[labels] + 0.2 * random.normal(size=(32, 4))).astype(np.float32))
    order = clustered_order(cosine_matrix(vectors, vectors))
    assert np.array_equal(order.rows, order.columns)
    assert np.count_nonzero(np.diff(labels[order.rows])) == 3
    documents = unit_rows((np.eye(4)[np.repeat(np.arange(4), 3)]).astype(np.float32))
    against = clustered_order(cosine_matrix(vectors, documents))
    assert np.count_nonzero(np.diff(labels[against.rows])) == 3
    assert np.count_nonzero(np.diff(np.repeat(np.arange(4), 3)[against.columns])) == 3


def test_neighbouring_leaves_are_as_close_as_branches_can_be_turned() -> None:
    positions = np.random.default_rng(0).permutation(20)
    angles = positions * 0.05
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    along = positions[clustered_order(cosine_matrix(vectors, vectors)).rows]
    assert np.all(np.diff(along) == 1) or np.all(np.diff(along) == -1)


@pytest.mark.parametrize("rows", [1, 2])
def test_one_and_two_rows_keep_their_order(rows: int) -> None:
    vectors = random_units(rows, 4)
    assert clustered_order(cosine_matrix(vectors, vectors)).rows.tolist() == list(range(rows))


def test_identical_texts_can_be_ordered() -> None:
    order = clustered_order(np.ones((30, 30)))
    assert sorted(order.rows.tolist()) == list(range(30))

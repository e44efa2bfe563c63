"""Ranks are stable against noise in the last bits, and movement adds up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.analysis.ranking import kendall_tau, movement, order, overlap_at_k, ranks
from explorer.errors import InputError

SCORES = st.lists(st.floats(-20, 20).map(lambda score: round(score, 3)), min_size=0, max_size=30)


def test_ranks_begin_with_the_best() -> None:
    assert ranks([0.1, 0.9, 0.5]).tolist() == [3, 1, 2]
    assert order([0.1, 0.9, 0.5]).tolist() == [1, 2, 0]


def test_near_ties_keep_the_order_given() -> None:
    assert ranks([0.5, 0.50001, 0.49999, 0.6]).tolist() == [2, 3, 4, 1]
    assert ranks([0.5, 0.50001], decimals=6).tolist() == [2, 1]


@settings(derandomize=True, max_examples=100, deadline=None)
@given(SCORES, st.integers(0, 100))
def test_noise_of_another_batch_changes_no_rank(scores: list[float], seed: int) -> None:
    noise = np.random.default_rng(seed).uniform(-4e-5, 4e-5, len(scores))
    assert ranks(np.array(scores) + noise).tolist() == ranks(scores).tolist()
    assert sorted(ranks(scores).tolist()) == list(range(1, len(scores) + 1))


def test_movement_is_positive_for_a_document_that_climbs() -> None:
    moved = movement([0.9, 0.8, 0.7], [-1.0, 0.0, 3.0])
    assert moved.first_ranks.tolist() == [1, 2, 3]
    assert moved.second_ranks.tolist() == [3, 2, 1]
    assert moved.moved.tolist() == [-2, 0, 2]


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), max_size=20))
def test_movements_add_up_to_nothing(pairs: list[tuple[float, float]]) -> None:
    moved = movement([first for first, _ in pairs], [second for _, second in pairs])
    assert moved.moved.sum() == 0


def test_rankings_are_compared() -> None:
    rising, falling = [1, 2, 3, 4, 5], [5, 4, 3, 2, 1]
    assert kendall_tau(rising, rising) == pytest.approx(1)
    assert kendall_tau(rising, falling) == pytest.approx(-1)
    assert kendall_tau([1, 2, 3], [1, 3, 2]) == pytest.approx(1 / 3)
    assert kendall_tau([], []) == kendall_tau([1], [2]) == 1
    assert overlap_at_k(rising, falling, 2) == 0
    assert overlap_at_k(rising, falling, 3) == pytest.approx(1 / 3)
    assert overlap_at_k(rising, falling, 99) == 1
    assert overlap_at_k([], [], 3) == 1


def test_unusable_scores_are_named() -> None:
    with pytest.raises(InputError, match="belong together"):
        movement([1, 2], [1])
    with pytest.raises(InputError, match="infinite"):
        ranks([np.nan])
    with pytest.raises(InputError, match="shape"):
        ranks([[1.0]])
    with pytest.raises(InputError, match="at least 1"):
        overlap_at_k([1], [1], 0)

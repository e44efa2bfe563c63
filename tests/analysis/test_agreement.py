"""Scorings of the same documents are compared by their orders, query by query."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from explorer.analysis.agreement import agreement, change, ranks_of_each
from explorer.errors import InputError


def scores_of(seed: int, scorings: int = 4, queries: int = 3, documents: int = 9) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(scorings, queries, documents)).astype(np.float32)


def test_agreement_is_the_mean_of_scipys_tau_over_the_queries() -> None:
    scores = scores_of(1)
    found = agreement(scores)
    for first in range(4):
        for second in range(4):
            expected = np.mean(
                [kendalltau(a, b).statistic for a, b in zip(scores[first], scores[second], strict=True)]
            )
            assert found[first, second] == pytest.approx(expected, abs=1e-12)


def test_documents_are_ranked_within_their_query() -> None:
    scores = np.array([[[0.1, 0.9, 0.5], [3.0, 2.0, 1.0]], [[5.0, 4.0, 6.0], [0.0, 0.0, 0.0]]])
    assert ranks_of_each(scores).tolist() == [[[3, 1, 2], [1, 2, 3]], [[2, 3, 1], [1, 2, 3]]]


def test_equal_scores_equal_order_and_another_order_are_told_apart() -> None:
    first = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 2.0]])
    assert change(first, first.copy()) == change(first, first)
    assert change(first, first).kind == "same_scores"
    shifted = change(first, first + 0.5)
    assert (shifted.kind, shifted.moved, shifted.largest) == ("same_order", 0, 0.5)
    swapped = first.copy()
    swapped[1] = [0.0, 2.0, 1.0]
    found = change(first, swapped)
    assert (found.kind, found.moved, found.largest) == ("changed", 2, 1.0)


def test_a_difference_in_the_last_bit_is_not_the_same_scores() -> None:
    first = np.array([[1.0, 0.5]], dtype=np.float32)
    assert change(first, np.nextafter(first, np.float32(2))).kind == "same_order"


@pytest.mark.parametrize("scores", [[[1.0, 2.0]], [[[1.0, 2.0], [1.0]]], 1.0])
def test_scores_that_form_no_block_are_refused(scores: object) -> None:
    with pytest.raises(InputError, match="one block"):
        agreement(scores)

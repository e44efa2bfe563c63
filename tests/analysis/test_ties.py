"""What coarse scores fail to tell apart is counted as one would by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.analysis.ties import ties
from explorer.errors import InputError


def test_ties_are_counted_by_document_by_value_and_by_pair() -> None:
    found = ties([3.0, 2.5, 2.0, -1.0, -2.0], [1.0, 1.0, 0.5, 0.25, 0.25])
    assert found.sizes.tolist() == [2, 2, 1, 2, 2]
    assert (found.distinct, found.first, found.tied_pairs, found.reversed_pairs) == (3, 2, 2, 0)


def test_documents_alike_in_the_first_place_are_no_loss() -> None:
    found = ties([1.0, 1.0, 0.0], [0.7, 0.7, 0.5])
    assert (found.tied_pairs, found.distinct, found.first) == (0, 2, 2)


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-3, 3)), max_size=12))
def test_pairs_are_counted_as_by_hand(scores: list[tuple[int, int]]) -> None:
    fine, coarse = [a for a, _ in scores], [b for _, b in scores]
    pairs = list(combinations(scores, 2))
    found = ties(fine, coarse)
    assert found.tied_pairs == sum(a[0] != b[0] and a[1] == b[1] for a, b in pairs)
    assert found.reversed_pairs == sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for a, b in pairs)
    assert found.sizes.tolist() == [coarse.count(value) for value in coarse]
    assert found.first == (coarse.count(max(coarse)) if coarse else 0)


def test_scores_of_other_documents_are_refused() -> None:
    with pytest.raises(InputError):
        ties(np.zeros(3), np.zeros(2))

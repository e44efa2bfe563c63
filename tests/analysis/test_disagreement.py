"""Quadrants of two scores, against a count by hand."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.analysis.disagreement import quadrants
from explorer.errors import InputError

COSINES = [0.9, 0.1, 0.8, 0.2, 0.5, 0.8]
LOG_ODDS = [-2.0, 3.0, 1.0, -1.0, 0.0, -2.5]


def test_each_pair_lies_in_one_quadrant_and_the_lists_are_ordered() -> None:
    found = quadrants(COSINES, LOG_ODDS, cosine_cut=0.4)
    assert found.false_friends.tolist() == [0, 5, 4], "close but judged no, the closest first"
    assert found.hidden_gems.tolist() == [1]
    assert (found.both_yes, found.both_no) == (1, 1)


def test_a_pair_on_a_cut_is_neither_close_nor_yes() -> None:
    found = quadrants([0.4, 0.4], [1.0, 0.0], cosine_cut=0.4)
    assert found.hidden_gems.tolist() == [0]
    assert (len(found.false_friends), found.both_yes, found.both_no) == (0, 0, 1)


def test_hidden_gems_come_with_the_surest_yes_first_and_ties_in_the_order_given() -> None:
    found = quadrants([0.0, 0.1, 0.2, 0.3], [1.0, 5.0, 5.0, 2.0], cosine_cut=0.5)
    assert found.hidden_gems.tolist() == [1, 2, 3, 0]


def test_the_parts_hold_every_pair_once() -> None:
    draw = np.random.default_rng(3)
    cosines, log_odds = draw.uniform(-1, 1, 500), draw.normal(0, 3, 500)
    found = quadrants(cosines, log_odds, float(np.median(cosines)), 0.5)
    listed = [*found.false_friends.tolist(), *found.hidden_gems.tolist()]
    assert len(set(listed)) == len(listed)
    assert len(listed) + found.both_yes + found.both_no == 500


@pytest.mark.parametrize("log_odds", [[1.0], [np.nan, 0.0], [[1.0, 2.0]]])
def test_scores_that_do_not_belong_together_are_refused(log_odds: list[float]) -> None:
    with pytest.raises(InputError):
        quadrants([0.1, 0.2], log_odds, 0.0)

"""The deletion test: what it measures and when it says to believe."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.analysis.deletion import DeletionTest, deletion_orders, deletion_steps


def outcome(named: list[float], random: list[list[float]]) -> DeletionTest:
    return DeletionTest(
        (1, 2), 10, 3.0, np.array(named, dtype=np.float32), np.array(random, dtype=np.float32)
    )


@pytest.mark.parametrize(
    ("named", "random", "verdict", "beaten"),
    [
        ([0, -1], [[2, 1], [3, 2], [2, 2], [2, 2]], "believe", 1.0),
        ([1, 1], [[2, 1], [3, 2], [2, 2], [0, 0]], "partly", 0.75),
        ([3, 3], [[2, 1], [3, 2], [2, 2], [2, 2]], "doubt", 0.0),
        ([2, 2], [[2, 2], [2, 2], [2, 2], [2, 2]], "doubt", 0.0),
    ],
)
def test_the_verdict_says_how_many_random_deletions_were_beaten(named, random, verdict, beaten) -> None:
    test = outcome(named, random)
    assert (test.verdict, test.beaten) == (verdict, beaten)


def test_the_area_is_the_mean_lead_in_log_odds() -> None:
    assert outcome([1, 0], [[2, 2], [4, 2]]).area == pytest.approx(((3 - 1) + (2 - 0)) / 2)


def test_steps_are_whole_words_each_once() -> None:
    assert deletion_steps(3, (0.05, 0.1, 0.5)) == (1, 2)
    assert deletion_steps(1, (0.1, 0.9)) == (1,)


def test_orders_begin_with_what_speaks_for_yes_and_are_the_same_every_time() -> None:
    values = np.array([0.1, 2.0, -3.0], dtype=np.float32)
    orders = deletion_orders(values, 4)
    assert orders[0] == [1, 0, 2]
    assert all(sorted(order) == [0, 1, 2] for order in orders) and len(orders) == 5
    assert orders[1:] == deletion_orders(-values, 4)[1:]

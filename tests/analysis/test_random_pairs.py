"""Random pairs hold only pairs of different topics, each once, and place a cosine among them."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.analysis.arrays import unit_rows
from explorer.analysis.random_pairs import RandomPairs, unrelated_pairs
from explorer.errors import InputError


def test_every_pair_of_different_topics_counts_once() -> None:
    rng = np.random.default_rng(0)
    texts = unit_rows(rng.normal(size=(7, 5)).astype(np.float32))
    topics = list("aabbbcd")
    by_hand = sorted(
        float(texts[i] @ texts[j]) for i in range(7) for j in range(i + 1, 7) if topics[i] != topics[j]
    )
    np.testing.assert_allclose(unrelated_pairs(texts, texts, topics, topics).cosines, by_hand, atol=1e-6)
    queries = unit_rows(rng.normal(size=(3, 5)).astype(np.float32))
    against = sorted(
        float(queries[i] @ texts[j]) for i in range(3) for j in range(7) if "abc"[i] != topics[j]
    )
    np.testing.assert_allclose(unrelated_pairs(queries, texts, "abc", topics).cosines, against, atol=1e-6)


def test_pairs_of_one_topic_only_are_refused() -> None:
    with pytest.raises(InputError):
        unrelated_pairs(np.eye(3), np.eye(3), "aaa", "aaa")


def test_a_cosine_is_placed_by_how_many_pairs_are_smaller() -> None:
    pairs = RandomPairs(np.array([-0.5, 0.0, 0.0, 0.5], np.float32))
    assert [pairs.share_below(cosine) for cosine in (-1, -0.5, 0.0, 0.25, 1)] == [0, 0, 0.25, 0.75, 1]
    assert pairs.quantile(0.5) == 0

"""How high a cosine is for its model is never overstated."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.analysis.random_pairs import RandomPairs
from explorer.ui.similarity_views import standing

PAIRS = RandomPairs(np.linspace(0, 0.9999, 10_000, dtype=np.float32))


@pytest.mark.parametrize(
    ("cosine", "said"),
    [
        (1.0, "higher than all 10,000 random pairs"),
        (0.99985, "higher than 99.9% of 10,000 random pairs"),
        (0.50005, "higher than 50.0% of"),
        (0.0, "no higher than any of 10,000 random pairs"),
    ],
)
def test_a_cosine_is_placed_in_a_sentence(cosine: float, said: str) -> None:
    assert said in standing(PAIRS, cosine, "en")
    assert "10,000" in standing(PAIRS, cosine, "zh")

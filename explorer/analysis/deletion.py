"""Whether taking out the words that an explanation names changes the score more than taking out any others.

Source: the perturbation test of Samek et al., arXiv 1509.06321, with random deletions as the yardstick.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.analysis.arrays import Floats

Verdict = Literal["believe", "partly", "doubt"]


@dataclass(frozen=True)
class DeletionTest:
    """Log-odds after more and more words were taken out.

    Attributes:
        counts: Words taken out at each step, rising, k of them.
        words: Words in all.
        whole: Log-odds with every word in place.
        named: Log-odds without the words that are said to speak most for yes, float32 [k].
        random: Log-odds without as many random words, float32 [draws, k].
    """

    counts: tuple[int, ...]
    words: int
    whole: float
    named: Floats
    random: Floats

    @property
    def area(self) -> float:
        """Log-odds by which the named words matter more than random ones, on average over the steps."""
        return float((self.random.mean(axis=0) - self.named).mean())

    @property
    def beaten(self) -> float:
        """Share of the random deletions that lowered the score less than the named words did."""
        return float((self.random.mean(axis=1) > self.named.mean()).mean())

    @property
    def verdict(self) -> Verdict:
        """How far to believe the explanation: it beats every random deletion, most of them, or not even those."""
        if self.beaten == 1:
            return "believe"
        return "partly" if self.beaten >= 0.75 and self.area > 0 else "doubt"


def deletion_steps(words: int, shares: tuple[float, ...]) -> tuple[int, ...]:
    """Turn shares of the words into counts, each once.

    Args:
        words: Words in all, at least 1.
        shares: Between 0 and 1, rising.

    Returns:
        Counts of at least 1, rising.
    """
    return tuple(sorted({max(1, round(share * words)) for share in shares}))


def deletion_orders(values: Floats, draws: int, seed: int = 0) -> list[list[int]]:
    """Order words for deletion: those that speak most for yes first, then random orders.

    Args:
        values: Value of each word, float32 [words].
        draws: How many random orders.
        seed: Of the random orders.

    Returns:
        1 + ``draws`` orders, each of all words.
    """
    draw = np.random.default_rng(seed)
    named = np.argsort(-values, kind="stable")
    return [named.tolist(), *(draw.permutation(len(values)).tolist() for _ in range(draws))]

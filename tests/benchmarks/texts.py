"""Texts of known length in tokens, no two of them equal."""

from __future__ import annotations

import numpy as np
from tokenizers import Tokenizer

from tests.tiny_models import SENTENCES

LONGEST = 512
"""Tokens at most."""

_WORDS = sorted({word for sentence in SENTENCES[:4] for word in sentence.split()})


def mixed_texts(tokenizer: Tokenizer, count: int, median: float, sigma: float, seed: int = 0) -> list[str]:
    """Write texts whose lengths are log-normal.

    Args:
        tokenizer: Counts the tokens.
        count: How many texts.
        median: Median length in tokens.
        sigma: Standard deviation of the logarithm of the length.
        seed: Chooses lengths and words.

    Returns:
        Each text begins with its own number, so that no cache can help between two of them.
    """
    draw = np.random.default_rng(seed)
    lengths = np.clip(draw.lognormal(np.log(median), sigma, count), 1, LONGEST)
    cost = np.array([len(tokenizer.encode(f" {word}", add_special_tokens=False).ids) for word in _WORDS])
    return [_text(index, length, cost, draw) for index, length in enumerate(lengths)]


def texts_to_embed(tokenizer: Tokenizer, count: int) -> list[str]:
    """Write the texts of mixed length that all measurements of embedding share."""
    return mixed_texts(tokenizer, count, median=40, sigma=1.0, seed=1)


def queries_to_embed(tokenizer: Tokenizer, count: int) -> list[str]:
    """Write short queries."""
    return mixed_texts(tokenizer, count, median=12, sigma=0.4, seed=3)


def _text(index: int, length: float, cost: np.ndarray, draw: np.random.Generator) -> str:
    """Add words to a number until the length is reached."""
    number = str(index)
    chosen = draw.integers(0, len(_WORDS), int(length) + 1)
    kept = np.cumsum(cost[chosen]) <= length - len(number)
    return " ".join([number, *(_WORDS[word] for word in chosen[kept])])

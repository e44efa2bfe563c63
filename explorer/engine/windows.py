"""Many texts in windows of some packs each: the next window is tokenised while the device computes this one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Tokenised = TypeVar("Tokenised")

PACKS = 16
"""Packs of one window. Its last pack is only partly filled, so fewer would waste more; more would need more memory and
come back later."""

CHARACTERS_A_TOKEN = 4
"""About as many as English has with this tokenizer; a window needs no exact size."""

MOST_TEXTS = 16_384
"""Texts of one window at most, however short: their vectors are held together."""


@dataclass(frozen=True)
class Window:
    """Some of the texts.

    Attributes:
        indices: Which texts these are, int64 [n].
        texts: The texts, n of them.
    """

    indices: NDArray[np.int64]
    texts: list[str]


def window_characters(budget: int) -> int:
    """Size a window.

    Args:
        budget: Tokens of one pack.

    Returns:
        Characters of one window, about :data:`PACKS` packs.
    """
    return PACKS * budget * CHARACTERS_A_TOKEN


def windows_by_length(texts: Sequence[str], characters: int) -> Iterator[Window]:
    """Cut texts into windows of similar length, the longest first.

    The number of characters stands for the number of tokens, which is not known yet; within a window the texts are
    ordered by their tokens.

    Args:
        texts: All texts.
        characters: Of one window, see :func:`window_characters`.

    Yields:
        Windows that together hold every text once.
    """
    order = np.argsort([-len(text) for text in texts], kind="stable")
    yield from _cut(((int(index), texts[index]) for index in order), characters)


def windows_in_order(texts: Iterable[str], characters: int) -> Iterator[Window]:
    """Cut texts into windows as they come.

    Args:
        texts: Any number of texts, read no further than is asked for.
        characters: Of one window, see :func:`window_characters`.

    Yields:
        Windows that together hold every text once, in their order.
    """
    yield from _cut(enumerate(texts), characters)


def tokenised_ahead(
    windows: Iterable[Window], tokenise: Callable[[Window], Tokenised]
) -> Iterator[tuple[Window, Tokenised]]:
    """Tokenise windows, each while the one before it is being worked on.

    Args:
        windows: The windows.
        tokenise: Reads one window; called in another thread from the second window on.

    Yields:
        (window, what ``tokenise`` made of it), in the order of the windows.
    """
    waiting = iter(windows)
    window = next(waiting, None)
    if window is None:
        return
    tokenised, following = tokenise(window), next(waiting, None)
    if following is None:  # the usual case of an interactive request needs no thread
        yield window, tokenised
        return
    with ThreadPoolExecutor(1, thread_name_prefix="tokenise") as pool:
        while following is not None:
            ahead = pool.submit(tokenise, following)
            yield window, tokenised
            window, tokenised = following, ahead.result()
            following = next(waiting, None)
    yield window, tokenised


def _cut(numbered: Iterable[tuple[int, str]], characters: int) -> Iterator[Window]:
    """Fill windows one after the other."""
    indices: list[int] = []
    texts: list[str] = []
    held = 0
    for index, text in numbered:
        if texts and (held + len(text) > characters or len(texts) == MOST_TEXTS):
            yield Window(np.array(indices, dtype=np.int64), texts)
            indices, texts, held = [], [], 0
        indices.append(index)
        texts.append(text)
        held += len(text)
    if texts:
        yield Window(np.array(indices, dtype=np.int64), texts)

"""Windows hold every text once, in the promised order, and are tokenised one ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.engine import windows
from explorer.engine.windows import Window, tokenised_ahead, windows_by_length, windows_in_order

TEXTS = st.lists(st.text(max_size=30), max_size=60)
ROOM = st.integers(1, 200)


def joined(cut: list[Window]) -> tuple[list[int], list[str]]:
    return [int(index) for one in cut for index in one.indices], [text for one in cut for text in one.texts]


@given(TEXTS, ROOM)
def test_windows_in_order_keep_the_order(texts: list[str], room: int) -> None:
    cut = list(windows_in_order(iter(texts), room))
    assert joined(cut) == (list(range(len(texts))), texts)
    assert all(len(one.texts) == 1 or sum(map(len, one.texts)) <= room for one in cut)


@given(TEXTS, ROOM)
def test_windows_by_length_hold_every_text_once_longest_first(texts: list[str], room: int) -> None:
    indices, held = joined(list(windows_by_length(texts, room)))
    assert sorted(indices) == list(range(len(texts)))
    assert held == [texts[index] for index in indices]
    assert [len(text) for text in held] == sorted(map(len, texts), reverse=True)


def test_a_window_has_a_largest_number_of_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "MOST_TEXTS", 3)
    assert [len(one.texts) for one in windows_in_order([""] * 7, 100)] == [3, 3, 1]


def test_texts_are_read_no_further_than_the_next_window() -> None:
    read: list[int] = []

    def endless() -> Iterator[str]:
        while True:
            read.append(1)
            yield "four"

    steps = tokenised_ahead(windows_in_order(endless(), 40), lambda one: len(one.texts))
    assert next(steps)[1] == 10
    next(steps)
    assert len(read) <= 32
    steps.close()


def test_the_next_window_is_tokenised_while_this_one_is_worked_on() -> None:
    second_was_read = threading.Event()

    def tokenise(window: Window) -> int:
        if window.indices[0] == 1:
            second_was_read.set()
        return int(window.indices[0])

    steps = tokenised_ahead(windows_in_order(["a", "b", "c"], 1), tokenise)
    assert next(steps)[1] == 0
    assert second_was_read.wait(5)
    assert [number for _, number in steps] == [1, 2]


def test_a_single_window_starts_no_thread() -> None:
    before = threading.active_count()
    steps = tokenised_ahead(windows_in_order(["a"], 10), lambda one: threading.current_thread())
    assert next(steps)[1] is threading.current_thread()
    assert threading.active_count() == before


def test_an_error_while_tokenising_ahead_reaches_the_caller_in_its_turn() -> None:
    def tokenise(window: Window) -> int:
        if window.indices[0] == 1:
            raise ValueError("cannot read this")
        return 0

    steps = tokenised_ahead(windows_in_order(["a", "b"], 1), tokenise)
    next(steps)
    with pytest.raises(ValueError, match="cannot read"):
        next(steps)


def test_nothing_comes_of_no_texts() -> None:
    assert list(windows_by_length([], 10)) == []
    assert list(tokenised_ahead(windows_in_order([], 10), lambda one: np.zeros(1))) == []

"""Answers come back in the order they were asked, a bounded number under way, and stop when asked to."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.engine.in_flight import in_order, text_batches
from explorer.errors import Cancelled, InputError
from explorer.progress import CancelToken


def test_answers_keep_their_order_whatever_comes_first():
    def answer(number: int) -> int:
        time.sleep(0.01 if number % 3 == 0 else 0)
        return number

    assert list(in_order(range(40), answer, 4)) == list(range(40))


def test_no_more_than_a_few_are_under_way_or_read_ahead():
    lock, now, most, read = threading.Lock(), 0, 0, 0

    def numbers():
        nonlocal read
        for number in range(1_000):
            read += 1
            yield number

    def answer(number: int) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.002)
        with lock:
            now -= 1
        return number

    answers = in_order(numbers(), answer, 3)
    assert [next(answers) for _ in range(20)] == list(range(20))
    assert most == 3
    assert read <= 20 + 6
    answers.close()


def test_three_are_really_under_way_together():
    together = threading.Barrier(3)
    assert list(in_order(range(3), lambda number: together.wait(10) >= 0, 3)) == [True] * 3


def test_a_failure_ends_it_and_nothing_more_is_asked():
    asked = []

    def answer(number: int) -> int:
        asked.append(number)
        if number == 2:
            raise InputError("errors.cancelled")
        return number

    with pytest.raises(InputError):
        list(in_order(range(100), answer, 1))
    assert asked[:3] == [0, 1, 2]
    assert len(asked) <= 4


def test_stopping_neither_waits_for_what_is_under_way_nor_asks_for_more():
    cancel, released = CancelToken(), threading.Event()
    asked, answered = [], []

    def answer(number: int) -> int:
        asked.append(number)
        cancel.cancel()
        released.wait(20)
        answered.append(number)
        return number

    try:
        with pytest.raises(Cancelled):
            list(in_order(range(5), answer, 1, cancel))
        assert answered == []
    finally:
        released.set()
    for thread in threading.enumerate():
        if thread.name.startswith("requests"):
            thread.join(20)
    assert asked == [0]


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=8), max_size=30), st.integers(1, 6), st.integers(1, 20))
def test_batches_hold_every_text_once_within_both_limits(texts, most_texts, most_characters):
    batches = list(text_batches(texts, most_texts, most_characters))
    assert [text for batch in batches for text in batch] == texts
    for batch in batches:
        assert 1 <= len(batch) <= most_texts
        assert len(batch) == 1 or sum(map(len, batch)) <= most_characters
    for batch, following in pairwise(batches):
        full = sum(map(len, batch)) + len(following[0]) > most_characters
        assert full or len(batch) == most_texts

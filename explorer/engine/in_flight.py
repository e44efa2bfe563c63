"""Many requests to one server: several under way at once, their answers in the order they were asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from explorer.progress import CancelToken

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")

_LOOK_EVERY = 0.05
"""Seconds between two looks at the cancel token while an answer is awaited."""


def in_order(
    asked: Iterable[Asked],
    answer: Callable[[Asked], Answered],
    parallel: int,
    cancel: CancelToken | None = None,
) -> Iterator[Answered]:
    """Answer any number of requests, in bounded memory.

    Args:
        asked: Read only as far as twice ``parallel`` ahead of what was given back.
        answer: Called for each, in another thread.
        parallel: Calls under way at once.
        cancel: Stops at once; calls under way end by themselves and their answers are dropped.

    Yields:
        The answers, in order.

    Raises:
        Cancelled: The person asked to stop.
    """
    pool = ThreadPoolExecutor(parallel, thread_name_prefix="requests")
    under_way: deque[Future[Answered]] = deque()
    try:
        for one in asked:
            under_way.append(pool.submit(answer, one))
            if len(under_way) >= 2 * parallel:
                yield _awaited(under_way.popleft(), cancel)
        while under_way:
            yield _awaited(under_way.popleft(), cancel)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def text_batches(texts: Iterable[str], most_texts: int, most_characters: int) -> Iterator[list[str]]:
    """Cut texts into requests.

    Args:
        texts: Any number.
        most_texts: Texts a request may hold.
        most_characters: Characters a request may hold; a single text may exceed it.

    Yields:
        Neighbouring texts, at least one at a time.
    """
    batch: list[str] = []
    characters = 0
    for text in texts:
        if batch and (len(batch) >= most_texts or characters + len(text) > most_characters):
            yield batch
            batch, characters = [], 0
        batch.append(text)
        characters += len(text)
    if batch:
        yield batch


def _awaited(future: Future[Answered], cancel: CancelToken | None) -> Answered:
    """Wait for one answer, unless somebody asks to stop."""
    while cancel is not None and not future.done():
        cancel.raise_if_cancelled()
        wait([future], timeout=_LOOK_EVERY)
    if cancel is not None:
        cancel.raise_if_cancelled()
    return future.result()

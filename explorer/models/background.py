"""Work on a thread of its own, watched from a generator that can be left at any time."""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable, Generator
from typing import Generic, Never, TypeVar

from explorer.errors import Cancelled
from explorer.progress import CancelToken, LoadProgress, Progress

Result = TypeVar("Result")

POLL_SECONDS = 0.2
"""How often a generator gives a step although nothing happened, so that it can be left."""


class Background(Generic[Result]):
    """Work that reports by callback, on a daemon thread that starts at once.

    Args:
        work: Called with the callback to report by.
        stage: What is shown until the first report.
    """

    def __init__(self, work: Callable[[LoadProgress], Result], stage: str) -> None:
        """Start the thread."""
        self._step: Progress[Never] = Progress(0, 0, stage)
        self._reports: queue.SimpleQueue[Progress[Never] | None] = queue.SimpleQueue()
        self._outcome: list[Result] = []
        self._failure: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, args=(work,), name="load-model", daemon=True)
        self._thread.start()

    def steps(
        self, cancel: CancelToken, patience: float | None = None
    ) -> Generator[Progress[Never], None, Result]:
        """Give the reports as steps, and the last one again while nothing is reported.

        Leaving the generator raises the token and waits for the work to stop.

        Args:
            cancel: The token that stops the work.
            patience: Seconds to wait for work that was asked to stop; then it is left behind to end by itself, as
                is right for a read from a network that stalls. None to wait however long it takes.

        Yields:
            Steps.

        Returns:
            What the work returned.

        Raises:
            Cancelled: The token was raised, and patience came to an end.
        """
        try:
            while not self._over(cancel, patience):
                yield self._step
        except BaseException:
            cancel.cancel()
            self._thread.join(patience)
            raise
        if self._failure:
            # Popped, so that the traceback does not outlive its handling.
            raise self._failure.pop()
        if not self._outcome:
            raise Cancelled("errors.cancelled")
        return self._outcome.pop()

    def _over(self, cancel: CancelToken, patience: float | None) -> bool:
        """Wait for the next report; True when the work has ended or was left behind."""
        try:
            report = self._reports.get(timeout=POLL_SECONDS)
        except queue.Empty:
            if cancel.cancelled and patience is not None:
                self._thread.join(patience)
                return True
            return False
        if report is None:
            self._thread.join()
            return True
        self._step = report
        return False

    def _run(self, work: Callable[[LoadProgress], Result]) -> None:
        """Do the work."""
        try:
            self._outcome.append(
                work(lambda stage, done, total: self._reports.put(Progress(done, total, stage)))
            )
        except BaseException as error:
            # The frames hold half-loaded weights, whose memory the next attempt may need.
            traceback.clear_frames(error.__traceback__)
            self._failure.append(error)
        finally:
            self._reports.put(None)


def waited_for(
    lock: threading.Lock, stage: str, cancel: CancelToken
) -> Generator[Progress[Never], None, None]:
    """Acquire a lock, with a step now and then while somebody else holds it.

    Args:
        lock: Held when the generator has ended.
        stage: What is shown meanwhile.
        cancel: Stops the waiting.

    Yields:
        Steps, none when the lock is free.

    Raises:
        Cancelled: The token was raised; the lock is not held.
    """
    while not lock.acquire(timeout=POLL_SECONDS):
        cancel.raise_if_cancelled()
        yield Progress(0, 0, stage)

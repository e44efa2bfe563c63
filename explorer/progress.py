"""How far a long job has come, and how to stop it.

Anything that can take long is a generator of :class:`Progress`; the page draws it as a bar, the command line
as a line, a test as a list. Work that is called as a plain function takes a :data:`ProgressCallback` and a
:class:`CancelToken`, which it looks at between batches.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from explorer.errors import Cancelled

ProgressCallback = Callable[[int, int], None]
"""Called with (done, total), in units the caller knows: texts, pairs or bytes."""

LoadProgress = Callable[[str, int, int], None]
"""Called with (stage, bytes done, bytes in all); the stage is a key of :mod:`explorer.texts`."""

Result = TypeVar("Result", covariant=True)


@dataclass(frozen=True)
class Progress(Generic[Result]):
    """One step of a long job.

    Attributes:
        done: Units finished.
        total: Units in all; 0 while unknown.
        stage: What is being done now, a key of :mod:`explorer.texts`.
        partial: The result so far, or the whole result once ``done == total``.
    """

    done: int
    total: int
    stage: str
    partial: Result | None = None


class CancelToken:
    """A flag that another thread may raise to stop a job between two batches."""

    def __init__(self) -> None:
        """Make a token that has not been raised."""
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the job that holds this token to stop before its next batch."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to stop."""
        return self._event.is_set()

    def raise_if_cancelled(self) -> None:
        """Stop here if somebody asked to.

        Raises:
            Cancelled: The token was raised.
        """
        if self._event.is_set():
            raise Cancelled("errors.cancelled")

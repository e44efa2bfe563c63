"""What an endpoint answers: steps, then the result as plain JSON."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, TypeVar

from explorer.notices import Notice
from explorer.progress import Progress

Result = TypeVar("Result")

Answer = Iterator[dict[str, Any]]
"""Steps ``{"done", "total"}``, so that a client can stop between two batches, then the result."""


def answered(
    job: Generator[Progress[Result], None, None], form: Callable[[Result], dict[str, Any]]
) -> Answer:
    """Run a job for a client.

    Args:
        job: The job; it is closed when the client goes.
        form: Writes the result as plain JSON.

    Yields:
        One step for each of the job's, the last with the result.
    """
    try:
        for step in job:
            finished = step.partial
            yield {"done": step.done, "total": step.total} if finished is None else form(finished)
    finally:
        job.close()


def sentences_of(notices: Iterable[Notice]) -> list[str]:
    """Write notices in English.

    Args:
        notices: What was left out or cut.
    """
    return [notice.text("en") for notice in notices]

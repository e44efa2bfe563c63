"""Running work for a visitor: one job on the device at a time, with progress, and errors said in words.

A handler hands a generator of :class:`~explorer.progress.Progress` to :func:`follow`. Gradio closes that
generator when the visitor presses Stop, which closes the job's own generator, so nothing more is computed.
"""

from __future__ import annotations

import functools
import html
import inspect
import logging
import secrets
from collections.abc import Callable, Generator, Iterator
from typing import Any, ParamSpec, TypeVar

import gradio as gr

from explorer.errors import Cancelled, ExplorerError
from explorer.progress import Progress
from explorer.texts import Language, say
from explorer.ui.language import language_of

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

DEVICE = "device"
"""Concurrency group of every event that computes on the device: they wait for each other."""

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""Options of an event that answers soon and is no endpoint."""

INSTANT: dict[str, Any] = {**QUIET, "queue": False}
"""The same for an event that cannot fail, which goes past the queue: outside it, an error has no toast."""

STATE_SECONDS = 3600
"""A visitor's last result is forgotten after an hour without use."""

log = logging.getLogger("explorer")


def on_device(caption: gr.HTML) -> dict[str, Any]:
    """Give the options of an event that computes on the device.

    Args:
        caption: Where the progress bar is drawn, so that it never covers the last result.

    Returns:
        Options for a gradio event.
    """
    return {
        "api_visibility": "private",
        "concurrency_id": DEVICE,
        "concurrency_limit": 1,
        "show_progress": "full",
        "show_progress_on": [caption],
    }


def follow(
    job: Generator[Progress[Result], None, None], bar: gr.Progress, language: Language
) -> Iterator[Result | None]:
    """Draw a job's progress while it runs.

    Args:
        job: The job. It is closed when the reader of this iterator stops reading.
        bar: Gradio's progress bar.
        language: The visitor's language.

    Yields:
        None for each step that has no result yet, else the result so far.
    """
    try:
        for step in job:
            bar((step.done, step.total or None), desc=say(step.stage, language), unit="")
            yield step.partial
    finally:
        job.close()


def said(handler: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Turn errors of a handler into sentences in the visitor's language.

    Args:
        handler: A function or generator with a parameter ``request``.

    Returns:
        The same handler; an :class:`ExplorerError` becomes a toast with its sentence, anything else one with a
        number that also stands in the log beside the traceback.
    """
    signature = inspect.signature(handler)

    def toast(error: Exception, *args: Any, **kwargs: Any) -> gr.Error:  # noqa: ANN401 - gradio's own values
        language = language_of(signature.bind(*args, **kwargs).arguments.get("request"))
        if isinstance(error, ExplorerError):
            title = "ui.stopped" if isinstance(error, Cancelled) else "ui.please_check"
            return gr.Error(
                html.escape(error.text(language)), title=say(title, language), print_exception=False
            )
        number = secrets.token_hex(4)
        log.error("unexpected error %s", number, exc_info=error)
        return gr.Error(say("ui.unexpected", language, number=number), print_exception=False)

    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def stream(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Any:  # noqa: ANN401
            try:
                yield from handler(*args, **kwargs)
            except Exception as error:
                raise toast(error, *args, **kwargs) from error

        return stream

    @functools.wraps(handler)
    def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        try:
            return handler(*args, **kwargs)
        except Exception as error:
            raise toast(error, *args, **kwargs) from error

    return call

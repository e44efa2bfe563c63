from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import gradio as gr
import pytest

from explorer.errors import Cancelled, InputError
from explorer.progress import Progress
from explorer.ui.jobs import follow, said


class Bar:
    def __init__(self) -> None:
        self.seen: list[tuple[Any, str]] = []

    def __call__(self, position: Any, desc: str, unit: str) -> None:
        self.seen.append((position, desc))


class Request:
    def __init__(self, language: str) -> None:
        self.headers = {"accept-language": language}


def test_progress_is_drawn_in_the_visitors_language_and_the_result_comes_last() -> None:
    def job() -> Generator[Progress[str], None, None]:
        yield Progress(1, 2, "service.stage_embedding")
        yield Progress(2, 2, "service.stage_done", "result")

    bar = Bar()
    assert list(follow(job(), bar, "zh")) == [None, "result"]  # type: ignore[arg-type]
    assert bar.seen == [((1, 2), "正在计算文本向量"), ((2, 2), "完成")]


def test_a_reader_that_stops_closes_the_job() -> None:
    closed = []

    def job() -> Generator[Progress[str], None, None]:
        try:
            for step in range(100):
                yield Progress(step, 100, "service.stage_embedding")
        finally:
            closed.append(True)

    steps = follow(job(), Bar(), "en")  # type: ignore[arg-type]
    next(iter(steps))
    steps.close()  # type: ignore[attr-defined]
    assert closed == [True]


def test_an_error_is_said_in_the_visitors_language_and_never_as_markup() -> None:
    @said
    def handler(request: Request) -> None:
        raise InputError("settings.dtype", dtype="<img src=x onerror=alert(1)>")

    with pytest.raises(gr.Error) as english:
        handler(Request("en"))
    assert "&lt;img" in english.value.message and "<img" not in english.value.message
    with pytest.raises(gr.Error, match="不支持数值格式"):
        handler(Request("zh-CN"))


def test_an_unexpected_error_shows_a_number_and_nothing_of_the_machine(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @said
    def handler(request: Request) -> None:
        raise OSError("/home/someone/secret.txt")

    with pytest.raises(gr.Error) as shown:
        handler(Request("en"))
    assert "/home" not in shown.value.message
    number = shown.value.message.split("number ")[1][:8]
    assert number in caplog.text and "/home/someone/secret.txt" in caplog.text


def test_a_streaming_handler_keeps_what_it_gave_before_the_error() -> None:
    @said
    def handler(request: Request) -> Iterator[int]:
        yield 1
        raise Cancelled("errors.cancelled")

    steps = handler(Request("en"))
    assert next(steps) == 1
    with pytest.raises(gr.Error, match="Stopped"):
        next(steps)

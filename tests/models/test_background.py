"""Work in the background reports, ends, fails and is left exactly as its generator says."""

from __future__ import annotations

import threading
import time

import pytest

from explorer.errors import Cancelled, InputError
from explorer.models.background import Background, waited_for
from explorer.progress import CancelToken, LoadProgress, Progress


def test_reports_become_steps_and_the_end_raises_no_token() -> None:
    def work(report: LoadProgress) -> str:
        for done in range(3):
            report("models.stage_load", done, 3)
        return "finished"

    cancel = CancelToken()
    steps, seen = Background(work, "models.stage_search").steps(cancel), []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            assert end.value == "finished"
            break
    told = [step for step in seen if step.stage == "models.stage_load"]
    assert list(dict.fromkeys(told)) == [Progress(done, 3, "models.stage_load") for done in range(3)]
    assert not cancel.cancelled


def test_the_last_step_comes_again_while_nothing_is_reported() -> None:
    gate = threading.Event()
    steps = Background(lambda report: report("models.stage_load", 1, 2) or gate.wait(60), "x").steps(
        CancelToken()
    )
    seen = [next(steps) for _ in range(4)]
    assert seen[-2:] == [Progress(1, 2, "models.stage_load")] * 2
    gate.set()
    assert not [step for step in steps if step.done != 1]


def test_a_failure_is_raised_where_the_steps_are_read() -> None:
    def work(report: LoadProgress) -> None:
        raise InputError("errors.cancelled")

    cancel = CancelToken()
    with pytest.raises(InputError):
        list(Background(work, "x").steps(cancel))
    assert not cancel.cancelled


def test_work_that_must_not_be_left_is_waited_for() -> None:
    ended = threading.Event()
    cancel = CancelToken()

    def work(report: LoadProgress) -> None:
        while not cancel.cancelled:
            time.sleep(0.01)
        time.sleep(0.3)
        ended.set()

    steps = Background(work, "x").steps(cancel, patience=None)
    next(steps)
    steps.close()
    assert cancel.cancelled and ended.is_set()


def test_a_lock_is_held_after_waiting_and_not_after_stopping() -> None:
    lock, cancel = threading.Lock(), CancelToken()
    assert list(waited_for(lock, "x", cancel)) == []
    assert lock.locked()
    steps = waited_for(lock, "x", cancel)
    assert next(steps) == Progress(0, 0, "x")
    cancel.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    lock.release()
    assert not lock.locked()

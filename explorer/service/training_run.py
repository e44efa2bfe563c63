"""One training run: a worker thread that goes on when nobody watches, and what is known about it at a moment."""

from __future__ import annotations

import errno
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from explorer.errors import Cancelled, ExplorerError, InputError
from explorer.progress import CancelToken
from explorer.service.training_store import (
    RunRecord,
    append_event,
    read_history,
    trained_folder,
    write_record,
)
from explorer.training.loop.watched import Measured, Stepped, TrainingEvent, TrainingJob

Phase = Literal["preparing", "training", "pausing", "paused", "stopping", "stopped", "finished", "failed"]
ALIVE: frozenset[Phase] = frozenset({"preparing", "training", "pausing", "stopping"})
RESUMABLE: frozenset[Phase] = frozenset({"paused", "failed"})
WINDOW = 20
"""Steps over which the speed is averaged."""

Trainer = Callable[[TrainingJob, CancelToken], Iterator[TrainingEvent]]
"""Trains and tells; ends early, after a whole checkpoint, when the token is raised."""

Finisher = Callable[[TrainingJob, Path], None]
"""Moves or makes the model of a run into a folder."""

log = logging.getLogger("explorer")


@dataclass(frozen=True)
class RunState:
    """What is known about a run at one moment.

    Attributes:
        name: Name of the run, for instance ``"run-007"``.
        phase: What it is doing.
        record: What was asked for.
        done: Steps done.
        steps: Loss and masked share by step.
        quality: Quality on held-out pairs, before training first.
        seconds_left: Estimated; None while unknown or when nothing runs.
        error: Why it failed, or None.
        model: Folder of the model, once there is one.
        version: Grows with every change.
    """

    name: str
    phase: Phase
    record: RunRecord
    done: int
    steps: tuple[Stepped, ...]
    quality: tuple[Measured, ...]
    seconds_left: float | None
    error: ExplorerError | None
    model: Path | None
    version: int

    @property
    def alive(self) -> bool:
        """Whether the worker is busy with it."""
        return self.phase in ALIVE

    @property
    def resumable(self) -> bool:
        """Whether it can go on from its last checkpoint."""
        return self.phase in RESUMABLE


class Run:
    """A run and its worker thread.

    Args:
        folder: Where it is kept.
        record: What was asked for.
        job: What the trainer is given.
    """

    def __init__(self, folder: Path, record: RunRecord, job: Callable[[], TrainingJob]) -> None:
        """Take up what is on the disk, without starting anything."""
        self.folder = folder
        self._job = job
        self._record = record
        self._phase: Phase = "paused"
        self._error: ExplorerError | None = None
        self._version = 0
        self._lock = threading.Lock()
        self._token = CancelToken()
        self._thread: threading.Thread | None = None
        self._times: deque[float] = deque(maxlen=WINDOW + 1)
        self._steps: dict[int, Stepped] = {}
        self._quality: dict[int, Measured] = {}
        for event in read_history(folder):
            self._note(event)
        if record.phase in ("stopped", "finished", "failed"):
            self._phase = record.phase  # type: ignore[assignment]

    def begin(self, trainer: Trainer, finisher: Finisher) -> None:
        """Start the worker, or take the run up again where its last checkpoint is.

        Args:
            trainer: Trains.
            finisher: Makes the model folder when the training has ended.
        """
        with self._lock:
            self._token = CancelToken()
            self._error = None
            self._times.clear()
            self._to("preparing")
            self._thread = threading.Thread(
                target=self._work, args=(trainer, finisher), name=f"train-{self.folder.name}", daemon=True
            )
            self._thread.start()

    def ask(self, wish: Literal["pausing", "stopping"]) -> None:
        """Ask the worker to end after its next whole checkpoint.

        Args:
            wish: Whether the run is to go on later, or ends here with the model as it is.
        """
        with self._lock:
            if self._phase in ALIVE:
                self._to(wish)
                self._token.cancel()

    def end_paused(self, finisher: Finisher) -> None:
        """End a run that is paused, with the model as its last checkpoint has it."""
        with self._lock:
            if self._phase not in RESUMABLE:
                return
            self._to("stopping")
            self._thread = threading.Thread(target=self._finish, args=(finisher, "stopped"), daemon=True)
            self._thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the worker to end."""
        if self._thread is not None:
            self._thread.join(seconds)

    def state(self) -> RunState:
        """Tell what is known now."""
        with self._lock:
            done = max(self._steps, default=0)
            model = trained_folder(self.folder)
            return RunState(
                name=self.folder.name,
                phase=self._phase,
                record=self._record,
                done=done,
                steps=tuple(self._steps[step] for step in sorted(self._steps)),
                quality=tuple(self._quality[step] for step in sorted(self._quality)),
                seconds_left=self._seconds_left(done),
                error=self._error,
                model=model if (model / "config.json").is_file() else None,
                version=self._version,
            )

    def _seconds_left(self, done: int) -> float | None:
        if self._phase not in ALIVE or len(self._times) < 2:
            return None
        pace = (self._times[-1] - self._times[0]) / (len(self._times) - 1)
        return pace * (self._record.request.steps - done)

    def _work(self, trainer: Trainer, finisher: Finisher) -> None:
        """Run the training in the worker thread, and end in one of the phases that nobody is busy with."""
        try:
            for event in trainer(self._job(), self._token):
                with self._lock:
                    if isinstance(event, Stepped):
                        self._times.append(time.monotonic())
                    self._note(event)
                    if self._phase == "preparing" and isinstance(event, Stepped):
                        self._to("training")
                append_event(self.folder, event)
        except Cancelled:
            log.info("%s was stopped", self.folder.name)
        except Exception as error:
            self._fail(error)
            return
        with self._lock:
            wish = self._phase
        if wish == "pausing" and max(self._steps, default=0) < self._record.request.steps:
            self._settle("paused")
        else:
            self._finish(finisher, "stopped" if wish == "stopping" else "finished")

    def _finish(self, finisher: Finisher, phase: Phase) -> None:
        """Make the model folder."""
        try:
            finisher(self._job(), trained_folder(self.folder))
            self._settle(phase)
        except Exception as error:
            self._fail(error)

    def _settle(self, phase: Phase) -> None:
        """Reach a phase that outlives the process."""
        with self._lock:
            self._record = replace(self._record, phase=phase)
            try:
                write_record(self.folder, self._record)
            except OSError as error:
                log.warning("%s cannot be marked as %s: %s", self.folder.name, phase, error)
            self._to(phase)

    def _fail(self, error: Exception) -> None:
        """Keep the reason as a sentence; the run can go on from its last checkpoint."""
        said = as_explorer_error(error)
        with self._lock:
            self._error = said
            self._to("failed")

    def _note(self, event: TrainingEvent) -> None:
        """Remember an event; what came after the checkpoint that a run was taken up from is forgotten."""
        if isinstance(event, Measured):
            self._quality[event.step] = event
        else:
            if event.step <= max(self._steps, default=0):
                self._steps = {step: known for step, known in self._steps.items() if step < event.step}
                self._quality = {step: known for step, known in self._quality.items() if step < event.step}
            self._steps[event.step] = event
        self._version += 1

    def _to(self, phase: Phase) -> None:
        self._phase = phase
        self._version += 1


def as_explorer_error(error: Exception) -> ExplorerError:
    """Put any failure of a training into a sentence.

    Args:
        error: What was raised.

    Returns:
        The error itself when it has a sentence; else one about the disk, or one with the number of a log entry.
    """
    if isinstance(error, ExplorerError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputError("training.disk_full")
    number = secrets.token_hex(4)
    log.error("training failed, number %s", number, exc_info=error)
    return InputError("training.failed", number=number)

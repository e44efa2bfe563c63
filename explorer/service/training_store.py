"""Training runs on the disk: one folder each, from which an interrupted run is taken up again.

::

    <data folder>/training/run-007/
        run.json            what was asked for, and how it ended
        pairs.jsonl         the pairs it was asked to learn from
        history.jsonl       loss and quality, a line as each comes
        work/               checkpoints of the loop
        run-007-trained/    the model: a folder for --embedding and for sentence-transformers
        run-007-merged-40/  the same merged with another model, 40 % of the way
        merges.jsonl        quality at both ends of a kept merge
"""

from __future__ import annotations

import dataclasses
import json
import logging
import re
import shutil
from pathlib import Path
from typing import Any

from explorer.service.training_request import TrainingRequest
from explorer.training.loop.watched import Measured, SizeQuality, Stepped, TrainingEvent

_RUN = re.compile(r"run-(\d{3,})")
log = logging.getLogger("explorer")


@dataclasses.dataclass(frozen=True)
class RunRecord:
    """What a run's folder says about it.

    Attributes:
        request: What was asked for.
        title: File name of the uploaded pairs; empty for the bundled ones.
        base_name: Name of the model that it starts from.
        place: Number format and device of the training, for instance ``fp32 on CPU``.
        phase: How it ended, or the phase it was in when the process ended.
    """

    request: TrainingRequest
    title: str
    base_name: str
    place: str
    phase: str


def run_folders(root: Path) -> list[Path]:
    """List the folders of runs, the oldest first.

    Args:
        root: Folder of all runs.

    Returns:
        Those that hold a record.
    """
    if not root.is_dir():
        return []
    found = [path for path in root.iterdir() if _RUN.fullmatch(path.name) and (path / "run.json").is_file()]
    return sorted(found, key=lambda path: int(path.name.removeprefix("run-")))


def new_folder(root: Path) -> Path:
    """Make the folder of the next run.

    Args:
        root: Folder of all runs.

    Returns:
        A new empty folder.

    Raises:
        OSError: It cannot be made.
    """
    root.mkdir(parents=True, exist_ok=True)
    taken = [int(match[1]) for path in root.iterdir() if (match := _RUN.fullmatch(path.name))]
    folder = root / f"run-{max(taken, default=0) + 1:03d}"
    folder.mkdir()
    return folder


def write_record(folder: Path, record: RunRecord) -> None:
    """Write what a run is, whole or not at all.

    Raises:
        OSError: The disk is full, or the folder cannot be written.
    """
    part = folder / ".run.json"
    part.write_text(json.dumps(dataclasses.asdict(record), ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(folder / "run.json")


def read_record(folder: Path) -> RunRecord | None:
    """Read what a run is.

    Returns:
        The record, or None when it cannot be read any more.
    """
    try:
        fields = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        return RunRecord(**{**fields, "request": TrainingRequest(**fields["request"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        log.warning("%s cannot be read: %s", folder.name, error)
        return None


def append_event(folder: Path, event: TrainingEvent) -> None:
    """Add one line to a run's history.

    Raises:
        OSError: The disk is full.
    """
    with (folder / "history.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(dataclasses.asdict(event)) + "\n")


def read_history(folder: Path) -> list[TrainingEvent]:
    """Read a run's history; a line that was cut by a killed process is passed over."""
    file = folder / "history.jsonl"
    events: list[TrainingEvent] = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else []:
        try:
            events.append(_event(json.loads(line)))
        except (ValueError, TypeError, KeyError):
            continue
    return events


def _event(fields: dict[str, Any]) -> TrainingEvent:
    return measured_from(fields) if "sizes" in fields else Stepped(**fields)


def measured_from(fields: dict[str, Any]) -> Measured:
    """Read a measurement from JSON values."""
    sizes = tuple(SizeQuality(**size) for size in fields["sizes"])
    return Measured(fields["step"], sizes, fields["queries"], fields["documents"])


def note_merge(folder: Path, name: str, before: Measured, after: Measured) -> None:
    """Remember the quality of a merge that is kept.

    Args:
        folder: The run's folder.
        name: The merge's name.
        before: Quality of the model at weight 0.
        after: Quality of the merge.

    Raises:
        OSError: The disk is full.
    """
    fields = {"name": name, "before": dataclasses.asdict(before), "after": dataclasses.asdict(after)}
    with (folder / "merges.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(fields) + "\n")


def read_merge(folder: Path, name: str) -> tuple[Measured, Measured] | None:
    """Read the quality before and after a merge; None when it was not measured."""
    file = folder / "merges.jsonl"
    for line in reversed(file.read_text(encoding="utf-8").splitlines() if file.is_file() else []):
        try:
            fields = json.loads(line)
            if fields["name"] == name:
                return measured_from(fields["before"]), measured_from(fields["after"])
        except (ValueError, TypeError, KeyError):
            continue
    return None


def trained_folder(folder: Path) -> Path:
    """Name the folder of a run's model; the name is what the page calls it."""
    return folder / f"{folder.name}-trained"


def merged_folder(folder: Path, weight: float) -> Path:
    """Name the folder of a merge of a run's model with another, by the share of the run's model in percent."""
    return folder / f"{folder.name}-merged-{round(100 * weight)}"


def model_folders(root: Path) -> list[Path]:
    """List all models that runs left behind, the oldest first."""
    return [
        model
        for folder in run_folders(root)
        for model in sorted(folder.glob(f"{folder.name}-*"))
        if (model / "config.json").is_file()
    ]


def forget_runs(root: Path, kept: int) -> None:
    """Delete the oldest runs.

    Args:
        root: Folder of all runs.
        kept: How many of the newest stay.
    """
    for folder in run_folders(root)[: -kept or None]:
        shutil.rmtree(folder, ignore_errors=True)

"""A run's whole state on the disk, so that it can be stopped at any moment, even by a power cut, and go on.

A checkpoint is written into a sibling folder whose name begins with a dot, flushed to the disk and renamed; a folder
named ``step-000100`` is therefore always whole. Tensors are safetensors, everything else is JSON.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from explorer.errors import InputError

KEPT = 2
"""Newest checkpoints that stay; two, so that one is left should the newest be lost."""

_NAME = re.compile(r"step-(\d{6,})")
_UNFINISHED = ".unfinished-"


@dataclass(frozen=True)
class TrainingState:
    """What a run needs to go on exactly as if it had never stopped.

    Attributes:
        step: Steps done.
        weights: Trained parameters by name.
        optimizer: The optimiser's tensors, named ``<parameter's number>.<kind>``.
        facts: What the run was started with (plan, digests of pairs, base and teacher), as JSON values.
    """

    step: int
    weights: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    facts: Mapping[str, object]


def save_checkpoint(folder: Path, state: TrainingState) -> Path:
    """Write a checkpoint and remove all but the newest ones.

    Args:
        folder: Where the run's checkpoints lie; it is made when missing.
        state: What to keep.

    Returns:
        The checkpoint's folder.

    Raises:
        InputError: It cannot be written, for instance because the disk is full; older checkpoints are untouched.
    """
    place = checkpoint_place(folder, state.step)
    unfinished = folder / unfinished_name(place.name)
    try:
        clean_up(folder)
        unfinished.mkdir(parents=True)
        save_file(_plain(state.weights), unfinished / "weights.safetensors")
        save_file(_plain(state.optimizer), unfinished / "optimizer.safetensors")
        facts = {"step": state.step, "facts": dict(state.facts)}
        (unfinished / "state.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1), "utf-8")
        publish(unfinished, place)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise InputError("trainer.not_written", folder=folder.name, reason=reason(error)) from error
    for old in _checkpoints(folder)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return place


def checkpoint_place(folder: Path, step: int) -> Path:
    """Name the folder of one step's checkpoint.

    Args:
        folder: Where the run's checkpoints lie.
        step: Steps done.

    Returns:
        Its path, whether or not it is there.
    """
    return folder / f"step-{step:06d}"


def latest_checkpoint(folder: Path) -> Path | None:
    """Find the newest checkpoint.

    Args:
        folder: Where the run's checkpoints lie; it need not exist.

    Returns:
        Its folder, or None when there is none.
    """
    found = _checkpoints(folder)
    return found[-1] if found else None


def load_checkpoint(place: Path) -> TrainingState:
    """Read a checkpoint.

    Args:
        place: From :func:`latest_checkpoint`.

    Returns:
        The state, its tensors on the CPU.

    Raises:
        InputError: A file was damaged or removed after it was written.
    """
    try:
        known = json.loads((place / "state.json").read_text("utf-8"))
        weights, optimizer = (load_file(place / f"{name}.safetensors") for name in ("weights", "optimizer"))
        return TrainingState(int(known["step"]), weights, optimizer, dict(known["facts"]))
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise InputError("trainer.checkpoint_damaged", folder=place.name) from error


def clean_up(folder: Path) -> None:
    """Remove what a write that was killed left behind.

    Args:
        folder: Where the run's checkpoints lie; it need not exist.
    """
    for leftover in folder.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def unfinished_name(name: str) -> str:
    """Name the folder in which ``name`` is written until it is whole."""
    return f"{_UNFINISHED}{name}"


def reason(error: BaseException) -> str:
    """Say in a few words, the system's own, why a file could not be written."""
    return str(getattr(error, "strerror", None) or error)[:200]


def publish(unfinished: Path, place: Path) -> None:
    """Flush a finished folder to the disk and give it its name, replacing an older one.

    Args:
        unfinished: A folder in the same parent as ``place``.
        place: The name it is to have.

    Raises:
        OSError: The disk is full, or a folder cannot be written.
    """
    for part in (*unfinished.rglob("*"), unfinished):
        _flush(part)
    # A folder that is not empty cannot be replaced in one call; the old one steps aside under an unfinished name.
    aside = place.with_name(unfinished_name(f"old-{place.name}"))
    shutil.rmtree(aside, ignore_errors=True)
    if place.exists():
        place.replace(aside)
    unfinished.replace(place)
    shutil.rmtree(aside, ignore_errors=True)
    _flush(place.parent)


def _checkpoints(folder: Path) -> list[Path]:
    """List whole checkpoints, oldest first."""
    found = [(int(match[1]), path) for path in folder.glob("step-*") if (match := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}

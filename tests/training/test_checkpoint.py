"""Checkpoints are whole or absent, whatever happens while one is written."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from explorer.errors import InputError
from explorer.training.loop import checkpoint
from explorer.training.loop.checkpoint import (
    TrainingState,
    latest_checkpoint,
    load_checkpoint,
    save_checkpoint,
)


def state(step: int, size: int = 3) -> TrainingState:
    return TrainingState(
        step,
        {"layer.weight": torch.full((size, 2), float(step)), "gain": torch.ones(2)},
        {"0.exp_avg": torch.full((size, 2), step / 7), "0.step": torch.tensor(float(step))},
        {"ladder": [32, 64], "margin": None, "name": "名"},
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_saved_is_what_is_loaded(tmp_path):
    place = save_checkpoint(tmp_path / "made" / "on the way", state(7))
    found = load_checkpoint(place)
    assert (found.step, found.facts) == (7, state(7).facts)
    for mine, theirs in ((found.weights, state(7).weights), (found.optimizer, state(7).optimizer)):
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_the_newest_two_are_kept_in_order_of_their_numbers(tmp_path):
    for step in (9, 10, 999_999, 1_000_000):
        save_checkpoint(tmp_path, state(step))
    assert names(tmp_path) == ["step-1000000", "step-999999"]
    assert latest_checkpoint(tmp_path).name == "step-1000000"


def test_a_checkpoint_of_the_same_step_is_replaced(tmp_path):
    save_checkpoint(tmp_path, state(1))
    save_checkpoint(tmp_path, TrainingState(1, {"gain": torch.zeros(1)}, {}, {}))
    assert list(load_checkpoint(tmp_path / "step-000001").weights) == ["gain"]
    assert names(tmp_path) == ["step-000001"]


def test_a_folder_without_checkpoints_has_no_newest(tmp_path):
    (tmp_path / "step-none").mkdir()
    assert latest_checkpoint(tmp_path) is None
    assert latest_checkpoint(tmp_path / "missing") is None


@pytest.mark.parametrize("file", ["weights.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("damage", [b"", b"{", None])
def test_a_damaged_checkpoint_is_named(tmp_path, file, damage):
    place = save_checkpoint(tmp_path, state(1))
    (place / file).unlink() if damage is None else (place / file).write_bytes(damage)
    with pytest.raises(InputError, match="step-000001") as caught:
        load_checkpoint(place)
    assert caught.value.key == "trainer.checkpoint_damaged"


@pytest.mark.parametrize("at", ["save_file", "_flush"])
def test_a_full_disk_leaves_the_last_whole_checkpoint(tmp_path, monkeypatch, at):
    save_checkpoint(tmp_path, state(1))
    working, calls = getattr(checkpoint, at), []

    def full(*arguments):
        calls.append(arguments)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        working(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, at, full)
        with pytest.raises(InputError, match="No space left on device") as caught:
            save_checkpoint(tmp_path, state(2))
    assert caught.value.key == "trainer.not_written"
    assert names(tmp_path) == ["step-000001"]
    assert load_checkpoint(latest_checkpoint(tmp_path)).step == 1
    assert save_checkpoint(tmp_path, state(2)).name == "step-000002"


def in_subprocess(code: str, *arguments: str, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run code that begins with the tests' and the explorer's modules in reach."""
    here = Path(__file__).resolve().parents[2]
    setup = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        cwd=here,
        env={**os.environ, "PYTHONPATH": f"{here}:{here / 'tests'}"},
        preexec_fn=setup,
        timeout=120,
    )


SAVE = """
import signal, sys
from pathlib import Path
import torch
from explorer.errors import InputError
from explorer.training.loop import checkpoint
from explorer.training.loop.checkpoint import TrainingState, save_checkpoint
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
large = TrainingState(2, {"weight": torch.ones(200_000)}, {}, {})
"""


def test_a_real_limit_of_the_system_is_said_in_words(tmp_path):
    save_checkpoint(tmp_path, state(1))
    code = (
        SAVE
        + "\ntry:\n    save_checkpoint(Path(sys.argv[1]), large)\nexcept InputError as error:\n    print(error)"
    )
    run = in_subprocess(code, str(tmp_path), limit=100_000)
    assert "could not be written" in run.stdout, run.stderr
    assert names(tmp_path) == ["step-000001"]


@pytest.mark.parametrize("at", ["json.dumps", "checkpoint._flush", "Path.replace"])
def test_a_kill_in_the_middle_of_a_write_leaves_the_last_whole_checkpoint(tmp_path, at):
    save_checkpoint(tmp_path, state(1))
    module, _, function = at.partition(".")
    code = SAVE + f"\nimport os, json\n{module}.{function} = lambda *_, **__: os.kill(os.getpid(), 9)"
    run = in_subprocess(code + "\nsave_checkpoint(Path(sys.argv[1]), large)", str(tmp_path))
    assert run.returncode == -9
    assert names(tmp_path) == [".unfinished-step-000002", "step-000001"]
    assert load_checkpoint(latest_checkpoint(tmp_path)).step == 1
    save_checkpoint(tmp_path, state(3))
    assert names(tmp_path) == ["step-000001", "step-000003"]


def test_the_state_is_readable_without_this_program(tmp_path):
    place = save_checkpoint(tmp_path, state(4))
    assert json.loads((place / "state.json").read_text("utf-8"))["facts"]["name"] == "名"

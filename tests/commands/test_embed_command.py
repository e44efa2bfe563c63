"""``python -m explorer embed``: killed, interrupted, and told the wrong column."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from engine.model_server import running, unit_of
from parquet_texts import table_of, texts_of
from tiny_models import ModelFactory

from explorer.__main__ import main
from explorer.corpus.vector_parts import VectorParts
from explorer.engine import windows

ROOT = Path(__file__).parents[2]


def test_the_command_survives_being_killed_at_any_moment(tmp_path: Path, make_model: ModelFactory) -> None:
    pq.write_table(table_of(texts_of(400, longest=240)), tmp_path / "texts.parquet", row_group_size=150)
    parts = tmp_path / "killed.parquet.parts"

    def command(out: str) -> list[str]:
        model = ["--embedding", str(make_model()), "--device", "cpu"]
        job = ["embed", str(tmp_path / "texts.parquet"), "--column", "text", "--out", str(tmp_path / out)]
        return [*model, *job, "--part-rows", "20", "--reproducible", "--dimensions", "24"]

    # Every run in a process of its own with one thread: with more, sums are divided otherwise and end in other bits.
    alike = {"cwd": ROOT, "env": os.environ | {"OMP_NUM_THREADS": "1"}}
    program = [sys.executable, "-m", "explorer"]

    def run(out: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*program, *command(out)], check=True, capture_output=True, text=True, timeout=300, **alike
        )

    killed = subprocess.Popen([*program, *command("killed.parquet")], stderr=subprocess.DEVNULL, **alike)
    try:
        _wait_for(lambda: len(list(parts.glob("0*.parquet"))) >= 2 or killed.poll() is not None)
        assert killed.poll() is None, "it ended before it could be killed"
    finally:
        killed.kill()
        killed.wait()
    whole = len(list(parts.glob("0*.parquet")))
    assert 2 <= whole < 20
    assert not (tmp_path / "killed.parquet").exists()
    assert f"{whole * 20}/400" in run("killed.parquet").stderr, "the bar begins where the run goes on"
    shown = run("whole.parquet")
    assert "400 rows" in shown.stdout and "24 dimensions" in shown.stdout
    assert "rows/s" in shown.stderr
    assert (tmp_path / "killed.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert not parts.exists()


def test_ctrl_c_says_how_to_go_on(
    tmp_path: Path,
    make_model: ModelFactory,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pq.write_table(table_of(texts_of(200)), tmp_path / "texts.parquet")
    monkeypatch.setattr(windows, "MOST_TEXTS", 20)
    add = VectorParts.add

    def interrupted(parts: VectorParts, *arguments: object) -> None:
        add(parts, *arguments)
        if parts.start == 80:
            signal.raise_signal(signal.SIGINT)

    job = ["embed", str(tmp_path / "texts.parquet"), "--column", "text", "--out", str(tmp_path / "v.parquet")]
    command = ["--embedding", str(make_model()), "--device", "cpu", *job, "--part-rows", "40"]
    with monkeypatch.context() as patch:
        patch.setattr(VectorParts, "add", interrupted)
        assert main(command) == 130
    assert "Type the same command again" in capsys.readouterr().err
    assert main(command) == 0
    assert "80/200" in capsys.readouterr().err
    assert pq.read_metadata(tmp_path / "v.parquet").num_rows == 200


def test_the_command_names_a_wrong_column_before_it_loads_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pq.write_table(table_of(["yes"]), tmp_path / "t.parquet")
    job = ["embed", str(tmp_path / "t.parquet"), "--column", "body", "--out", str(tmp_path / "v.parquet")]
    assert main(["--embedding", "no such model", *job]) == 2
    assert "id, text, nested" in capsys.readouterr().err


def test_a_running_server_embeds_the_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pq.write_table(table_of(["yes", None, "no"]), tmp_path / "t.parquet")
    job = ["embed", str(tmp_path / "t.parquet"), "--column", "text", "--out", str(tmp_path / "v.parquet")]
    with running("vllm") as server:
        assert main([*job, "--server", server.url]) == 0
        assert "Qwen/Qwen3" in capsys.readouterr().out
        assert main([*job, "--server", server.url, "--reproducible"]) == 2
    vectors = pq.read_table(tmp_path / "v.parquet")["vector"].to_pylist()
    assert vectors[1] is None
    assert np.allclose([vectors[0], vectors[2]], [unit_of("yes"), unit_of("no")], atol=1e-6)


def _wait_for(true: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.005)

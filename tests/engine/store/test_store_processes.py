"""Processes share a store, and one that is killed in the middle of a write harms nothing."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from stored_rows import fill, kept

from explorer.engine.store.vector_store import VectorStore

ROOT = Path(__file__).resolve().parents[3]
CAPACITY = 5_000_000
WRITE = """
import sys
from pathlib import Path
from stored_rows import fill, kept
from explorer.engine.store.vector_store import VectorStore
path, capacity, first, last, batch = Path(sys.argv[1]), *map(int, sys.argv[2:])
store = VectorStore(path, capacity)
for start in range(first, last, batch):
    fill(store, range(start, start + batch))
    kept(store, range(start, start + batch))
    print(start + batch, flush=True)
assert store.writable
"""


def writer(path: Path, first: int, last: int, batch: int, capacity: int = CAPACITY) -> subprocess.Popen[str]:
    numbers = map(str, (capacity, first, last, batch))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)])}
    return subprocess.Popen(
        [sys.executable, "-c", WRITE, str(path), *numbers], env=environment, stdout=subprocess.PIPE, text=True
    )


def sound(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_two_processes_that_begin_and_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "data" / "results.sqlite"
    running = [writer(path, 0, 1500, 25), writer(path, 1000, 2500, 25)]
    for process in running:
        process.communicate()
        assert process.returncode == 0
    store = VectorStore(path, CAPACITY)
    assert kept(store, range(2500)) == list(range(2500))
    store.close()
    assert sound(path) and store.size <= CAPACITY
    assert not list(path.parent.glob("*.set-aside-*"))


def test_two_processes_that_displace_each_others_results_keep_the_bound(tmp_path: Path) -> None:
    path, capacity = tmp_path / "results.sqlite", 1_000_000
    running = [writer(path, start, start + 800, 16, capacity) for start in (0, 5000)]
    while any(process.poll() is None for process in running):
        assert VectorStore(path, capacity).size <= capacity
        time.sleep(0.005)
    for process in running:
        process.communicate()
        assert process.returncode == 0
    assert sound(path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot kill in the same way")
def test_whatever_is_found_after_a_kill_is_whole_and_nothing_that_was_written_is_lost(tmp_path: Path) -> None:
    path, begun = tmp_path / "results.sqlite", 0
    draw = random.Random(4)
    for _ in range(6):
        process = writer(path, begun, begun + 10_000, 8)
        told = process.stdout.readline()
        time.sleep(draw.uniform(0.0, 0.15))
        process.kill()
        told += process.stdout.read()
        process.communicate()
        written = int(told.rpartition("\n")[0].split("\n")[-1])
        store = VectorStore(path, 200_000_000)
        assert kept(store, range(written)) == list(range(written))
        kept(store, range(written, written + 8))
        fill(store, range(written, written + 8))
        store.close()
        assert sound(path)
        begun = written + 8
    assert not list(path.parent.glob("*.set-aside-*"))

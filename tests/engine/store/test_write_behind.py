"""Writes happen in the background, none is lost at the end, and waiting takes bounded room."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from stored_rows import kept, key_of, row_of

from explorer.engine.store import write_behind as module
from explorer.engine.store.vector_store import VectorStore
from explorer.engine.store.write_behind import WriteBehind

ROOT = Path(__file__).resolve().parents[3]
AT_THE_END = """
import sys
from pathlib import Path
from stored_rows import key_of, row_of
from explorer.engine.store.vector_store import VectorStore
from explorer.engine.store.write_behind import WriteBehind
behind = WriteBehind(VectorStore(Path(sys.argv[1]), 10_000_000))
for name in range(300):
    behind.put({key_of(name): row_of(name)})
"""


class SlowStore(VectorStore):
    """A store whose writing waits until it is let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, 10_000_000)
        self.begun, self.go = threading.Event(), threading.Event()
        self.calls: list[int] = []

    def put(self, keys, rows) -> None:
        self.calls.append(len(keys))
        self.begun.set()
        assert self.go.wait(10)
        super().put(keys, rows)


@pytest.fixture
def slow(tmp_path: Path) -> SlowStore:
    return SlowStore(tmp_path / "results.sqlite")


def rows(names: range) -> dict[bytes, np.ndarray]:
    return {key_of(name): row_of(name) for name in names}


def test_nobody_waits_and_what_waits_is_written_together(slow: SlowStore) -> None:
    behind = WriteBehind(slow)
    behind.put(rows(range(1)))
    assert slow.begun.wait(10)
    for name in range(1, 40):
        behind.put(rows(range(name, name + 1)))
    slow.go.set()
    behind.close()
    assert slow.calls == [1, 39]
    assert kept(slow, range(40)) == list(range(40))


def test_what_finds_no_room_to_wait_is_left_out_with_one_line(
    slow: SlowStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "WAITING_BYTES", 10 * row_of(0).nbytes)
    behind = WriteBehind(slow)
    behind.put(rows(range(1)))
    assert slow.begun.wait(10)
    for name in range(1, 20):
        behind.put(rows(range(name, name + 1)))
    slow.go.set()
    behind.close()
    assert kept(slow, range(20)) == list(range(11))
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    behind.put(rows(range(15, 20)))
    behind.close()
    assert kept(slow, range(20)) == [*range(11), *range(15, 20)]


def test_what_waits_is_forgotten_with_the_rest(slow: SlowStore) -> None:
    behind = WriteBehind(slow)
    behind.put(rows(range(1)))
    assert slow.begun.wait(10)
    behind.put(rows(range(1, 5)))
    threading.Timer(0.05, slow.go.set).start()
    behind.clear()
    behind.close()
    assert kept(slow, range(5)) == []


def test_the_last_use_is_written_down_without_any_put(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = VectorStore(tmp_path / "results.sqlite", 10_000_000)
    behind = WriteBehind(store)
    behind.put(rows(range(5)))
    behind.close()
    monkeypatch.setattr("explorer.engine.store.table.USE_SECONDS", 1)
    marked = threading.Event()
    mark = store.mark_used
    monkeypatch.setattr(store, "mark_used", lambda: (mark(), marked.set()))
    assert len(behind.get_many([key_of(name) for name in range(5)])) == 5
    assert marked.wait(10) and not store.has_unmarked


def test_nothing_is_lost_when_the_interpreter_ends(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)])}
    subprocess.run([sys.executable, "-c", AT_THE_END, str(path)], env=environment, check=True)
    assert kept(VectorStore(path, 10_000_000), range(300)) == list(range(300))


def test_no_thread_stays_when_nobody_uses_the_store_any_more(tmp_path: Path) -> None:
    before = threading.active_count()
    behind = WriteBehind(VectorStore(tmp_path / "results.sqlite", 10_000_000))
    behind.put(rows(range(3)))
    behind.close()
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("result-store")]
    del behind
    for thread in threads:
        thread.join(10)
    assert threads and threading.active_count() <= before

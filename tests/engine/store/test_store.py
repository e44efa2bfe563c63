"""What is stored comes back bit for bit, stays within its bounds, and goes in the order of its use."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored_rows import fill, kept, key_of, row_of

from explorer.engine.store import file as store_file
from explorer.engine.store import table as module
from explorer.engine.store.vector_store import VectorStore

MEGABYTE = 1_000_000
ODD = st.sampled_from([0.0, -0.0, np.inf, np.nan, 1e-45])
ROWS = st.tuples(st.integers(0, 2**32), st.integers(1, 3000), ODD)
ENTRIES = st.lists(st.tuples(st.integers(0, 9), ROWS.map(lambda drawn: odd_row(*drawn))), max_size=12)


def odd_row(seed: int, width: int, odd: float) -> np.ndarray:
    row = row_of(seed, width)
    row[0] = odd
    return row


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("examples")


@pytest.fixture(scope="module", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_file, "SYNCHRONOUS", "OFF")
        yield


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "results.sqlite"


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let so much time pass that a use counts as later."""
    passed = [1_000_000_000.0]
    monkeypatch.setattr(module.time, "time", lambda: passed[0])

    def later() -> None:
        passed[0] += module.USE_SECONDS

    return later


@settings(max_examples=20, deadline=None)
@given(ENTRIES, ENTRIES)
def test_rows_of_any_width_come_back_bit_for_bit(folder: Path, first: list, second: list) -> None:
    expected = {key_of(name): row.tobytes() for name, row in first + second}
    store = VectorStore(folder / "results.sqlite", 2 * MEGABYTE)
    store.clear()
    for entries in (first, second):
        store.put([key_of(name) for name, _ in entries], [row for _, row in entries])
    again = VectorStore(folder / "results.sqlite", 2 * MEGABYTE)
    for reader in (store, again):
        found = reader.get_many([key_of(name) for name in range(12)])
        assert {key: row.tobytes() for key, row in found.items()} == expected
        assert all(row.dtype == np.float32 and not row.flags.writeable for row in found.values())
        reader.close()


def test_nothing_on_the_disk_is_touched_before_the_first_use(path: Path) -> None:
    store = VectorStore(path, MEGABYTE)
    store.close()
    assert not path.parent.exists() and store.size == 0


def test_more_keys_than_one_query_takes_are_all_found(path: Path) -> None:
    store = VectorStore(path, MEGABYTE)
    fill(store, range(1200), width=1)
    assert kept(store, range(1300)) == list(range(1200))
    assert store.get_many([]) == {}


@pytest.mark.parametrize("width", [8, 256, 530, 1024, 2560])
def test_the_file_and_its_log_never_outgrow_the_capacity(path: Path, width: int) -> None:
    capacity, batch = MEGABYTE, 16
    store = VectorStore(path, capacity)
    largest = 0
    for start in range(0, 5 * capacity // (16 * width + 240), batch):
        fill(store, range(start, start + batch), width)
        largest = max(largest, store.size)
    assert largest <= capacity
    assert largest > 0.7 * capacity, "the room is used"
    last = range(start, start + batch)
    assert kept(store, last) == list(last)
    assert kept(store, range(batch)) == [], "the first rows had to go"


def test_the_least_recently_used_go_first(path: Path, wait: Callable[[], None]) -> None:
    store = VectorStore(path, MEGABYTE)
    fill(store, range(300))
    wait()
    used = range(100)
    assert kept(store, used) == list(used)
    assert store.has_unmarked
    store.close()
    wait()
    store = VectorStore(path, MEGABYTE)
    fill(store, range(300, 600))
    assert kept(store, used) == list(used), "what was used lately stays"
    assert kept(store, range(300, 600)) == list(range(300, 600))
    assert len(kept(store, range(100, 300))) < 100, "what was not used lately goes"


def test_reading_again_soon_writes_nothing(path: Path, wait: Callable[[], None]) -> None:
    store = VectorStore(path, MEGABYTE)
    fill(store, range(20))
    kept(store, range(20))
    assert not store.has_unmarked
    wait()
    kept(store, range(20))
    store.mark_used()
    kept(store, range(20))
    assert not store.has_unmarked


def test_a_lowered_capacity_shrinks_the_file_and_keeps_the_newest(path: Path) -> None:
    store = VectorStore(path, 3 * MEGABYTE)
    fill(store, range(1800))
    store.close()
    assert store.size > 2 * MEGABYTE
    store = VectorStore(path, MEGABYTE // 2)
    fill(store, range(1800, 1801))
    store.close()
    assert store.size <= MEGABYTE // 2
    left = kept(store, range(1801))
    assert len(left) > 100 and left[-1] == 1800


def test_what_is_forgotten_is_gone_from_the_file(path: Path) -> None:
    store = VectorStore(path, 3 * MEGABYTE)
    fill(store, range(1000))
    store.clear()
    assert kept(store, range(1000)) == []
    assert store.size < 50_000
    assert row_of(7)[5:50].tobytes() not in path.read_bytes()
    fill(store, range(5))
    assert kept(store, range(5)) == list(range(5))


def test_a_row_larger_than_the_room_displaces_nothing(path: Path) -> None:
    store = VectorStore(path, MEGABYTE)
    fill(store, range(10))
    fill(store, range(10, 11), width=200_000)
    fill(store, range(11, 12))
    assert kept(store, range(12)) == [*range(10), 11]
    small = VectorStore(path.with_name("small.sqlite"), 100_000)
    fill(small, range(3))
    assert kept(small, range(3)) == [] and small.size <= 100_000


def test_threads_read_and_write_together(path: Path) -> None:
    store = VectorStore(path, MEGABYTE)
    wrong: list[object] = []

    def work(name: int) -> None:
        try:
            for turn in range(15):
                own = range(name * 100 + turn, name * 100 + turn + 3)
                fill(store, own)
                if kept(store, own) != list(own):
                    wrong.append(own)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    store.close()
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)

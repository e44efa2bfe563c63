"""A file that cannot be used never fails anybody: it is set aside, or nothing more is stored."""

from __future__ import annotations

import logging
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from filelock import FileLock
from stored_rows import fill, kept, key_of, row_of

from explorer.engine.store import file as store_file
from explorer.engine.store import table as store_table
from explorer.engine.store.vector_store import VectorStore

ROOT = Path(__file__).resolve().parents[3]
CAPACITY = 2_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "results.sqlite"


@pytest.fixture
def filled(path: Path) -> Path:
    """A closed file with rows 0 to 199."""
    store = VectorStore(path, CAPACITY)
    fill(store, range(200))
    store.close()
    return path


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def set_aside(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.set-aside-*"))


def works(path: Path) -> bool:
    store = VectorStore(path, CAPACITY)
    fill(store, range(1000, 1010))
    return kept(store, range(1000, 1010)) == list(range(1000, 1010))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_nobody_else_may_read_the_file(path: Path) -> None:
    umask = os.umask(0)
    try:
        store = VectorStore(path, CAPACITY)
        fill(store, range(5))
        modes = {found.name: stat.S_IMODE(found.stat().st_mode) for found in path.parent.iterdir()}
    finally:
        os.umask(umask)
    assert len(modes) == 4 and set(modes.values()) == {0o600}, modes
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"not a database at all" * 500, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_of_another_kind_is_set_aside_and_kept(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert works(path)
    assert [found.read_bytes() for found in set_aside(path)] == [content]
    assert len(lines(caplog)) == 1 and "a new one is begun" in lines(caplog)[0]


def test_a_database_of_another_program_or_version_is_set_aside_unchanged(path: Path, filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as older:
        older.execute("PRAGMA user_version = 0")
    assert works(path)
    path.unlink()
    with closing(sqlite3.connect(path)) as foreign:
        foreign.execute("CREATE TABLE recipes (name TEXT)")
        foreign.execute("INSERT INTO recipes VALUES ('bread')")
        foreign.commit()
    content = path.read_bytes()
    assert works(path)
    older, foreign = set_aside(path)
    assert len(kept_in(older)) == 200
    assert foreign.read_bytes() == content


def test_a_file_of_a_later_kind_of_sqlite_is_set_aside(filled: Path) -> None:
    content = bytearray(filled.read_bytes())
    content[44:48] = (9).to_bytes(4, "big")  # schema format number; SQLite knows 1 to 4
    filled.write_bytes(content)
    assert works(filled)
    assert len(set_aside(filled)) == 1


def kept_in(path: Path) -> set[bytes]:
    with closing(sqlite3.connect(path)) as database:
        return {key for (key,) in database.execute("SELECT key FROM results")}


def test_a_file_that_breaks_while_it_is_open_gives_nothing_wrong_and_is_replaced(
    filled: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = VectorStore(filled, CAPACITY)
    assert kept(store, range(10)) == list(range(10))
    store.close()
    content = bytearray(filled.read_bytes())
    for page in range(2, len(content) // 4096, 3):
        content[page * 4096 : page * 4096 + 300] = os.urandom(300)
    filled.write_bytes(content)
    kept(store, range(200))
    kept(store, range(200))
    fill(store, range(200))
    assert kept(store, range(200)) == list(range(200))
    assert len(set_aside(filled)) == 1
    assert sum("a new one is begun" in line for line in lines(caplog)) == 1


def test_a_changed_number_is_noticed_and_computed_again(
    filled: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = filled.read_bytes()
    number = row_of(7)[100:110].tobytes()
    assert content.count(number) == 1
    filled.write_bytes(content.replace(number, bytes(40)))
    store = VectorStore(filled, CAPACITY)
    assert kept(store, range(200)) == [name for name in range(200) if name != 7]
    assert any("1 results are damaged" in line for line in lines(caplog))
    fill(store, [7])
    assert kept(store, range(200)) == list(range(200))


def test_a_cut_file_gives_only_whole_rows(filled: Path) -> None:
    content = filled.read_bytes()
    filled.write_bytes(content[: len(content) // 2])
    kept(VectorStore(filled, CAPACITY), range(200))
    assert works(filled)


def test_the_file_may_be_deleted_at_any_time(filled: Path) -> None:
    store = VectorStore(filled, CAPACITY)
    fill(store, range(200, 300))
    filled.unlink()
    fill(store, range(300, 400))
    other = VectorStore(filled, CAPACITY)
    assert kept(other, range(400)) == []
    fill(other, range(20))
    store.close()
    assert kept(other, range(400)) == list(range(20))
    assert kept(VectorStore(filled, CAPACITY), range(400)) == list(range(20))


def test_a_second_file_that_breaks_ends_the_storing(
    filled: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = VectorStore(filled, CAPACITY)
    broken = sqlite3.DatabaseError("broken")
    broken.sqlite_errorcode = sqlite3.SQLITE_CORRUPT

    def fail(*_: object) -> None:
        raise broken

    monkeypatch.setattr(store_table, "select", fail)
    for _ in range(3):
        assert store.get_many([key_of(1)]) == {}
    assert len(set_aside(filled)) == 1 and len(lines(caplog)) == 2
    assert not store.writable


def test_a_damaged_file_that_cannot_be_renamed_ends_the_storing_with_one_line(
    filled: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr("explorer.engine.store.vector_store.set_aside", refuse)
    content = filled.read_bytes()
    filled.write_bytes(content[:4096] + bytes(len(content) - 4096))
    store = VectorStore(filled, CAPACITY)
    for _ in range(2):
        assert kept(store, range(10)) == []
        fill(store, range(10))
    assert len(lines(caplog)) == 1 and "no more results are kept" in lines(caplog)[0]


def test_a_log_that_stays_too_long_ends_the_writing(
    filled: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_file, "BUSY_SECONDS", 0.05)
    store = VectorStore(filled, CAPACITY)
    kept(store, [1])
    filled.unlink()
    store_file.log_path(filled).unlink()
    store_file.log_path(filled).write_bytes(bytes(CAPACITY))  # of a file that another process began
    fill(store, range(10))
    assert not store.writable and kept(store, range(10)) == list(range(10))
    assert len(lines(caplog)) == 1 and "the log stays too long" in lines(caplog)[0]


def test_a_file_that_another_process_has_replaced_is_left_alone(filled: Path) -> None:
    store_file.set_aside(filled, inode=filled.stat().st_ino + 1)
    assert set_aside(filled) == []


def test_a_folder_that_cannot_be_made_ends_the_storing_with_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    store = VectorStore(tmp_path / "file" / "results.sqlite", CAPACITY)
    for _ in range(3):
        fill(store, range(3))
        assert kept(store, range(3)) == []
    store.close()
    store.clear()
    assert len(lines(caplog)) == 1 and "no more results are kept" in lines(caplog)[0]


READ_ONLY = """
import os, sys
from pathlib import Path
from stored_rows import fill, kept, row_of
from explorer.engine.store.vector_store import VectorStore
row_of(0)  # imports whatever root alone may be able to read
if os.geteuid() == 0:
    os.setuid(65534)
store = VectorStore(Path(sys.argv[1]), 2_000_000)
fill(store, range(3))
print(kept(store, range(3)), store.writable)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
@pytest.mark.parametrize("there", [True, False])
def test_a_read_only_folder_ends_the_storing_with_one_line(there: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "results.sqlite")
        if there:
            store = VectorStore(path, CAPACITY)
            fill(store, range(3))
            store.close()
            for file in path.parent.iterdir():
                file.chmod(0o444)
        path.parent.chmod(0o555)
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)])}
        done = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(path)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        path.parent.chmod(0o700)
    assert done.stdout.split() == ["[]", "False"]
    assert done.stderr.count("\n") == 1 and "no more results are kept" in done.stderr


@pytest.fixture
def little_room() -> Iterator[None]:
    """Let no file grow beyond 400 kB, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handled = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handled)


def test_a_full_disk_ends_the_writing_and_what_was_stored_is_still_read(
    filled: Path, little_room: None, caplog: pytest.LogCaptureFixture
) -> None:
    store = VectorStore(filled, 20_000_000)
    for start in range(200, 2200, 50):
        fill(store, range(start, start + 50))
    assert not store.writable
    assert set(range(200)) <= set(kept(store, range(2200))) < set(range(2200))
    store.close()
    assert len(lines(caplog)) == 1 and "no more results are kept" in lines(caplog)[0]


def test_a_locked_file_ends_the_writing_and_not_the_reading(
    filled: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_file, "BUSY_SECONDS", 0.05)
    store = VectorStore(filled, CAPACITY)
    kept(store, range(1))
    with closing(sqlite3.connect(filled, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        fill(store, range(200, 203))
        fill(store, range(203, 206))
        assert kept(store, range(206)) == list(range(200))
    assert len(lines(caplog)) == 1 and "locked" in lines(caplog)[0]


def test_a_file_that_another_process_is_opening_is_waited_for_only_so_long(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_file, "BUSY_SECONDS", 0.05)
    with FileLock(f"{filled}.lock"):
        assert kept(VectorStore(filled, CAPACITY), range(200)) == []
    assert kept(VectorStore(filled, CAPACITY), range(200)) == list(range(200))

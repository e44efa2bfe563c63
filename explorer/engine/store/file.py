"""The file of the store: made for its owner alone, opened by one process at a time, set aside when it is damaged."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

PAGE_BYTES = 4096
"""Larger pages write no faster. The file is larger than its numbers by 38 % for rows of 256 floats, 14 % for 1,024 and
4 % for 4,096; with 8 KiB it would be 18 %, 101 % and 7 %."""

BUSY_SECONDS = 5.0
"""How long to wait for another process before giving up."""

SYNCHRONOUS = "NORMAL"
"""The disk is waited for when the write-ahead log goes into the file, not for each transaction: the last of them may be
lost when the power fails, none when the process is killed, and the file stays sound."""

APPLICATION = 0x51334558
"""Tells our files from other SQLite databases ("Q3EX" in the file's header)."""

FORMAT = 1
"""Version of the table below; a file of another version is set aside."""

# Rows are kept in the order in which they came and are found through an index: a table that is itself sorted by key,
# where neighbours in time are far apart, takes three to six times as long to write.
SCHEMA = (
    "CREATE TABLE results (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, used INTEGER NOT NULL,"
    " checksum INTEGER NOT NULL, numbers BLOB NOT NULL)",
    "CREATE INDEX results_by_use ON results (used)",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {FORMAT}",
)

log = logging.getLogger("explorer")


@dataclass(frozen=True)
class StoreFile:
    """An open file.

    Attributes:
        reader: Connection for reading; in write-ahead mode it never waits for the writer.
        writer: Connection for writing.
        inode: Which file this is, whatever its name.
    """

    reader: sqlite3.Connection
    writer: sqlite3.Connection
    inode: int

    def close(self) -> None:
        """Close both connections."""
        self.reader.close()
        self.writer.close()


def open_store_file(path: Path) -> StoreFile:
    """Open the file, and make it if there is none; one that cannot be used is set aside first.

    Args:
        path: The file. Its folder is made as well.

    Returns:
        The open file.

    Raises:
        sqlite3.Error: It cannot be opened, or another process holds it.
        OSError: The folder or the file cannot be made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _one_process(path):
        try:
            return _opened(path)
        except sqlite3.Error as error:
            # The statements of an opening are always the same, so an SQL error means a strange file too.
            if not (is_damage(error) or _code(error) == sqlite3.SQLITE_ERROR):
                raise
        _set_aside(path)
        return _opened(path)


def set_aside(path: Path, inode: int) -> None:
    """Rename a file that turned out to be damaged, unless another process has replaced it already.

    Args:
        path: The file; this process must have closed it.
        inode: Which file it was.

    Raises:
        OSError: It cannot be renamed, or another process holds the lock.
    """
    with _one_process(path):
        if path.exists() and path.stat().st_ino == inode:
            _set_aside(path)


def shorten_log(writer: sqlite3.Connection) -> None:
    """Write the write-ahead log into the file and cut it to nothing.

    SQLite does so by itself, but never gets to the end while two processes keep writing, and the log grows.

    Args:
        writer: A connection outside a transaction.

    Raises:
        sqlite3.Error: Another process is in the way for too long, or the disk is full.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > deadline:
            raise sqlite3.OperationalError("another process keeps the log from being shortened")
        time.sleep(0.01)


def log_path(path: Path) -> Path:
    """Name the write-ahead log of a file."""
    return path.with_name(f"{path.name}-wal")


def size_of(path: Path) -> int:
    """Count the bytes of a file; 0 when there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def is_damage(error: Exception) -> bool:
    """Tell whether an error means that the file is not a sound database."""
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _code(error: Exception) -> int:
    """Give the primary result code (https://www.sqlite.org/rescode.html); 0 when there is none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _opened(path: Path) -> StoreFile:
    # Exclusive, so that a file in use is never opened here: closing it would drop SQLite's locks on it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    writer = _connected(path)
    try:
        new = _is_new(writer)
        writer.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        writer.execute("PRAGMA auto_vacuum = INCREMENTAL")
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        if new:
            _make_table(writer)
        reader = _connected(path)
        reader.execute("PRAGMA query_only = ON")
    except BaseException:
        writer.close()
        raise
    return StoreFile(reader, writer, path.stat().st_ino)


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


def _is_new(writer: sqlite3.Connection) -> bool:
    """Tell whether the table is still to be made, and refuse a file that is not ours before anything is changed."""
    if not writer.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        return True
    marks = [writer.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
    if marks != [APPLICATION, FORMAT]:
        foreign = sqlite3.DatabaseError("file belongs to another program or version")
        foreign.sqlite_errorcode = sqlite3.SQLITE_NOTADB
        raise foreign
    return False


def _make_table(writer: sqlite3.Connection) -> None:
    with writer:
        writer.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA:
            writer.execute(statement)


def _set_aside(path: Path) -> None:
    """Rename the file and its log beside it, under a free name; it may be somebody's, so it is never deleted."""
    number = 1
    while (aside := path.with_name(f"{path.name}.set-aside-{number}")).exists():
        number += 1
    path.rename(aside)
    log.warning("%s cannot be used; it is now %s, and a new one is begun", path, aside.name)
    if log_path(path).exists():
        log_path(path).rename(log_path(aside))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)


def _one_process(path: Path) -> FileLock:
    """Keep other processes from opening or renaming the file meanwhile.

    Without this one could make a new file between the renaming of an old one and that of its log.
    """
    return FileLock(f"{path}.lock", timeout=BUSY_SECONDS, mode=0o600)

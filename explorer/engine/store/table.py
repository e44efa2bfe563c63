"""The one table of the store: rows in and out, within a number of bytes."""

from __future__ import annotations

import sqlite3
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from explorer.engine.store import file as store_file
from explorer.engine.store.file import PAGE_BYTES, log_path, shorten_log, size_of

Vector = NDArray[np.float32]
Entry = tuple[bytes, bytes]
"""A key and the bytes of its numbers."""

ROWS_DROPPED = 256
"""Rows that make room together, at most."""

LARGEST_LOG = 32 << 20
"""Bytes reserved for the write-ahead log, or a quarter of the capacity when that is less."""

ROW_OVERHEAD = 40
"""Bytes of a row beside its numbers, without the indexes."""

USE_SECONDS = 600
"""How finely the time of the last use is kept, so that reading the same rows again writes nothing."""


@dataclass(frozen=True)
class Found:
    """What was read.

    Attributes:
        rows: The read-only numbers, float32 [d] by key.
        stale: Row numbers of those whose last use was written down too long ago.
        unsound: How many are damaged and were passed over.
    """

    rows: dict[bytes, Vector]
    stale: list[int]
    unsound: int


def select(reader: sqlite3.Connection, keys: Sequence[bytes]) -> Found:
    """Look keys up.

    Args:
        reader: A connection.
        keys: At most 999, which is what older SQLite allows.

    Returns:
        What is there.
    """
    places = ",".join("?" * len(keys))
    query = f"SELECT id, key, used, checksum, numbers FROM results WHERE key IN ({places})"  # noqa: S608 - only "?"
    rows: dict[bytes, Vector] = {}
    stale, unsound, now = [], 0, _now()
    for number, key, used, checksum, numbers in reader.execute(query, keys):
        if not isinstance(numbers, bytes) or _checksum(key, numbers) != checksum:
            unsound += 1
            continue
        rows[key] = np.frombuffer(numbers, "<f4").astype(np.float32, copy=False)
        if used < now:
            stale.append(number)
    return Found(rows, stale, unsound)


class BoundedTable:
    """Writes rows so that the file and its write-ahead log stay within a capacity, however many processes write.

    Args:
        path: The file.
        capacity: Bytes that both may have together.
    """

    def __init__(self, path: Path, capacity: int) -> None:
        """Divide the capacity."""
        self._log = log_path(path)
        log_pages = min(LARGEST_LOG, capacity // 4) // PAGE_BYTES
        self._most_pages = capacity // PAGE_BYTES - log_pages
        # The log grows to half its room and by one transaction more, which changes about twice the pages named below:
        # those of its rows and, as keys are random, one of an index for each row.
        self._longest_log = log_pages * PAGE_BYTES // 2
        self._transaction_pages = max(1, log_pages // 8)

    def batches(self, rows: Iterable[tuple[bytes, Vector]]) -> Iterator[list[Entry]]:
        """Cut rows into batches that one transaction takes.

        Args:
            rows: Keys and numbers, float32 [d] each.

        Yields:
            What :meth:`insert` takes.
        """
        entries: list[Entry] = []
        size = 0
        for key, row in rows:
            entries.append((key, np.ascontiguousarray(row, "<f4").tobytes()))
            size += row.nbytes
            if len(entries) >= self._transaction_pages or size >= self._transaction_pages * PAGE_BYTES:
                yield entries
                entries, size = [], 0
        if entries:
            yield entries

    def insert(self, entries: Sequence[Entry], writer: sqlite3.Connection) -> None:
        """Add rows in one transaction, after dropping as many others as it takes.

        Args:
            entries: From :meth:`batches`; what would fill half the file is left out.
            writer: A connection.
        """
        now = _now()
        values = [(key, now, _checksum(key, numbers), numbers) for key, numbers in entries]
        needed = _pages(entries)
        if needed <= self._most_pages // 2:
            self._transact(writer, partial(self._insert_or_make_room, values, needed))

    def mark(self, ids: Sequence[int], writer: sqlite3.Connection) -> None:
        """Write down that rows were used.

        Args:
            ids: Row numbers.
            writer: A connection.
        """
        for start in range(0, len(ids), self._transaction_pages):
            marks = [(_now(), number) for number in ids[start : start + self._transaction_pages]]
            self._transact(writer, partial(_mark, marks))

    def _transact(self, writer: sqlite3.Connection, step: Callable[[sqlite3.Connection], bool]) -> None:
        """Repeat a step, each time in a transaction, until it says that it was the last."""
        done, deadline = False, _patience()
        while not done:
            with writer:
                writer.execute("BEGIN IMMEDIATE")
                # Now no other process can make the log longer.
                short = size_of(self._log) <= self._longest_log
                done = short and step(writer)
            if short:
                deadline = _patience()
            elif time.monotonic() < deadline:
                shorten_log(writer)
            else:
                raise sqlite3.OperationalError("the log stays too long")

    def _insert_or_make_room(
        self, values: Sequence[tuple[bytes, int, int, bytes]], needed: int, writer: sqlite3.Connection
    ) -> bool:
        """Add rows, or, when the file has no room for them, take one step towards it.

        Freed pages stay in the file and are used again; only a file that is larger than it may be, because the
        capacity was lowered, is cut.
        """
        pages, free = (_value(writer, name) for name in ("page_count", "freelist_count"))
        if pages > self._most_pages and free:
            _cut(writer, self._transaction_pages)
            return False
        if self._most_pages - pages + free < needed:
            oldest = "SELECT id FROM results ORDER BY used, id LIMIT ?"
            batch = min(ROWS_DROPPED, self._transaction_pages)
            writer.execute(f"DELETE FROM results WHERE id IN ({oldest})", (batch,))  # noqa: S608 - a constant
            return False
        writer.executemany(
            "INSERT OR REPLACE INTO results (key, used, checksum, numbers) VALUES (?, ?, ?, ?)", values
        )
        return True


def empty(writer: sqlite3.Connection) -> None:
    """Delete every row and give the room back.

    Args:
        writer: A connection.
    """
    writer.execute("DELETE FROM results")
    _cut(writer, _value(writer, "freelist_count"))
    shorten_log(writer)


def _patience() -> float:
    """Give the time until which other processes may be in the way."""
    return time.monotonic() + store_file.BUSY_SECONDS


def _mark(marks: Sequence[tuple[int, int]], writer: sqlite3.Connection) -> bool:
    writer.executemany("UPDATE results SET used = ? WHERE id = ?", marks)
    return True


def _cut(writer: sqlite3.Connection, pages: int) -> None:
    """Give free pages back; ``execute`` would take only the first step of it, which is one page."""
    writer.executescript(f"PRAGMA incremental_vacuum({pages})")


def _pages(entries: Sequence[Entry]) -> int:
    """Bound the pages that rows need: pages may be half empty, and indexes grow now and then."""
    size = sum(len(numbers) + ROW_OVERHEAD for _, numbers in entries)
    return 2 * size // PAGE_BYTES + len(entries) // 16 + 16


def _value(writer: sqlite3.Connection, name: str) -> int:
    return int(writer.execute(f"PRAGMA {name}").fetchone()[0])


def _checksum(key: bytes, numbers: bytes) -> int:
    """Sum key and numbers, so that damage that SQLite does not see never gives wrong numbers."""
    return zlib.crc32(numbers, zlib.crc32(key))


def _now() -> int:
    return int(time.time() // USE_SECONDS)

"""Finished numbers on the disk: bounded, shared by processes, and safe when one of them is killed."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from explorer.engine.store import table as store_table
from explorer.engine.store.file import StoreFile, is_damage, log_path, open_store_file, set_aside, size_of
from explorer.engine.store.table import BoundedTable, Vector

KEYS_A_QUERY = 500
"""Keys looked up at once; more are no faster."""

log = logging.getLogger("explorer")


class VectorStore:
    """A file of finished numbers, the least recently used dropped first. Safe for threads and processes.

    It never fails its caller. A damaged file is set aside and a new one begun. When the file cannot be opened, read or
    written at all, one line is logged; then nothing more is found, or kept, until the program starts again.

    Nothing on the disk is touched before the first use. One connection reads and one writes; a connection for each
    thread reads no faster.

    Args:
        path: The file, an SQLite database that only its owner may read, because vectors can betray their texts.
        capacity: Bytes that the file and its write-ahead log may have together; below 256 KiB nothing is kept.
    """

    def __init__(self, path: Path, capacity: int) -> None:
        """Open nothing yet."""
        self._path = path
        self._table = BoundedTable(path, capacity)
        self._file: StoreFile | None = None
        self._readable = self._writable = True
        self._was_set_aside = False
        self._unmarked: set[int] = set()
        # Whoever needs several takes them in this order.
        self._writing, self._reading, self._opening = threading.Lock(), threading.Lock(), threading.Lock()

    @property
    def writable(self) -> bool:
        """Whether writing has not failed yet."""
        return self._writable

    @property
    def has_unmarked(self) -> bool:
        """Whether rows were read whose last use is not written down yet."""
        return bool(self._unmarked)

    @property
    def size(self) -> int:
        """Bytes on the disk now: the file and its write-ahead log."""
        return size_of(self._path) + size_of(log_path(self._path))

    def get_many(self, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        """Look results up.

        Args:
            keys: Digests of 16 bytes.

        Returns:
            The read-only numbers of those that are kept, float32 [d] each.
        """
        found: dict[bytes, Vector] = {}
        for start in range(0, len(keys), KEYS_A_QUERY):
            found |= self._read(keys[start : start + KEYS_A_QUERY])
        return found

    def put(self, keys: Sequence[bytes], rows: Iterable[Vector]) -> None:
        """Keep finished results, in one transaction for each few megabytes.

        Args:
            keys: Digests of 16 bytes, one for each row.
            rows: float32 [d] each; widths may differ.
        """
        for entries in self._table.batches(zip(keys, rows, strict=True)):
            self._write(partial(self._table.insert, entries))

    def mark_used(self) -> None:
        """Write down the last use of what was read."""
        with self._reading:
            ids, self._unmarked = list(self._unmarked), set()
        if ids:
            self._write(partial(self._table.mark, ids))

    def clear(self) -> None:
        """Forget everything and give the room back."""
        self._write(store_table.empty)

    def close(self) -> None:
        """Write down what is left to write and close the file; the next use opens it again."""
        self.mark_used()
        with self._writing, self._reading, self._opening:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        """Look a few keys up, or find nothing when reading fails."""
        if not self._readable:
            return {}
        file = None
        try:
            with self._reading:
                file = self._opened()
                found = store_table.select(file.reader, keys)
                self._unmarked.update(found.stale)
        except (sqlite3.Error, OSError) as error:
            self._failed(error, file, reading=True)
            return {}
        if found.unsound:
            log.warning("%s: %d results are damaged and will be computed again", self._path, found.unsound)
        return found.rows

    def _write(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Do some writing, or stop all writing when it fails."""
        if not self._writable:
            return
        file = None
        try:
            with self._writing:
                file = self._opened()
                work(file.writer)
        except (sqlite3.Error, OSError) as error:
            self._failed(error, file, reading=file is None)

    def _opened(self) -> StoreFile:
        with self._opening:
            if self._file is None:
                self._file = open_store_file(self._path)
            return self._file

    def _failed(self, error: Exception, file: StoreFile | None, *, reading: bool) -> None:
        """Begin a new file when this one is damaged, once; else stop."""
        if file is not None and is_damage(error):
            try:
                if self._replaced(file):
                    return
            except (sqlite3.Error, OSError) as second:
                error = second
            reading = True
        if self._writable or (self._readable and reading):
            log.warning("%s: no more results are kept there (%s)", self._path, error)
        self._writable = False
        self._readable = self._readable and not reading

    def _replaced(self, file: StoreFile) -> bool:
        """Set a damaged file aside, unless that was done before to another."""
        with self._writing, self._reading, self._opening:
            if file is not self._file:  # another thread was faster
                return True
            if self._was_set_aside:
                return False
            self._was_set_aside = True
            self._file = None
            self._unmarked.clear()
            file.close()
            set_aside(self._path, file.inode)
            return True

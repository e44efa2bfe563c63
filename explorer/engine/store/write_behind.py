"""Writing to the store in the background, so that nobody waits for a disk."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from explorer.engine.store.table import Vector
from explorer.engine.store.vector_store import VectorStore

WAITING_BYTES = 128 << 20
"""Results that may wait to be written. They lie in the memory cache anyway."""

log = logging.getLogger("explorer")


class WriteBehind:
    """A store whose writes happen soon after they were asked for. Safe for threads.

    Whatever waits is written together as soon as the last write is over, and before the interpreter ends. Results that
    come faster than the disk takes them are left out once too many wait; they will be computed again.

    Args:
        store: Where to write.
    """

    def __init__(self, store: VectorStore) -> None:
        """Start no thread yet."""
        self._store = store
        self._lock = threading.Lock()
        self._waiting: dict[bytes, Vector] = {}
        self._waiting_bytes = 0
        self._leaves_out = False
        self._thread = ThreadPoolExecutor(1, "result-store")

    def get_many(self, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        """Look results up in the store, and have it write down soon that they were used.

        Args:
            keys: From :func:`explorer.engine.store.cache.cache_key`.

        Returns:
            The read-only numbers of those that are kept, float32 [d] each.
        """
        found = self._store.get_many(keys)
        if self._store.has_unmarked:
            self._soon()
        return found

    def put(self, rows: dict[bytes, Vector]) -> None:
        """Write results soon.

        Args:
            rows: float32 [d] by key; the arrays are not copied, so nobody may change them.
        """
        if not self._store.writable:
            return
        size = sum(row.nbytes for row in rows.values())
        with self._lock:
            if self._waiting_bytes + size > WAITING_BYTES:
                if not self._leaves_out:
                    log.warning("results come faster than the disk takes them; not all of them are stored")
                self._leaves_out = True
                return
            self._waiting |= rows
            self._waiting_bytes += size
        self._soon()

    def clear(self) -> None:
        """Forget everything, also what waits: that is written first."""
        self._thread.submit(self._store.clear).result()

    def close(self) -> None:
        """Write what waits and close the store; the next use opens it again."""
        self._thread.submit(self._write).result()
        self._store.close()

    def _soon(self) -> None:
        # While the interpreter ends nothing can be submitted any more.
        with contextlib.suppress(RuntimeError):
            self._thread.submit(self._write)

    def _write(self) -> None:
        """Write everything that waits by now; runs in the one thread."""
        with self._lock:
            rows, self._waiting, self._waiting_bytes = self._waiting, {}, 0
        if rows:
            self._store.put(list(rows), rows.values())
        if self._store.has_unmarked:
            self._store.mark_used()

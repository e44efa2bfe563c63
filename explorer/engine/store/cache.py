"""Never computing the same text twice with the same model."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version

import numpy as np

from explorer.engine.store.table import Vector
from explorer.engine.store.vector_store import VectorStore
from explorer.engine.store.write_behind import WriteBehind
from explorer.engine.tokens import TokenIds
from explorer.provenance import Provenance

RECIPE_VERSION = 2
"""Part of every key; raised when the same tokens would give other numbers."""

DEFAULT_BYTES = 512 << 20
"""Room for 125,000 vectors of 1,024 dimensions."""

ENTRY_OVERHEAD = 300
"""Bytes an entry takes beside its numbers: key, array header and place in the order; measured with tracemalloc."""


def cache_key(provenance: Provenance, ids: TokenIds) -> bytes:
    """Name a result by everything that decides it.

    The model's name is left out, because the fingerprint stands for the contents of its weights, configuration and
    tokenizer. So is which card or processor of its kind it ran on, which moves a number no more than its neighbours in
    a batch do. The versions of torch and transformers are in, although they should not matter: results outlive an
    upgrade, and a version that computed wrongly must not be believed after it was replaced.

    Args:
        provenance: The weights and tokenizer (fingerprint), dtype, device and attention.
        ids: The exact token ids, which carry instruction, template, truncation and order.

    Returns:
        A 16-byte digest.
    """
    digest = _beginning(provenance, RECIPE_VERSION, _libraries()).copy()
    digest.update(np.ascontiguousarray(ids, dtype="<i8").tobytes())
    return digest.digest()


@cache
def _beginning(provenance: Provenance, recipe: int, libraries: tuple[str, ...]) -> hashlib.blake2b:
    """Digest what all results of a model have in common, once and not for each text."""
    parts = (
        recipe,
        provenance.family,
        provenance.fingerprint,
        provenance.dtype,
        provenance.device.partition(":")[0],
        provenance.attention,
        *libraries,
    )
    return hashlib.blake2b(repr(parts).encode(), digest_size=16)


class VectorCache:
    """A bounded memory of finished numbers, the least recently used dropped first. Safe for threads.

    Args:
        capacity: Bytes to keep in memory at most.
        store: Where results are kept between runs as well; what it gives is kept in memory, and what is put is
            written to it soon. None for memory only.
    """

    def __init__(self, capacity: int = DEFAULT_BYTES, store: VectorStore | None = None) -> None:
        """Start with an empty memory."""
        self._capacity = capacity
        self._bytes = 0
        self._entries: OrderedDict[bytes, Vector] = OrderedDict()
        self._lock = threading.Lock()
        self._behind = None if store is None else WriteBehind(store)

    def __len__(self) -> int:
        """Count the entries in memory."""
        return len(self._entries)

    @property
    def size(self) -> int:
        """Bytes kept in memory now, overhead included."""
        return self._bytes

    def get(self, key: bytes) -> Vector | None:
        """Look a result up and mark it as used.

        Args:
            key: From :func:`cache_key`.

        Returns:
            The read-only numbers, or None.
        """
        return self.get_many([key]).get(key)

    def get_many(self, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        """Look results up, first in memory and then in the store, and mark them as used.

        Args:
            keys: From :func:`cache_key`.

        Returns:
            The read-only numbers of those that are kept, float32 [d] each.
        """
        found: dict[bytes, Vector] = {}
        with self._lock:
            for key in keys:
                row = self._entries.get(key)
                if row is not None:
                    self._entries.move_to_end(key)
                    found[key] = row
        missing = [key for key in keys if key not in found]
        if missing and self._behind is not None:
            stored = self._behind.get_many(missing)
            self._keep(stored)
            found |= stored
        return found

    def put(self, keys: Sequence[bytes], rows: Vector) -> None:
        """Keep finished results.

        Args:
            keys: One for each row.
            rows: float32 [n, d]; copied.
        """
        kept = dict(zip(keys, (_frozen(row) for row in rows), strict=True))
        self._keep(kept)
        if self._behind is not None:
            self._behind.put(kept)

    def clear(self) -> None:
        """Forget everything, in memory and in the store."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0
        if self._behind is not None:
            self._behind.clear()

    def close(self) -> None:
        """Write what the store is still to be given, and close it; the next use opens it again."""
        if self._behind is not None:
            self._behind.close()

    def _keep(self, rows: dict[bytes, Vector]) -> None:
        """Take results into memory, and drop the least recently used until all fit."""
        with self._lock:
            for key, row in rows.items():
                self._drop(key)
                self._entries[key] = row
                self._bytes += row.nbytes + ENTRY_OVERHEAD
            while self._bytes > self._capacity and self._entries:
                self._drop(next(iter(self._entries)))

    def _drop(self, key: bytes) -> None:
        """Remove one entry, if it is there."""
        found = self._entries.pop(key, None)
        if found is not None:
            self._bytes -= found.nbytes + ENTRY_OVERHEAD


def _frozen(row: Vector) -> Vector:
    """Copy a row so that nobody can change it."""
    kept = row.copy()
    kept.flags.writeable = False
    return kept


@cache
def _libraries() -> tuple[str, ...]:
    """Versions of the libraries that compute."""
    return tuple(f"{name} {version(name)}" for name in ("torch", "transformers"))

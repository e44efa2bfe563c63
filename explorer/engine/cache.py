"""Never computing the same text twice with the same model."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.engine.tokens import TokenIds
from explorer.provenance import Provenance

RECIPE_VERSION = 1
"""Part of every key; raised when the same tokens would give other numbers."""

DEFAULT_BYTES = 512 << 20
"""Room for 125,000 vectors of 1,024 dimensions."""

ENTRY_OVERHEAD = 300
"""Bytes an entry takes beside its numbers: key, array header and place in the order; measured with tracemalloc."""

Vector = NDArray[np.float32]


def cache_key(provenance: Provenance, ids: TokenIds) -> bytes:
    """Name a result by everything that decides it.

    Args:
        provenance: The weights and tokenizer (fingerprint), dtype, device and attention.
        ids: The exact token ids, which carry instruction, template, truncation and order.

    Returns:
        A 16-byte digest.
    """
    kind = provenance.device.partition(":")[0]
    parts = (
        RECIPE_VERSION,
        provenance.family,
        provenance.fingerprint,
        provenance.dtype,
        kind,
        provenance.attention,
    )
    digest = hashlib.blake2b("|".join(map(str, parts)).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(ids, dtype="<i8").tobytes())
    return digest.digest()


class VectorCache:
    """A bounded store of finished numbers, the least recently used dropped first. Safe for threads.

    Args:
        capacity: Bytes to keep at most.
    """

    def __init__(self, capacity: int = DEFAULT_BYTES) -> None:
        """Start empty."""
        self._capacity = capacity
        self._bytes = 0
        self._entries: OrderedDict[bytes, Vector] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Count the entries."""
        return len(self._entries)

    @property
    def size(self) -> int:
        """Bytes kept now, overhead included."""
        return self._bytes

    def get(self, key: bytes) -> Vector | None:
        """Look a result up and mark it as used.

        Args:
            key: From :func:`cache_key`.

        Returns:
            The read-only numbers, or None.
        """
        with self._lock:
            found = self._entries.get(key)
            if found is not None:
                self._entries.move_to_end(key)
            return found

    def put(self, keys: Sequence[bytes], rows: Vector) -> None:
        """Keep finished results.

        Args:
            keys: One for each row.
            rows: float32 [n, d]; copied.
        """
        with self._lock:
            for key, row in zip(keys, rows, strict=True):
                self._drop(key)
                kept = row.copy()
                kept.flags.writeable = False
                self._entries[key] = kept
                self._bytes += kept.nbytes + ENTRY_OVERHEAD
            while self._bytes > self._capacity and self._entries:
                self._drop(next(iter(self._entries)))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def _drop(self, key: bytes) -> None:
        """Remove one entry, if it is there."""
        found = self._entries.pop(key, None)
        if found is not None:
            self._bytes -= found.nbytes + ENTRY_OVERHEAD

"""Made-up results, each telling by its key what its numbers must be."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np

from explorer.engine.store.vector_store import VectorStore


def key_of(name: object) -> bytes:
    return blake2b(str(name).encode(), digest_size=16).digest()


def row_of(name: int, width: int = 250) -> np.ndarray:
    return np.random.default_rng(name).standard_normal(width).astype(np.float32)


def fill(store: VectorStore, names: Iterable[int], width: int = 250) -> None:
    names = list(names)
    store.put([key_of(name) for name in names], [row_of(name, width) for name in names])


def kept(store: VectorStore, names: Iterable[int]) -> list[int]:
    """List which are found, after making sure that what is found is right."""
    names = list(names)
    found = store.get_many([key_of(name) for name in names])
    for name in names:
        if key_of(name) in found:
            assert (found[key_of(name)] == row_of(name, found[key_of(name)].size)).all()
    return [name for name in names if key_of(name) in found]

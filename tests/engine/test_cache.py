"""A cached number is found again for exactly the input that gave it, and for no other."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from explorer.engine import cache as module
from explorer.engine.cache import ENTRY_OVERHEAD, VectorCache, cache_key
from explorer.provenance import Provenance

PROVENANCE = Provenance("tiny", "embedding", "other", "abc", "float32", "cuda:0", "packed sdpa")
IDS = st.lists(st.integers(0, 200_000), max_size=12).map(lambda ids: np.array(ids, dtype=np.int64))


@given(IDS, IDS)
def test_keys_are_equal_only_for_equal_tokens(first: np.ndarray, second: np.ndarray) -> None:
    same = first.tolist() == second.tolist()
    assert (cache_key(PROVENANCE, first) == cache_key(PROVENANCE, second)) is same
    assert cache_key(PROVENANCE, first) == cache_key(PROVENANCE, first.astype(np.int32))


def test_everything_that_decides_a_number_changes_the_key(monkeypatch) -> None:
    ids = np.array([1, 2, 3])
    base = cache_key(PROVENANCE, ids)
    changes = {
        "family": "reranker",
        "fingerprint": "abd",
        "dtype": "bfloat16",
        "device": "cpu",
        "attention": "sdpa",
    }
    keys = {base, *(cache_key(replace(PROVENANCE, **{name: value}), ids) for name, value in changes.items())}
    assert len(keys) == len(changes) + 1
    assert cache_key(PROVENANCE, ids[::-1]) != base
    assert cache_key(replace(PROVENANCE, device="cuda:1"), ids) == base
    monkeypatch.setattr(module, "RECIPE_VERSION", module.RECIPE_VERSION + 1)
    assert cache_key(PROVENANCE, ids) != base


def rows_of(count: int, width: int = 4) -> np.ndarray:
    return np.arange(count * width, dtype=np.float32).reshape(count, width)


def test_the_least_recently_used_goes_first_and_the_size_is_kept() -> None:
    entry = 16 + ENTRY_OVERHEAD
    store = VectorCache(capacity=3 * entry)
    store.put([b"a", b"b", b"c"], rows_of(3))
    assert store.get(b"a") is not None
    store.put([b"d"], rows_of(1))
    assert store.get(b"b") is None
    assert all(store.get(key) is not None for key in (b"a", b"c", b"d"))
    assert len(store) == 3 and store.size == 3 * entry
    store.put([b"a"], rows_of(1))
    assert len(store) == 3 and store.size == 3 * entry
    store.clear()
    assert len(store) == 0 and store.size == 0 and store.get(b"a") is None


def test_what_is_kept_cannot_be_changed_from_outside() -> None:
    store = VectorCache()
    rows = rows_of(1)
    store.put([b"a"], rows)
    rows[:] = -1
    found = store.get(b"a")
    assert found is not None and found.tolist() == [0, 1, 2, 3]
    assert not found.flags.writeable


def test_an_entry_larger_than_the_room_is_not_kept() -> None:
    store = VectorCache(capacity=100)
    store.put([b"a"], rows_of(1, 1000))
    assert len(store) == 0 and store.size == 0


def test_threads_keep_the_count_right() -> None:
    store = VectorCache(capacity=50 * (16 + ENTRY_OVERHEAD))

    def work(name: int) -> None:
        for turn in range(300):
            store.put([f"{name}-{turn % 20}".encode()], rows_of(1))
            store.get(f"{(name + 1) % 8}-{turn % 20}".encode())

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.size == len(store) * (16 + ENTRY_OVERHEAD) <= 50 * (16 + ENTRY_OVERHEAD)

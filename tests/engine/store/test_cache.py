"""A cached number is found again for exactly the input that gave it, and for no other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.engine.embedder import Embedder
from explorer.engine.reranker import Reranker
from explorer.engine.store import cache as module
from explorer.engine.store.cache import ENTRY_OVERHEAD, VectorCache, cache_key
from explorer.engine.store.vector_store import VectorStore
from explorer.models.loading import load_model
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
    with monkeypatch.context() as patch:
        patch.setattr(module, "_libraries", lambda: ("torch 1.0", "transformers 1.0"))
        assert cache_key(PROVENANCE, ids) != base
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


@pytest.fixture
def open_cache(tmp_path: Path) -> Callable[..., VectorCache]:
    """Open a cache over the same file, each time with an empty memory, as a new process would."""
    path = tmp_path / "results.sqlite"
    return lambda **memory: VectorCache(store=VectorStore(path, 10_000_000), **memory)


def test_what_was_put_is_found_by_the_next_run(open_cache: Callable[..., VectorCache]) -> None:
    keys = [bytes([number]) * 16 for number in range(5)]
    first = open_cache()
    first.put(keys[:3], rows_of(3))
    first.put(keys[3:4], rows_of(1, width=9))
    first.close()
    later = open_cache()
    found = later.get_many(keys)
    assert {key: row.tolist() for key, row in found.items()} == {
        **dict(zip(keys[:3], rows_of(3).tolist(), strict=True)),
        keys[3]: rows_of(1, width=9)[0].tolist(),
    }
    assert not any(row.flags.writeable for row in found.values())
    assert later.get(keys[4]) is None


def test_memory_is_asked_first_and_keeps_what_the_store_gave(
    open_cache: Callable[..., VectorCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [bytes([number]) * 16 for number in range(6)]
    first = open_cache()
    first.put(keys, rows_of(6))
    first.close()
    later, asked = open_cache(capacity=4 * (16 + ENTRY_OVERHEAD)), []
    look_up = VectorStore.get_many
    monkeypatch.setattr(
        VectorStore, "get_many", lambda store, wanted: asked.append(len(wanted)) or look_up(store, wanted)
    )
    assert len(later.get_many(keys[:3])) == len(later.get_many(keys[:3])) == 3
    assert len(later.get_many(keys[1:5])) == 4
    assert asked == [3, 2], "only what is not in memory"
    assert len(later) == 4 and later.get(keys[0]) is not None
    assert asked == [3, 2, 1], "the least recently used had left memory for what the store gave"


def test_forgetting_reaches_the_next_run(open_cache: Callable[..., VectorCache]) -> None:
    keys = [bytes([number]) * 16 for number in range(3)]
    cache = open_cache()
    cache.put(keys, rows_of(3))
    cache.clear()
    cache.close()
    assert cache.get_many(keys) == {} and open_cache().get_many(keys) == {}


def test_a_second_run_computes_nothing_and_gives_the_same_bits(
    make_model: Callable[..., Path], open_cache: Callable[..., VectorCache]
) -> None:
    texts = ["Paris", "Gravity pulls bodies together.", "北京", "Paris"]
    folders = {"embedding": make_model(), "reranker": make_model(family="reranker", tied=False)}
    runs = []
    for _ in range(2):
        cache = open_cache()
        embedder = Embedder(load_model(str(folders["embedding"]), "embedding", "cpu"), cache)
        reranker = Reranker(load_model(str(folders["reranker"]), "reranker", "cpu"), cache)
        vectors, scores = embedder.encode(texts), reranker.score("capital", texts).log_odds
        runs.append((vectors.tobytes(), scores.tobytes(), embedder.forwards, reranker.forwards))
        cache.close()
    assert runs[0][:2] == runs[1][:2]
    assert runs[0][2] > 0 and runs[0][3] > 0
    assert runs[1][2:] == (0, 0)
    other = Embedder(load_model(str(make_model(seed=3)), "embedding", "cpu"), open_cache())
    other.encode(texts)
    assert other.forwards > 0, "other weights share nothing"

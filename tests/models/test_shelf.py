"""Swapping keeps the old model until the new one works; unloading gives memory back and proves it."""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from tiny_models import ModelFactory

from explorer.engine.embedder import Embedder
from explorer.errors import Cancelled, ExplorerError, ModelLoadError, OutOfMemoryError
from explorer.models import loading
from explorer.models import shelf as module
from explorer.models.loading import LoadedModel
from explorer.models.memory import activation_bytes, needed_bytes
from explorer.models.shelf import Shelf
from explorer.progress import CancelToken

MEGABYTE = 1 << 20
ROOT = Path(__file__).resolve().parents[2]


def load(shelf: Shelf, folder: Path, family: str = "embedding", **options: object) -> LoadedModel:
    steps = list(shelf.swap(family, str(folder), "cpu", **options))
    assert steps[-1].partial is not None
    return steps[-1].partial


def test_a_swap_reports_bytes_and_ends_with_the_model(make_model: ModelFactory) -> None:
    shelf = Shelf()
    steps = list(shelf.swap("embedding", str(make_model()), "cpu"))
    assert steps[-1].partial is shelf.embedder
    assert steps[-1].done == steps[-1].total > 0
    stages = list(dict.fromkeys(step.stage for step in steps))
    assert stages == ["models.stage_check", "models.stage_load", "models.stage_done"]
    assert shelf.reranker is None


def test_both_families_stand_beside_each_other(make_model: ModelFactory) -> None:
    shelf = Shelf()
    embedder = load(shelf, make_model())
    reranker = load(shelf, make_model(family="reranker"), "reranker")
    assert (shelf.embedder, shelf.reranker) == (embedder, reranker)
    assert shelf.get("reranker") is reranker and not embedder.released


def test_switching_twenty_times_leaves_one_model(make_model: ModelFactory) -> None:
    sizes = [make_model(seed=20), make_model(seed=21, hidden=64), make_model(seed=22, layers=3)]
    shelf = Shelf()
    old: list[weakref.ref[LoadedModel]] = []
    weights: list[weakref.ref[torch.nn.Module]] = []
    for turn in range(20):
        loaded = load(shelf, sizes[turn % 3])
        assert Embedder(loaded).encode("text").shape == (1, loaded.dimensions)
        old.append(weakref.ref(loaded))
        weights.append(weakref.ref(loaded.backbone))
        del loaded
    gc.collect()
    assert [ref() is None for ref in old] == [True] * 19 + [False]
    assert [ref() is None for ref in weights] == [True] * 19 + [False]


UNLOADING = """
import sys
from explorer.models.shelf import Shelf

shelf = Shelf()
*_, last = shelf.swap("embedding", sys.argv[1], "cpu")
held = last.partial  # somebody still holds the object; its weights are given back all the same
size = held.checkpoint.bytes("float32")
freed = shelf.unload("embedding")
assert shelf.embedder is None and held.released
assert size > 140 << 20
assert freed.returned == freed.bytes_before - freed.bytes_after >= 0.9 * size, (freed, size)
"""


def test_unloading_gives_the_memory_back(make_model: ModelFactory) -> None:
    # In a process of its own, where nothing that other tests left behind takes memory meanwhile.
    big = make_model(seed=23, hidden=512, intermediate=4096, layers=6)
    run = subprocess.run(
        [sys.executable, "-c", UNLOADING, str(big)], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_nothing_is_unloaded_twice(make_model: ModelFactory) -> None:
    shelf = Shelf()
    load(shelf, make_model())
    shelf.unload("embedding")
    with pytest.raises(ModelLoadError, match="Load one first"):
        shelf.unload("embedding")


def test_memory_stays_flat_over_many_requests(make_model: ModelFactory) -> None:
    shelf = Shelf()
    embedder = Embedder(load(shelf, make_model()))
    process = psutil.Process()

    def work(first: int, count: int) -> int:
        for turn in range(first, first + count):
            embedder.encode([f"request {turn} text {index}" for index in range(4)])
        gc.collect()
        return process.memory_info().rss

    warm = work(0, 50)
    assert work(50, 200) <= 1.05 * warm


def test_a_model_that_cannot_be_read_leaves_the_old_one(make_model: ModelFactory, tmp_path: Path) -> None:
    shelf = Shelf()
    old = load(shelf, make_model())
    broken = shutil.copytree(make_model(seed=24), tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"damaged")
    for source in (str(broken), "/nowhere", "somebody/missing"):
        with pytest.raises(ModelLoadError):
            list(shelf.swap("embedding", source, "cpu", offline=True))
        assert shelf.embedder is old
    assert Embedder(old).encode("still works").shape == (1, 48)


def test_what_does_not_fit_is_refused_before_anything_is_touched(make_model: ModelFactory) -> None:
    shelf = Shelf(budget=_room_for(make_model(), beside=False))
    old = load(shelf, make_model())
    with pytest.raises(OutOfMemoryError, match="No published size would fit"):
        list(shelf.swap("embedding", str(make_model(seed=25, hidden=256, intermediate=4096)), "cpu"))
    assert shelf.embedder is old and not old.released


def _room_for(folder: Path, *, beside: bool) -> int:
    """Give a budget that holds one such model with its activations, or two."""
    checkpoint = loading.prepare(str(folder), "embedding", "cpu").checkpoint
    needed = needed_bytes(checkpoint, "float32", "cpu")
    return needed + (checkpoint.bytes("float32") if beside else 0)


def test_the_new_model_is_loaded_beside_the_old_when_both_fit(
    make_model: ModelFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_alive = _watch_loads(monkeypatch)
    for beside in (True, False):
        shelf = Shelf(budget=_room_for(make_model(), beside=beside))
        first = load(shelf, make_model())
        old_alive.clear()
        monkeypatch.setattr(module, "load_prepared", _noting(first, old_alive))
        second = load(shelf, make_model(seed=26))
        assert old_alive == [beside]
        assert first.released and shelf.embedder is second


def _watch_loads(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    monkeypatch.setattr(module, "load_prepared", loading.load_prepared)
    return []


def _noting(old: LoadedModel, seen: list[bool]):
    def load_prepared(*arguments: object, **options: object) -> LoadedModel:
        seen.append(not old.released)
        return loading.load_prepared(*arguments, **options)

    return load_prepared


def test_a_model_that_made_room_comes_back_when_the_new_one_fails(
    make_model: ModelFactory, tmp_path: Path
) -> None:
    broken = shutil.copytree(make_model(seed=27), tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"damaged")
    shelf = Shelf(budget=_room_for(make_model(), beside=False))
    before = Embedder(load(shelf, make_model())).encode(["a", "b"])
    with pytest.raises(ModelLoadError, match="damaged"):
        list(shelf.swap("embedding", str(broken), "cpu"))
    assert shelf.embedder is not None and not shelf.embedder.released
    assert (Embedder(shelf.embedder).encode(["a", "b"]) == before).all()


def test_running_out_of_memory_while_loading_keeps_the_old_model(
    make_model: ModelFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf()
    old = load(shelf, make_model())

    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(loading.WeightReader, "into", full)
    with pytest.raises(OutOfMemoryError, match="would fit"):
        list(shelf.swap("embedding", str(make_model(seed=28)), "cpu"))
    assert shelf.embedder is old
    assert np.isfinite(Embedder(old).encode("x")).all()


def test_cancelling_keeps_the_old_model(make_model: ModelFactory) -> None:
    shelf = Shelf()
    old = load(shelf, make_model())
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        list(shelf.swap("embedding", str(make_model(seed=29)), "cpu", cancel=cancel))
    assert shelf.embedder is old


def test_leaving_a_swap_early_keeps_the_old_model_and_frees_the_shelf(make_model: ModelFactory) -> None:
    shelf = Shelf()
    old = load(shelf, make_model())
    steps = shelf.swap("embedding", str(make_model(seed=30)), "cpu")
    next(steps)
    steps.close()
    assert shelf.embedder is old
    assert load(shelf, make_model(seed=30)) is shelf.embedder


def test_a_plan_is_made_before_any_download(make_model: ModelFactory) -> None:
    shelf = Shelf()
    published = shelf.plan("8B", "reranker", "cpu", "bfloat16")
    assert published.weights == 2 * 7_567_311_872
    assert published.needed > published.weights
    local = shelf.plan(str(make_model()), "embedding", "cpu")
    assert local.verdict == "fits"
    with pytest.raises(ExplorerError):
        shelf.plan("nothing at all", "embedding", "cpu")


def test_a_plan_counts_what_would_be_replaced(make_model: ModelFactory) -> None:
    budget = _room_for(make_model(), beside=False)
    shelf = Shelf(budget=budget)
    load(shelf, make_model())
    again = shelf.plan(str(make_model()), "embedding", "cpu")
    assert again.free == budget
    assert again.verdict == "tight"
    assert again.needed - again.weights == activation_bytes(
        loading.prepare(str(make_model()), "embedding", "cpu").checkpoint, "float32", "cpu"
    )

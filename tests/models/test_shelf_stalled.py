"""A swap can be left or stopped while a download stalls or another model loads, and nobody waits for it."""

from __future__ import annotations

import gc
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from tiny_models import ModelFactory

from explorer.engine.embedder import Embedder
from explorer.errors import Cancelled, ModelLoadError
from explorer.models import loading
from explorer.models import shelf as module
from explorer.models.loading import LoadedModel
from explorer.models.memory import needed_bytes
from explorer.models.shelf import Shelf
from explorer.progress import CancelToken

SOON = 5.0
"""Seconds within which something that does not wait has happened, on a busy machine."""


class Gate:
    """Stops whoever comes to it until it is opened."""

    def __init__(self) -> None:
        self.opened, self.reached, self.left = (threading.Event() for _ in range(3))

    def pass_through(self) -> None:
        self.reached.set()
        self.opened.wait(60)
        self.left.set()


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[Gate]]]:
    """Put a gate before a function of the shelf for each folder: ``gates("prepare", folder)``."""
    made: list[Gate] = []

    def make(name: str, *folders: Path) -> list[Gate]:
        work = getattr(loading, name)
        gate_of = {str(folder): Gate() for folder in folders}
        made.extend(gate_of.values())

        def call(first: object, *arguments: object, **options: object) -> object:
            gate = gate_of.get(str(getattr(first, "folder", first)))
            if gate is not None:
                gate.pass_through()
            return work(first, *arguments, **options)

        monkeypatch.setattr(module, name, call)
        return list(gate_of.values())

    yield make
    for gate in made:
        gate.opened.set()


def load(shelf: Shelf, folder: Path, family: str = "embedding") -> LoadedModel:
    loaded = list(shelf.swap(family, str(folder), "cpu"))[-1].partial
    assert loaded is not None
    return loaded


def test_a_stalled_download_can_be_left_and_is_forgotten(make_model: ModelFactory, gates) -> None:
    stalled, other = make_model(seed=40), make_model(seed=41)
    (gate,) = gates("prepare", stalled)
    shelf = Shelf()
    steps = shelf.swap("embedding", str(stalled), "cpu")
    assert [next(steps).stage for _ in range(3)] == ["models.stage_search"] * 3
    begin = time.monotonic()
    steps.close()
    assert time.monotonic() - begin < SOON
    second = load(shelf, other)
    gate.opened.set()
    assert gate.left.wait(SOON)
    time.sleep(0.3)
    assert shelf.embedder is second


def test_a_stalled_download_can_be_stopped_from_another_thread(make_model: ModelFactory, gates) -> None:
    stalled = make_model(seed=40)
    gates("prepare", stalled)
    shelf, cancel = Shelf(), CancelToken()
    old = load(shelf, make_model(seed=41))
    steps = shelf.swap("embedding", str(stalled), "cpu", cancel=cancel)
    next(steps)
    cancel.cancel()
    begin = time.monotonic()
    with pytest.raises(Cancelled):
        list(steps)
    assert time.monotonic() - begin < SOON
    assert shelf.embedder is old


def test_nobody_waits_for_a_stalled_download(make_model: ModelFactory, gates) -> None:
    stalled, reranker = make_model(seed=40), make_model(family="reranker")
    gates("prepare", stalled)
    shelf = Shelf()
    load(shelf, make_model(seed=41))
    steps = shelf.swap("embedding", str(stalled), "cpu")
    next(steps)
    begin = time.monotonic()
    load(shelf, reranker, "reranker")
    shelf.unload("reranker")
    shelf.unload("embedding")
    assert time.monotonic() - begin < SOON
    assert shelf.embedder is None and shelf.reranker is None
    steps.close()


@pytest.mark.parametrize("family", ["embedding", "reranker"])
def test_a_swap_that_waits_for_another_says_so_and_can_be_stopped(
    make_model: ModelFactory, gates, family: str
) -> None:
    slow, other = make_model(seed=42), make_model(family=family, seed=43)
    (gate,) = gates("load_prepared", slow)
    shelf, cancel = Shelf(), CancelToken()
    first = shelf.swap("embedding", str(slow), "cpu")
    while not gate.reached.is_set():
        next(first)
    stopped = shelf.swap(family, str(other), "cpu", cancel=cancel)
    assert "models.stage_waiting" in [next(stopped).stage for _ in range(2)]
    cancel.cancel()
    with pytest.raises(Cancelled):
        list(stopped)
    waiting = shelf.swap(family, str(other), "cpu")
    assert "models.stage_waiting" in [next(waiting).stage for _ in range(2)]
    gate.opened.set()
    assert list(first)[-1].partial is not None
    loaded = list(waiting)[-1].partial
    assert loaded is not None and shelf.get(family) is loaded
    assert shelf.embedder is not None and not shelf.embedder.released


def one_at_a_time(folder: Path) -> Shelf:
    """Make a shelf with room for one such model."""
    return Shelf(needed_bytes(loading.prepare(str(folder), "embedding", "cpu").checkpoint, "float32", "cpu"))


def damaged(folder: Path, to: Path) -> Path:
    broken = shutil.copytree(folder, to)
    (broken / "model.safetensors").write_bytes(b"damaged")
    return broken


def test_an_old_model_that_cannot_come_back_is_named(make_model: ModelFactory, tmp_path: Path) -> None:
    folder = shutil.copytree(make_model(seed=44), tmp_path / "old-model")
    shelf = one_at_a_time(folder)
    load(shelf, folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelLoadError, match="“old-model”") as caught:
        list(shelf.swap("embedding", str(damaged(make_model(seed=45), tmp_path / "new")), "cpu"))
    assert caught.value.key == "models.old_not_restored"
    assert isinstance(caught.value.__cause__, ModelLoadError)
    assert caught.value.__cause__.key == "models.weights_missing"
    assert shelf.embedder is None
    assert load(shelf, make_model(seed=45)) is shelf.embedder


def test_leaving_while_the_old_model_has_made_room_brings_it_back_behind(
    make_model: ModelFactory, gates
) -> None:
    old, new = make_model(seed=46), make_model(seed=47)
    shelf = one_at_a_time(old)
    before = Embedder(load(shelf, old)).encode("text")
    new_gate, old_gate = gates("load_prepared", new, old)
    steps = shelf.swap("embedding", str(new), "cpu")
    while not new_gate.reached.is_set():
        next(steps)
    threading.Timer(0.3, new_gate.opened.set).start()
    begin = time.monotonic()
    steps.close()
    assert time.monotonic() - begin < SOON
    assert old_gate.reached.wait(SOON) and shelf.embedder is None
    waiting = shelf.swap("embedding", str(make_model(seed=48)), "cpu")
    assert next(waiting).stage == "models.stage_waiting"
    waiting.close()
    old_gate.opened.set()
    end = time.monotonic() + SOON
    while shelf.embedder is None and time.monotonic() < end:
        time.sleep(0.05)
    assert shelf.embedder is not None
    assert (Embedder(shelf.embedder).encode("text") == before).all()
    assert load(shelf, new) is shelf.embedder


def test_half_loaded_weights_are_gone_before_the_old_model_returns(
    make_model: ModelFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = make_model(seed=46), make_model(seed=47)
    shelf, cancel = one_at_a_time(old), CancelToken()
    load(shelf, old)
    build, load_prepared = loading.build_backbone, loading.load_prepared
    built: list[weakref.ref[torch.nn.Module]] = []
    alive: list[int] = []

    def watched_build(*arguments: object) -> torch.nn.Module:
        backbone = build(*arguments)
        built.append(weakref.ref(backbone))
        return backbone

    def watched_load(*arguments: object, **options: object) -> LoadedModel:
        gc.collect()
        alive.append(sum(reference() is not None for reference in built))
        return load_prepared(*arguments, **options)

    monkeypatch.setattr(loading, "build_backbone", watched_build)
    monkeypatch.setattr(module, "load_prepared", watched_load)
    steps = shelf.swap("embedding", str(new), "cpu", cancel=cancel)
    stop_at = loading.WeightReader.into

    def stopping(reader: object, backbone: object, device: object, dtype: object, step, **options) -> None:
        def counted(done: int, total: int) -> None:
            if done > total // 2 and len(alive) == 1:
                cancel.cancel()
            step(done, total)

        stop_at(reader, backbone, device, dtype, counted, **options)

    monkeypatch.setattr(loading.WeightReader, "into", stopping)
    with pytest.raises(Cancelled):
        list(steps)
    assert len(built) == 2 and alive == [0, 0]
    assert shelf.embedder is not None

"""Loading from the page: the verdict before, the numbers after, and what a visitor from afar may not do."""

from __future__ import annotations

import dataclasses
import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from explorer.errors import InputError, ModelLoadError, OutOfMemoryError
from explorer.models.shelf import Shelf
from explorer.service import models
from explorer.service.models import ModelRequest
from explorer.service.workspace import Workspace, finished, waited_for
from explorer.settings import Settings


@pytest.fixture
def workspace(make_model: Callable[..., Path]) -> Workspace:
    embedding, reranker = str(make_model()), str(make_model(family="reranker", tied=False))
    return Workspace(Settings(embedding=embedding, reranker=reranker, offline=True))


def test_the_first_models_are_loaded_on_first_use(workspace: Workspace) -> None:
    assert models.loaded_now(workspace).models == {}
    embedder = waited_for(workspace.embedder())
    assert embedder.encode("text").shape == (1, 48)
    waited_for(workspace.reranker())
    assert set(models.loaded_now(workspace).models) == {"embedding", "reranker"}
    assert not workspace.loading


def test_a_load_tells_what_came_and_an_unload_what_came_back(
    workspace: Workspace, make_model: Callable[..., Path]
) -> None:
    waited_for(workspace.embedder())
    steps = list(models.load(workspace, ModelRequest("embedding", str(make_model(hidden=64)), "cpu")))
    assert any(step.total for step in steps), "progress is in bytes"
    assert "float32 on cpu" in steps[-1].partial.text("en")
    assert waited_for(workspace.embedder()).dimensions == 64
    assert "came back" in models.unload(workspace, "embedding").text("en")
    with pytest.raises(InputError, match="No such model is loaded"):
        waited_for(workspace.embedder())


def test_what_does_not_fit_is_refused_and_the_old_model_still_answers(
    workspace: Workspace, make_model: Callable[..., Path]
) -> None:
    workspace.shelf = Shelf(budget=2_000_000_000)
    before = waited_for(workspace.embedder()).encode("text")
    request = ModelRequest("embedding", "8B", "cpu")
    assert models.would_fit(workspace, request).key == "loading.would_too_large"
    with pytest.raises((OutOfMemoryError, ModelLoadError)):
        finished(models.load(workspace, request))
    assert (waited_for(workspace.embedder()).encode("text") == before).all()


def test_a_broken_model_leaves_the_old_one_in_place(workspace: Workspace, tmp_path: Path) -> None:
    before = waited_for(workspace.embedder()).encode("text")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelLoadError):
        finished(models.load(workspace, ModelRequest("embedding", str(tmp_path))))
    assert (waited_for(workspace.embedder()).encode("text") == before).all()


def test_a_model_that_was_replaced_leaves_the_memory(
    workspace: Workspace, make_model: Callable[..., Path]
) -> None:
    waited_for(workspace.embedder())
    for number in range(20):
        backbone = weakref.ref(workspace.shelf.embedder.backbone)
        source = str(make_model(hidden=(32, 48, 64)[number % 3]))
        finished(models.load(workspace, ModelRequest("embedding", source, "cpu")))
        gc.collect()
        assert backbone() is None


def test_a_first_model_that_cannot_be_loaded_is_said_on_use(tmp_path: Path) -> None:
    workspace = Workspace(Settings(embedding=str(tmp_path), offline=True))
    with pytest.raises(ModelLoadError, match=r"config\.json"):
        waited_for(workspace.embedder())


@pytest.mark.parametrize("source", ["/etc", "someone/else", "~"])
def test_visitors_from_other_machines_reach_no_folder_and_no_unlisted_download(source: str) -> None:
    workspace = Workspace(Settings(host="0.0.0.0", auth=("a", "b")))
    for act in (models.would_fit, lambda *given: finished(models.load(*given))):
        with pytest.raises(InputError, match="only the listed models"):
            act(workspace, ModelRequest("embedding", source))


@pytest.mark.parametrize(("source", "message"), [("", "No model is named"), (__file__, "That is a file")])
def test_what_is_no_model_is_named(workspace: Workspace, source: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        models.would_fit(workspace, ModelRequest("embedding", source))


def test_the_catalogue_lists_the_bundled_pair_and_six_checkpoints(workspace: Workspace) -> None:
    rows = models.catalogue(workspace, "cpu", "auto")
    assert [row.checkpoint.weights for row in rows] == ["bundled"] * 2 + ["published"] * 6
    for row in rows[2:]:
        checkpoint = row.checkpoint
        assert checkpoint.licence == "Apache-2.0" and checkpoint.context == 32768
        assert row.plan.needed > checkpoint.bytes("float32")
        assert len(checkpoint.revision) == 40
    assert dataclasses.asdict(rows[0].checkpoint)["layers"] > 0


@pytest.mark.parametrize(
    ("count", "said"), [(999, "1 kB"), (16_500_000, "16.5 MB"), (1_190_000_000, "1.2 GB"), (0, "0 kB")]
)
def test_bytes_are_written_as_a_person_does(count: int, said: str) -> None:
    assert models.readable_bytes(count) == said

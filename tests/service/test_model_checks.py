"""A verdict in words for each loaded model, and what to do about what failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from explorer.engine.self_check import NAMES
from explorer.errors import InputError
from explorer.service import models
from explorer.service.self_check import FAMILIES, self_check
from explorer.service.workspace import Workspace, finished, waited_for
from explorer.settings import Settings
from explorer.texts import LANGUAGES, sentences


@pytest.fixture
def workspace(make_model: Callable[..., Path]) -> Workspace:
    embedding, reranker = str(make_model()), str(make_model(family="reranker", tied=False))
    return Workspace(Settings(embedding=embedding, reranker=reranker, offline=True, cache_gigabytes=0))


def test_both_models_are_sound(workspace: Workspace) -> None:
    result = finished(self_check(workspace))
    assert [model.provenance.family for model in result.models] == ["embedding", "reranker"]
    assert [model.verdict for model in result.models] == ["sound", "sound"]
    assert "9 checks passed" in result.models[0].sentence.text("en")
    assert result.models[0].advice == ()


def test_a_step_is_told_for_each_check_and_the_cache_is_not_touched(workspace: Workspace) -> None:
    waited_for(workspace.embedder())
    before = len(workspace.cache)
    steps = list(self_check(workspace, ["embedding"]))
    told = [step.stage for step in steps if step.total]
    assert [f"self_check.{name}" for name in NAMES["embedding"]] == told[:-1]
    assert len(workspace.cache) == before


def test_a_broken_model_is_told_with_what_to_do_and_the_other_is_still_checked(workspace: Workspace) -> None:
    waited_for(workspace.embedder())
    with torch.no_grad():
        workspace.shelf.embedder.backbone.layers[0].mlp.up_proj.weight.fill_(float("nan"))
    broken, sound = finished(self_check(workspace)).models
    assert (broken.verdict, sound.verdict) == ("failed", "sound")
    assert "2 of 11 checks failed" in broken.sentence.text("en")
    assert "download the model again" in broken.advice[0].text("en")


def test_without_a_failure_something_unmeasured_makes_it_incomplete(workspace: Workspace) -> None:
    model = finished(self_check(workspace, ["embedding"])).models[0]
    kept = tuple(check for check in model.checks if check.name != "batch")
    missing = type(model.checks[0])("batch", None, None, None)
    assert type(model)(model.provenance, (*kept, missing)).verdict == "incomplete"


def test_what_is_not_loaded_is_told(workspace: Workspace) -> None:
    waited_for(workspace.reranker())
    models.unload(workspace, "embedding")
    result = finished(self_check(workspace))
    assert [model.provenance.family for model in result.models] == ["reranker"]
    assert [notice.key for notice in result.notices] == ["service.not_loaded"]
    models.unload(workspace, "reranker")
    with pytest.raises(InputError, match="No such model is loaded"):
        finished(self_check(workspace))


@pytest.mark.parametrize("wrong", [[], ["nonsense"], "embedding", None])
def test_other_families_are_refused(workspace: Workspace, wrong: object) -> None:
    with pytest.raises(InputError, match="embedding, reranker or both"):
        finished(self_check(workspace, wrong))


def test_every_check_has_its_words(workspace: Workspace) -> None:
    names = {name for family in FAMILIES for name in NAMES[family]}
    for name in names:
        for ending in ("", "_meaning", "_advice"):
            assert set(sentences()[f"self_check.{name}{ending}"]) == set(LANGUAGES)

"""Several models are asked the same, one after the other, and what was loaded before is there again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explorer import load_embedder, load_reranker
from explorer.errors import InputError, LimitError, ModelLoadError
from explorer.laboratory import Laboratory
from explorer.models import loading
from explorer.models.shelf import Shelf
from explorer.service import guests, models, size_ladder
from explorer.service.guests import Guests
from explorer.service.size_ladder import MOST_MODELS, SizeLadder
from explorer.service.workspace import Workspace, finished, waited_for
from explorer.settings import Settings

QUERY = "What is the capital of China?"
DOCUMENTS = ["Beijing is the capital.", "Paris is in France.", "苹果是一种水果。", "gravity"]


@pytest.fixture
def folders(make_model: Callable[..., Path]) -> dict[str, list[str]]:
    fields = [{}, {"hidden": 64, "layers": 1}, {"layers": 3}]
    return {
        "embedding": [str(make_model(**one)) for one in fields],
        "reranker": [str(make_model(family="reranker", tied=False, **one)) for one in fields],
    }


@pytest.fixture
def workspace(folders: dict[str, list[str]]) -> Workspace:
    first = {family: names[0] for family, names in folders.items()}
    return Workspace(Settings(**first, offline=True, cache_gigabytes=0))


@contextmanager
def held_at_once(monkeypatch: pytest.MonkeyPatch, workspace: Workspace) -> Iterator[list[int]]:
    """Note, at each loading of a guest, how many models of the family are in memory with it."""
    counts: list[int] = []
    load = loading.load_prepared

    def counted(*rest: object, **named: object) -> loading.LoadedModel:
        counts.append(1 + (workspace.shelf.embedder is not None))
        return load(*rest, **named)

    monkeypatch.setattr(guests, "load_prepared", counted)
    yield counts


@pytest.mark.parametrize("family", ["embedding", "reranker"])
def test_each_model_gives_what_it_gives_alone(
    workspace: Workspace, folders: dict[str, list[str]], family: str
) -> None:
    result = finished(size_ladder.size_ladder(workspace, family, QUERY, DOCUMENTS, folders[family]))
    assert result.left_out == ()
    for folder, rung in zip(folders[family], result.rungs, strict=True):
        if family == "embedding":
            model = load_embedder(folder)
            task = result.question.instruction
            expected = (model.encode(QUERY, task) @ model.encode(DOCUMENTS).T)[0]
        else:
            expected = load_reranker(folder).score(QUERY, DOCUMENTS).log_odds
        np.testing.assert_allclose(rung.scores, expected, atol=1e-5)
        assert rung.ranks.tolist() == (1 + np.argsort(np.argsort(-expected))).tolist()
        assert rung.milliseconds > 0
        assert 1 <= rung.runs <= 3
        assert rung.peak_bytes >= rung.weight_bytes > 0
    np.testing.assert_allclose(np.diag(result.agreement), 1)
    assert result.agreement.shape == (3, 3)


def test_the_instruction_and_the_template_reach_the_model(
    workspace: Workspace, folders: dict[str, list[str]]
) -> None:
    asked = ("reranker", QUERY, DOCUMENTS, folders["reranker"][:1], "Find a fruit", "evaluation")
    rung = finished(size_ladder.size_ladder(workspace, *asked)).rungs[0]
    reranker = load_reranker(folders["reranker"][0])
    expected = reranker.score(QUERY, DOCUMENTS, "Find a fruit", template="evaluation").log_odds
    np.testing.assert_allclose(rung.scores, expected, atol=1e-5)


def test_the_loaded_model_is_used_and_stays(workspace: Workspace, folders: dict[str, list[str]]) -> None:
    before = waited_for(workspace.embedder())
    loaded = workspace.shelf.embedder
    finished(size_ladder.size_ladder(workspace, "embedding", QUERY, DOCUMENTS, folders["embedding"]))
    assert workspace.shelf.embedder is loaded
    assert before.encode("text").shape == (1, 48)


def test_who_stands_beside_never_answers_for_the_loaded_one(
    workspace: Workspace, folders: dict[str, list[str]]
) -> None:
    waited_for(workspace.embedder())
    loaded = workspace.shelf.embedder
    for _ in size_ladder.size_ladder(workspace, "embedding", QUERY, DOCUMENTS, folders["embedding"]):
        assert workspace.shelf.embedder is loaded


@pytest.fixture
def guests_of_one_size(workspace: Workspace, make_model: Callable[..., Path]) -> list[str]:
    """Two models, either of which fits in the place of the loaded one, and neither beside it."""
    sources = [str(make_model(seed=31)), str(make_model(seed=32))]
    waited_for(workspace.embedder()), waited_for(workspace.reranker())
    needed = Shelf().plan(sources[0], "embedding").needed
    workspace.shelf._budget = workspace.shelf.reranker.weight_bytes + needed
    return sources


def test_two_that_do_not_fit_together_are_never_in_memory_at_once(
    workspace: Workspace, guests_of_one_size: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = waited_for(workspace.embedder()).encode("text")
    with held_at_once(monkeypatch, workspace) as counts:
        job = size_ladder.size_ladder(workspace, "embedding", QUERY, DOCUMENTS, guests_of_one_size)
        result = finished(job)
    assert counts == [1, 1]
    assert len(result.rungs) == 2
    assert (waited_for(workspace.embedder()).encode("text") == before).all()


def test_with_room_for_two_the_loaded_one_stays_beside_each_guest(
    workspace: Workspace, folders: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited_for(workspace.embedder())
    with held_at_once(monkeypatch, workspace) as counts:
        finished(size_ladder.size_ladder(workspace, "embedding", QUERY, DOCUMENTS, folders["embedding"]))
    assert counts == [2, 2]


def test_a_stopped_ladder_brings_the_old_model_back(
    workspace: Workspace, guests_of_one_size: list[str]
) -> None:
    before = waited_for(workspace.embedder()).encode("text")
    job = size_ladder.size_ladder(workspace, "embedding", QUERY, DOCUMENTS, guests_of_one_size)
    for step in job:
        if step.stage == "size_ladder.stage_first":
            break
    assert workspace.shelf.embedder is None
    job.close()
    assert (waited_for(workspace.embedder()).encode("text") == before).all()


def test_a_guest_is_released_when_the_next_comes(workspace: Workspace, folders: dict[str, list[str]]) -> None:
    company = Guests(workspace, "reranker")
    first = waited_for(company.welcome(folders["reranker"][1]))
    second = waited_for(company.welcome(folders["reranker"][2]))
    assert (first.released, second.released) == (True, False)
    company.leave()
    assert second.released
    assert not workspace.shelf.reranker.released


def test_what_is_missing_broken_or_too_large_is_left_out_and_the_rest_goes_on(
    workspace: Workspace, folders: dict[str, list[str]], tmp_path: Path
) -> None:
    waited_for(workspace.embedder())
    workspace.shelf._budget = 2_000_000_000
    (tmp_path / "config.json").write_text("{")
    sources = ["0.6B", "8B", str(tmp_path), "/no/such/folder", folders["embedding"][1]]
    result: SizeLadder = finished(
        size_ladder.size_ladder(workspace, "embedding", QUERY, DOCUMENTS, sources, dtype="bfloat16")
    )
    assert [rung.source for rung in result.rungs] == [folders["embedding"][1]]
    told = [notice.text("en") for notice in result.left_out]
    assert "Qwen/Qwen3-Embedding-0.6B is not on this computer" in told[0]
    assert "Qwen/Qwen3-Embedding-8B” needs about" in told[1]
    assert len(told) == 4
    assert all(notice.text("zh") for notice in result.left_out)


def test_when_no_model_answers_the_result_is_empty(workspace: Workspace) -> None:
    result = finished(size_ladder.size_ladder(workspace, "embedding", QUERY, DOCUMENTS, ["/no/such/folder"]))
    assert (result.rungs, len(result.left_out)) == ((), 1)
    assert result.agreement.shape == (0, 0)


def test_nothing_is_taken_from_the_cache(workspace: Workspace, folders: dict[str, list[str]]) -> None:
    before = len(workspace.cache)
    finished(size_ladder.size_ladder(workspace, "embedding", QUERY, DOCUMENTS, folders["embedding"][:1]))
    assert len(workspace.cache) == before


def test_a_long_text_is_told_once_for_each_model_that_cuts_it(
    workspace: Workspace, make_model: Callable[..., Path]
) -> None:
    short = str(make_model(context=64))
    result = finished(size_ladder.size_ladder(workspace, "embedding", QUERY, ["egg " * 200, "no"], [short]))
    assert [notice.key for notice in result.notices] == ["service.cut_document"]


def test_an_old_model_that_cannot_come_back_is_told(
    workspace: Workspace, guests_of_one_size: list[str]
) -> None:
    company = Guests(workspace, "embedding")
    waited_for(company.welcome(guests_of_one_size[0]))
    company._made_room = replace(company._made_room, source="/gone")
    with pytest.raises(ModelLoadError, match="no model"):
        list(company.restored())


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"family": "nonsense"}, InputError, "embedding or reranker"),
        ({"query": " "}, InputError, "no query"),
        ({"documents": []}, InputError, "no documents"),
        ({"sources": []}, InputError, "No model is chosen"),
        ({"sources": [" "]}, InputError, "No model is chosen"),
        ({"sources": "bundled"}, InputError, "list of names"),
        ({"sources": [f"/folder/{n}" for n in range(MOST_MODELS + 1)]}, LimitError, "at most 8"),
        ({"template": "nonsense"}, InputError, "model_card or evaluation"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_any_model_moves(
    workspace: Workspace, changes: dict[str, object], error: type[Exception], message: str
) -> None:
    asked = {"family": "reranker", "query": QUERY, "documents": DOCUMENTS, "sources": ["bundled"]} | changes
    with pytest.raises(error, match=message):
        next(size_ladder.size_ladder(workspace, **asked))
    assert models.loaded_now(workspace).models == {}


def test_a_visitor_from_another_machine_reaches_no_folder(folders: dict[str, list[str]]) -> None:
    family, start = "embedding", folders["embedding"][0]
    open_to_all = Workspace(
        Settings(embedding=start, reranker=folders["reranker"][0], host="0.0.0.0", offline=True)
    )
    result = finished(size_ladder.size_ladder(open_to_all, family, QUERY, DOCUMENTS, folders[family]))
    assert [rung.source for rung in result.rungs] == [start]
    assert {notice.key for notice in result.left_out} == {"loading.not_for_everybody"}


def test_what_is_here_is_ticked() -> None:
    assert size_ladder.sources_here("reranker") == ("bundled",)


def test_a_notebook_asks_both_in_one_line(folders: dict[str, list[str]], tmp_path: Path) -> None:
    laboratory = Laboratory(
        folders["embedding"][0], folders["reranker"][0], "cpu", offline=True, data_dir=tmp_path
    )
    assert [model.verdict for model in laboratory.self_check(["reranker"]).models] == ["sound"]
    result = laboratory.size_ladder("reranker", QUERY, DOCUMENTS, folders["reranker"])
    assert [rung.provenance.device for rung in result.rungs] == ["cpu"] * 3

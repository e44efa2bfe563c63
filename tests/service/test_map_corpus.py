"""Mapping a corpus: progress, stopping, sampling, and refusing what cannot be compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from explorer.corpus.corpus import build_corpus
from explorer.corpus.readers import read_table
from explorer.errors import CorpusError, InputError
from explorer.service import demo_map, map_corpus, map_search, models
from explorer.service.map_corpus import MapRequest
from explorer.service.models import ModelRequest
from explorer.service.workspace import Workspace, finished, waited_for
from explorer.settings import Settings


@pytest.fixture(scope="module")
def workspace(make_model: Callable[..., Path]) -> Workspace:
    return Workspace(Settings(embedding=str(make_model()), offline=True))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [
        {"text": f"note {n} about {'bread' if n % 2 else 'the sea'}", "kind": "ab"[n % 2]} for n in range(40)
    ]
    path = tmp_path / "notes.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_a_file_becomes_a_map_with_progress_in_three_stages(workspace: Workspace, file: Path) -> None:
    steps = list(map_corpus.map_file(workspace, file, None, MapRequest()))
    stages = list(dict.fromkeys(step.stage.removeprefix("service.stage_") for step in steps))
    assert stages[-4:] == ["embedding", "neighbors", "layout", "done"]
    mapped = steps[-1].partial
    assert mapped.project.coordinates.shape == (40, 2)
    assert mapped.colours == ("kind",)
    assert 0 <= mapped.trust.kept.mean() <= 1
    assert workspace.projects.get(mapped.name) is mapped.project


def test_the_same_seed_gives_the_same_map(workspace: Workspace, file: Path) -> None:
    first, second, other = (
        finished(map_corpus.map_file(workspace, file, "text", MapRequest(seed=seed))).project.coordinates
        for seed in (1, 1, 2)
    )
    assert (first == second).all()
    assert not np.allclose(first, other)


def test_stopping_in_the_middle_starts_no_further_step_and_keeps_nothing_half_done(
    make_model: Callable[..., Path], file: Path
) -> None:
    workspace = Workspace(Settings(embedding=str(make_model(seed=5)), offline=True))
    waited_for(workspace.embedder())
    job = map_corpus.map_file(workspace, file, None, MapRequest())
    next(step for step in job if step.stage == "service.stage_layout")
    job.close()
    with pytest.raises(StopIteration):
        next(job)
    with pytest.raises(InputError, match="no longer held"):
        map_search.project(workspace, "anything")
    assert finished(map_corpus.map_file(workspace, file, None, MapRequest())).project.coordinates.shape == (
        40,
        2,
    )


def test_a_chosen_document_lists_its_true_neighbours_without_itself(workspace: Workspace, file: Path) -> None:
    mapped = finished(map_corpus.map_file(workspace, file, None, MapRequest()))
    found = map_search.neighbors_of(mapped.project, 3)
    cosines = mapped.project.vectors @ mapped.project.vectors[3]
    cosines[3] = -2
    np.testing.assert_allclose(found.cosines, np.sort(cosines)[::-1][: len(found.cosines)], atol=1e-5)
    assert 3 not in found.neighbors
    with pytest.raises(InputError, match="no document 40"):
        map_search.neighbors_of(mapped.project, 40)


def test_a_query_lands_on_the_document_that_it_repeats(workspace: Workspace, file: Path) -> None:
    mapped = finished(map_corpus.map_file(workspace, file, None, MapRequest()))
    text = mapped.project.corpus.texts[7]
    before = mapped.project.coordinates.copy()
    found = finished(map_search.find(workspace, mapped.name, text, instruction=None))
    assert found.neighbors[0] == 7 and found.cosines[0] > 0.9999
    np.testing.assert_allclose(found.position, mapped.project.coordinates[7], atol=0.05)
    assert (mapped.project.coordinates == before).all()


def test_a_map_of_another_model_is_not_searched(make_model: Callable[..., Path], file: Path) -> None:
    workspace = Workspace(Settings(embedding=str(make_model()), offline=True))
    mapped = finished(map_corpus.map_file(workspace, file, None, MapRequest()))
    finished(models.load(workspace, ModelRequest("embedding", str(make_model(seed=9)), "cpu")))
    with pytest.raises(InputError, match="cannot be compared"):
        finished(map_search.find(workspace, mapped.name, "bread"))


@pytest.mark.parametrize(("rows", "message"), [(["a"], "at least 3"), (["a", "b"], "at least 3")])
def test_too_few_documents_are_named(
    workspace: Workspace, tmp_path: Path, rows: list[str], message: str
) -> None:
    path = tmp_path / "few.txt"
    path.write_text("\n".join(rows))
    with pytest.raises(InputError, match=message):
        finished(map_corpus.map_file(workspace, path, None, MapRequest()))


@pytest.mark.parametrize("count", [3, 4, 16])
def test_small_and_identical_corpora_still_give_a_picture(
    workspace: Workspace, tmp_path: Path, count: int
) -> None:
    path = tmp_path / "same.txt"
    path.write_text("\n".join(["the same line"] * count))
    mapped = finished(map_corpus.map_file(workspace, path, None, MapRequest()))
    assert np.isfinite(mapped.project.coordinates).all()


def test_a_query_that_is_cut_is_told(workspace: Workspace, file: Path) -> None:
    mapped = finished(map_corpus.map_file(workspace, file, None, MapRequest()))
    found = finished(map_search.find(workspace, mapped.name, "bread " * 5000))
    assert "Query 1 is longer than" in found.notices[0].text("en")


def test_a_file_of_numbers_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("a,b\n1,2\n3,4\n5,6\n")
    with pytest.raises(CorpusError, match="No column of this file holds text"):
        finished(map_corpus.map_file(workspace, path, None, MapRequest()))


@pytest.mark.parametrize(
    "request_", [MapRequest(n_neighbors=1), MapRequest(min_dist=2.0), MapRequest(seed=-1)]
)
def test_a_parameter_out_of_range_is_refused(workspace: Workspace, file: Path, request_: MapRequest) -> None:
    waited_for(workspace.embedder())
    before = len(workspace.cache)
    with pytest.raises(InputError, match="must lie between"):
        finished(map_corpus.map_file(workspace, file, None, request_))
    assert len(workspace.cache) == before


def test_a_corpus_beyond_the_limit_is_sampled_evenly_and_said_to_be() -> None:
    table = read_table(("text\n" + "\n".join(f"line {n}" for n in range(1000))).encode(), "lines.csv")
    corpus = build_corpus(table, "text")
    kept = map_corpus.sampled(corpus, 100)
    assert len(kept.texts) == len(kept.columns) == 100
    assert kept.rows_in == len(kept.texts) + kept.dropped
    assert 300 < np.mean([int(text.split()[1]) for text in kept.texts]) < 700
    assert kept.notices[-1].text("en") == "The corpus has 1,000 documents; an even sample of 100 is mapped."
    assert map_corpus.sampled(corpus, 1000) is corpus


def test_the_recorded_demo_map_belongs_to_the_bundled_model_and_corpus() -> None:
    recorded = demo_map.recorded(None)
    assert recorded is not None, "record it anew: python -m explorer record-demo-map"
    workspace = Workspace(Settings(offline=True))
    embedder = waited_for(workspace.embedder())
    assert recorded.provenance.fingerprint == embedder.provenance.fingerprint
    fresh = embedder.encode(recorded.corpus.texts[:20])
    np.testing.assert_allclose(recorded.vectors[:20], fresh, atol=1e-4)
    assert demo_map.recorded("another model") is None

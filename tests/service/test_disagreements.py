"""Disagreements: all pairs by both models, which documents of a large corpus are taken, and the limits on pairs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from explorer.errors import InputError, LimitError
from explorer.service.disagreements import disagreements, sampled_rows
from explorer.service.limits import LIMITS
from explorer.service.searched import Source
from explorer.service.workspace import Workspace, finished, waited_for
from explorer.settings import Settings

QUERIES = ["capital of China", "gravity", "capital of China"]
DOCUMENTS = ["Beijing is a city", "Bodies fall", "An apple"]


@pytest.fixture(scope="module")
def workspace(make_model: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    embedding, reranker = str(make_model()), str(make_model(family="reranker", tied=False))
    data = tmp_path_factory.mktemp("data")
    return Workspace(Settings(embedding=embedding, reranker=reranker, offline=True, data_dir=data))


def test_all_pairs_carry_the_scores_that_each_model_gives_alone(workspace: Workspace) -> None:
    result = finished(disagreements(workspace, QUERIES, Source(DOCUMENTS)))
    assert result.queries == ("capital of China", "gravity"), "a query that comes twice is used once"
    embedder, reranker = waited_for(workspace.embedder()), waited_for(workspace.reranker())
    asked = embedder.encode(list(result.queries), instruction=result.instruction)
    np.testing.assert_allclose(result.cosines, asked @ embedder.encode(DOCUMENTS).T, atol=1e-5)
    for row, query in enumerate(result.queries):
        scores = reranker.score(query, DOCUMENTS, result.instruction)
        np.testing.assert_allclose(result.log_odds[row], scores.log_odds, atol=1e-4)
    assert result.cosine_cut == pytest.approx(np.median(result.cosines))


def test_the_lists_hold_pairs_of_query_and_document(workspace: Workspace) -> None:
    result = finished(disagreements(workspace, QUERIES, Source(DOCUMENTS)))
    middle = float(np.median(result.log_odds))
    parts = result.quadrants(log_odds_cut=middle)
    for pair in parts.false_friends:
        query, document = divmod(int(pair), len(DOCUMENTS))
        assert result.cosines[query, document] > result.cosine_cut
        assert result.log_odds[query, document] <= middle
    listed = len(parts.false_friends) + len(parts.hidden_gems)
    assert listed + parts.both_yes + parts.both_no == result.cosines.size


def test_of_a_large_corpus_half_are_the_nearest_and_half_are_drawn() -> None:
    cosines = np.random.default_rng(1).uniform(-1, 1, (3, 200)).astype(np.float32)
    rows, notices = sampled_rows(cosines, 20)
    assert len(set(rows.tolist())) == 20 and rows.tolist() == sorted(rows.tolist())
    for query in range(3):
        assert set(np.argsort(-cosines[query])[:3].tolist()) <= set(rows.tolist())
    assert notices[0].text("en").startswith("20 of 200 documents were read: 10 that lie nearest")
    assert sampled_rows(cosines, 20)[0].tolist() == rows.tolist(), "the same draw each time"


@pytest.mark.parametrize("most", [1, 2, 199])
def test_as_many_documents_as_wanted_are_taken(most: int) -> None:
    cosines = np.random.default_rng(2).uniform(-1, 1, (2, 200)).astype(np.float32)
    assert len(sampled_rows(cosines, most)[0]) == most
    assert sampled_rows(cosines, 200)[1] == ()


def test_a_sampled_corpus_is_told_and_keeps_the_places_of_its_documents(workspace: Workspace) -> None:
    corpus = [f"document {number}" for number in range(12)]
    result = finished(disagreements(workspace, QUERIES, Source(corpus), 5))
    assert result.documents == tuple(corpus[row] for row in result.rows)
    assert len(result.documents) == 5
    assert any("5 of 12 documents" in notice.text("en") for notice in result.notices)


@pytest.mark.parametrize("wanted", [0, -1, LIMITS.judged_pairs])
def test_too_many_pairs_are_refused_with_how_many_fit(workspace: Workspace, wanted: int) -> None:
    before = len(workspace.cache)
    with pytest.raises(LimitError, match=r"With 2 queries, choose from 1 to 1,000 documents"):
        finished(disagreements(workspace, QUERIES, Source(["never read"]), wanted))
    assert len(workspace.cache) == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"queries": []}, "no queries"),
        ({"queries": [f"query {number}" for number in range(LIMITS.crossed_queries + 1)]}, "21 texts"),
        ({"source": Source([" "])}, "no documents"),
        ({"template": "nonsense"}, "model_card or evaluation"),
    ],
)
def test_what_cannot_be_crossed_is_refused(
    workspace: Workspace, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        finished(disagreements(workspace, **({"queries": QUERIES, "source": Source(DOCUMENTS)} | changes)))

"""Two stages: the same numbers as each model alone, over any corpus, and judgements where people gave some."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from explorer.corpus.corpus import Corpus
from explorer.corpus.project import Project
from explorer.errors import InputError, LimitError
from explorer.service import demo_map
from explorer.service.judgements import grades_of, judged_queries, plain_queries
from explorer.service.limits import LIMITS
from explorer.service.searched import Source
from explorer.service.two_stages import TwoStages, two_stages
from explorer.service.workspace import Workspace, finished, waited_for
from explorer.settings import ASSETS, Settings

DOCUMENTS = [
    f"{word} {place}" for word in ("Beijing", "Gravity", "apple") for place in ("here", "there", "far")
]
QUERY = "What is the capital of China?"


@pytest.fixture(scope="module")
def workspace(make_model: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    embedding, reranker = str(make_model()), str(make_model(family="reranker", tied=False))
    data = tmp_path_factory.mktemp("data")
    return Workspace(Settings(embedding=embedding, reranker=reranker, offline=True, data_dir=data))


def searched(workspace: Workspace, source: Source, k: int = 4, query: str = QUERY) -> TwoStages:
    return finished(two_stages(workspace, query, source, k))


def test_the_nearest_are_retrieved_and_judged_as_each_model_does_alone(workspace: Workspace) -> None:
    result = searched(workspace, Source(DOCUMENTS))
    embedder, reranker = waited_for(workspace.embedder()), waited_for(workspace.reranker())
    cosines = embedder.encode(DOCUMENTS) @ embedder.encode([QUERY], instruction=result.instruction)[0]
    assert set(result.rows.tolist()) == set(np.argsort(-cosines)[:4].tolist())
    assert result.documents == tuple(DOCUMENTS[row] for row in result.rows)
    np.testing.assert_allclose(result.cosines, cosines[result.rows], atol=1e-5)
    scores = reranker.score(QUERY, result.documents, result.instruction)
    np.testing.assert_allclose(result.scores.log_odds, scores.log_odds, atol=1e-4)
    assert result.movement.first_ranks.tolist() == [1, 2, 3, 4]
    assert result.searched == len(DOCUMENTS)
    assert (result.quality, result.missed) == (None, ())


def test_only_the_retrieved_documents_are_read_by_the_reranker(workspace: Workspace) -> None:
    unread = [f"unread {number}" for number in range(30)]
    before = len(workspace.cache)
    searched(workspace, Source(unread), k=3, query="unread")
    assert len(workspace.cache) - before == len(unread) + 1 + 3, (
        "30 documents and a query embedded, 3 pairs read"
    )


def test_a_small_corpus_is_retrieved_whole(workspace: Workspace) -> None:
    assert len(searched(workspace, Source(["one", "two"]), k=50).rows) == 2


def test_the_corpus_of_a_map_is_searched_by_its_own_vectors(workspace: Workspace) -> None:
    embedder = waited_for(workspace.embedder())
    vectors = embedder.encode(DOCUMENTS)
    name = workspace.projects.keep(mapped(DOCUMENTS, vectors, embedder.provenance))
    by_map, alone = searched(workspace, Source(project=name)), searched(workspace, Source(DOCUMENTS))
    assert by_map.rows.tolist() == alone.rows.tolist()
    other = embedder.provenance.__class__(**{**vars(embedder.provenance), "fingerprint": "another"})
    name = workspace.projects.keep(mapped(DOCUMENTS, vectors, other))
    with pytest.raises(InputError, match="cannot be compared"):
        searched(workspace, Source(project=name))
    with pytest.raises(InputError, match="no longer held"):
        searched(workspace, Source(project=""))


def mapped(texts: list[str], vectors: np.ndarray, provenance: object) -> Project:
    corpus = Corpus("c", tuple(texts), pd.DataFrame({"text": texts}), len(texts), 0, 0, 0, ())
    nothing = np.zeros((len(texts), 1))
    return Project(corpus, vectors, nothing.astype(np.int32), nothing, np.zeros((len(texts), 2)), provenance)


def test_quality_and_what_was_missed_agree_with_the_judgements_file(workspace: Workspace) -> None:
    query = next(query for query in judged_queries() if {1, 3} <= set(judged_by_hand(query).values()))
    grades = judged_by_hand(query)
    result = searched(workspace, Source(list(grades)), k=3, query=query)
    assert result.grades == tuple(grades[text] for text in result.documents)
    relevant = {text for text, grade in grades.items() if grade >= 2}
    assert {one.text for one in result.missed} == relevant - set(result.documents)
    ranks = [one.rank for one in result.missed]
    assert ranks == sorted(ranks) and all(3 < rank <= len(grades) for rank in ranks)
    gains = [grades[text] for text in result.documents]
    final = [gains[place] for place in np.argsort(result.movement.second_ranks)]
    best = sorted(grades.values(), reverse=True)[:3]
    assert result.quality is not None and result.quality.ranks == 3
    assert result.quality.retrieved == pytest.approx(discounted(gains) / discounted(best))
    assert result.quality.reranked == pytest.approx(discounted(final) / discounted(best))
    assert discounted(final) > 0


def test_without_documents_the_demo_corpus_is_searched(workspace: Workspace) -> None:
    result = searched(workspace, Source(), query=judged_queries()[0])
    texts = demo_map.corpus().texts
    assert result.searched == len(texts) == 384
    assert result.documents == tuple(texts[row] for row in result.rows)


def discounted(gains: list[int]) -> float:
    return sum(gain / np.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def judged_by_hand(query: str) -> dict[str, int]:
    demo = ASSETS / "demo"
    lines = [json.loads(line) for line in (demo / "queries.jsonl").read_text("utf-8").splitlines()]
    identifier = next(line["id"] for line in lines if line["text"] == query)
    with (demo / "corpus.csv").open(encoding="utf-8", newline="") as file:
        texts = {row["id"]: row["text"] for row in csv.DictReader(file)}
    with (demo / "judgements.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {texts[row["doc_id"]]: int(row["grade"]) for row in rows if row["query_id"] == identifier}


def test_judgements_are_looked_up_word_for_word() -> None:
    query = judged_queries()[-1]
    known = judged_by_hand(query)
    assert grades_of(query, [*known, "something else"]) == (*known.values(), None)
    assert grades_of("another query", list(known)) == (None,) * len(known)
    assert len(judged_queries()) == 69 and len(plain_queries()) == 14


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"query": " "}, "no query"),
        ({"k": 0}, "from 1 to"),
        ({"k": LIMITS.rerank_documents + 1}, "from 1 to"),
        ({"source": Source([])}, "no documents"),
        ({"source": Source(["x"] * (LIMITS.mapped_documents + 1))}, "50,001 texts"),
        ({"template": "nonsense"}, "model_card or evaluation"),
        ({"instruction": "x" * (LIMITS.instruction_characters + 1)}, "2,001 characters"),
    ],
)
def test_what_cannot_be_searched_is_refused(
    workspace: Workspace, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        finished(two_stages(workspace, **({"query": QUERY, "source": Source(DOCUMENTS)} | changes)))


def test_too_many_to_retrieve_is_told_before_anything_is_computed(workspace: Workspace) -> None:
    before = len(workspace.cache)
    with pytest.raises(LimitError):
        finished(two_stages(workspace, "never seen", Source(["never seen"]), k=10_000))
    assert len(workspace.cache) == before


def test_a_document_the_reranker_cannot_read_to_its_end_is_told(workspace: Workspace) -> None:
    result = searched(workspace, Source(["word " * 5_000, "short"]), k=2)
    assert any("longer than" in notice.text("en") for notice in result.notices)

"""Instructions are compared on the same pairs, by both models, with exactly the official prompts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from explorer import load_embedder, load_reranker
from explorer.engine.prompts import DEFAULT_INSTRUCTION
from explorer.errors import InputError, LimitError
from explorer.service.compare_instructions import (
    compare_instructions,
    instruction_choices,
    suggested_instructions,
)
from explorer.service.examples import rerank_examples
from explorer.service.limits import LIMITS
from explorer.service.workspace import Workspace, finished, waited_for
from explorer.settings import Settings

QUERIES = ["What is the capital of China?", "gravity"]
DOCUMENTS = [
    "The capital of China is Beijing.",
    "Gravity pulls bodies together.",
    "yes no yes",
    "苹果是一种水果。",
]
TASKS = [DEFAULT_INSTRUCTION, "", "Retrieve parallel sentences", "检索与查询相关的段落"]


@pytest.fixture(scope="module")
def folders(make_model: Callable[..., Path]) -> tuple[str, str]:
    return str(make_model(context=512)), str(make_model(family="reranker", tied=False))


@pytest.fixture
def workspace(folders: tuple[str, str]) -> Workspace:
    return Workspace(Settings(embedding=folders[0], reranker=folders[1], offline=True, cache_gigabytes=0))


def test_every_score_is_the_one_of_a_run_with_that_instruction_alone(
    workspace: Workspace, folders: tuple[str, str]
) -> None:
    result = finished(compare_instructions(workspace, QUERIES, DOCUMENTS, TASKS))
    embedder, reranker = load_embedder(folders[0], "cpu"), load_reranker(folders[1], "cpu")
    documents = embedder.encode(DOCUMENTS)
    for number, task in enumerate(TASKS):
        cosines = embedder.encode(QUERIES, task or None) @ documents.T
        np.testing.assert_allclose(result.embedding.scores[number], cosines, atol=1e-5)
        for row, query in enumerate(QUERIES):
            alone = reranker.score(query, DOCUMENTS, task).log_odds
            np.testing.assert_allclose(result.reranker.scores[number, row], alone, atol=1e-4)
    assert result.instructions == tuple(TASKS)
    assert {change.kind for change in result.reranker.changes[1:]} == {"changed"}
    assert result.reranker.ranks.shape == result.reranker.scores.shape == (4, 2, 4)


def test_what_is_sent_is_told_to_the_letter(workspace: Workspace) -> None:
    result = finished(compare_instructions(workspace, QUERIES, DOCUMENTS, TASKS))
    reranker, embedder = waited_for(workspace.reranker()), waited_for(workspace.embedder())
    for number, task in enumerate(TASKS):
        pair = "".join(token.text for token in reranker.tokens(QUERIES[0], DOCUMENTS[0], task))
        assert pair.startswith(result.reranker.sent[number] + DOCUMENTS[0])
        query = "".join(token.text for token in embedder.tokens(QUERIES[0], task or None))
        assert query == result.embedding.sent[number] + "<|endoftext|>"
    assert "<Instruct>: \n<Query>: What" in result.reranker.sent[1]


def test_the_models_run_once_for_the_documents_and_once_for_each_query_and_instruction(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    reranker, embedder = waited_for(workspace.reranker()), waited_for(workspace.embedder())
    monkeypatch.setattr(Workspace, "reranker", lambda _: _given(reranker))
    monkeypatch.setattr(Workspace, "embedder", lambda _: _given(embedder))
    for _ in range(2):
        finished(compare_instructions(workspace, QUERIES, DOCUMENTS, TASKS))
        assert reranker.forwards == len(TASKS) * len(QUERIES)
        assert embedder.forwards == 1
    finished(compare_instructions(workspace, QUERIES, DOCUMENTS, [*TASKS, "another"]))
    assert reranker.forwards == (len(TASKS) + 1) * len(QUERIES)


def _given(model: object):
    yield from ()
    return model


def test_an_instruction_that_never_reaches_the_model_is_noticed(make_model: Callable[..., Path]) -> None:
    short = str(make_model(context=16))
    reranker = str(make_model(family="reranker", tied=False))
    workspace = Workspace(Settings(embedding=short, reranker=reranker, offline=True, cache_gigabytes=0))
    alike = "word " * 40
    result = finished(compare_instructions(workspace, ["capital"], DOCUMENTS, [alike + "a", alike + "b"]))
    assert result.embedding.changes[1].kind == "same_scores"
    assert result.reranker.changes[1].kind != "same_scores"
    assert any("Query 1 is longer than" in notice.text("en") for notice in result.notices)


def test_an_instruction_given_twice_counts_once_and_is_told(workspace: Workspace) -> None:
    result = finished(compare_instructions(workspace, ["capital"], DOCUMENTS, ["one", " one\n", "two"]))
    assert result.instructions == ("one", "two")
    assert [notice.text("en") for notice in result.notices] == [
        "Instructions that were given before were left out: 1."
    ]


@pytest.mark.parametrize(
    ("instructions", "error", "message"),
    [
        ([], InputError, "only one instruction"),
        (["a", " a "], InputError, "only one instruction"),
        ([str(number) for number in range(7)], LimitError, "7 instructions"),
        (["a", "b" * 2001], LimitError, "2,001 characters"),
        ("ab", InputError, "list of strings"),
        (["a", 1], InputError, "must be text"),
    ],
)
def test_instructions_that_cannot_be_compared_are_refused(
    workspace: Workspace, instructions: list[str], error: type[InputError], message: str
) -> None:
    with pytest.raises(error, match=message):
        finished(compare_instructions(workspace, ["capital"], DOCUMENTS, instructions))
    assert len(workspace.cache) == 0


def test_too_many_pairs_are_refused_before_anything_is_computed(workspace: Workspace) -> None:
    documents = [f"document {number}" for number in range(LIMITS.rerank_documents)]
    queries = [f"query {number}" for number in range(16)]
    with pytest.raises(LimitError, match="6,400 pairs"):
        finished(compare_instructions(workspace, queries, documents, ["a", "b"]))
    assert len(workspace.cache) == 0


def test_the_other_instructions_of_a_worked_example_are_suggested_first() -> None:
    example = next(entry for entry in rerank_examples() if entry.identifier == "jaguar-1")
    others = [
        entry.instruction
        for entry in rerank_examples()
        if entry.query == "jaguar" and entry.instruction != example.instruction
    ]
    suggested = suggested_instructions(example.query, example.instruction)
    assert list(suggested[: len(others)]) == others
    assert example.instruction not in suggested and len(suggested) <= 4
    assert DEFAULT_INSTRUCTION not in suggested_instructions("anything else", "")


def test_every_official_instruction_can_be_chosen_once() -> None:
    texts = [choice.instruction for choice in instruction_choices()]
    assert len(set(texts)) == len(texts) >= 10
    assert texts[:3] == [
        DEFAULT_INSTRUCTION,
        "Given the user query, retrieval the relevant passages",
        "Retrieval document that can answer user's query",
    ]

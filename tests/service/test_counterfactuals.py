"""Counterfactuals: versions scored as the models score them, a changed word computes only what changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from explorer import load_embedder, load_reranker
from explorer.errors import InputError, LimitError
from explorer.service.changes.change import PairVersion
from explorer.service.counterfactuals import Recomputed, score_versions, try_changes
from explorer.service.limits import LIMITS
from explorer.service.workspace import Workspace, finished
from explorer.settings import Settings

PAIR = PairVersion(
    "How long do fresh eggs keep?", "Eggs keep three weeks. The fridge helps.", "Find the answer"
)


@pytest.fixture(scope="module")
def models(make_model: Callable[..., Path]) -> dict[str, str]:
    return {
        "embedding": str(make_model(context=64)),
        "reranker": str(make_model(family="reranker", tied=False)),
    }


@pytest.fixture
def workspace(models: dict[str, str]) -> Workspace:
    return Workspace(Settings(**models, offline=True, cache_gigabytes=0))


def test_versions_are_scored_as_the_models_score_them(workspace: Workspace, models: dict[str, str]) -> None:
    versions = [
        PAIR,
        PAIR.with_text("document", "Owls hunt at night."),
        PAIR.with_text("instruction", "Negate it"),
    ]
    result = finished(score_versions(workspace, versions))
    reranker, embedder = load_reranker(models["reranker"]), load_embedder(models["embedding"])
    for place, version in enumerate(versions):
        alone = reranker.score(version.query, [version.document], version.instruction)
        vectors = embedder.encode([version.query], version.instruction), embedder.encode([version.document])
        np.testing.assert_allclose(result.log_odds[place], alone.log_odds[0], atol=1e-4)
        np.testing.assert_allclose(result.probability[place], alone.probability[0], atol=1e-5)
        np.testing.assert_allclose(result.cosines[place], (vectors[0] @ vectors[1].T)[0, 0], atol=1e-5)
    np.testing.assert_allclose(result.log_odds_changes, result.log_odds - result.log_odds[0])
    assert result.cosine_changes[0] == 0 and result.log_odds_changes[0] == 0


@pytest.mark.parametrize(
    ("changed", "recomputed"),
    [
        (PAIR, Recomputed(pairs=0, queries=0, documents=0)),
        (PAIR.with_text("document", "Eggs keep six weeks."), Recomputed(pairs=1, queries=0, documents=1)),
        (PAIR.with_text("query", "How long do eggs keep?"), Recomputed(pairs=1, queries=1, documents=0)),
        (PAIR.with_text("instruction", "Find no answer"), Recomputed(pairs=1, queries=1, documents=0)),
    ],
)
def test_a_changed_word_computes_only_what_it_changed(
    workspace: Workspace, changed: PairVersion, recomputed: Recomputed
) -> None:
    first = finished(score_versions(workspace, [PAIR]))
    assert first.recomputed == Recomputed(1, 1, 1)
    assert finished(score_versions(workspace, [changed])).recomputed == recomputed
    whole = finished(score_versions(workspace, [PAIR, changed]))
    assert whole.recomputed == Recomputed(0, 0, 0)
    assert whole.log_odds[0] == first.log_odds[0]


def test_every_change_is_tried_against_the_pair_as_it_stands(workspace: Workspace) -> None:
    tried = finished(try_changes(workspace, PAIR))
    found = {(change.kind, change.place) for change in tried.changes}
    assert {("number", "document"), ("sentence", "document"), ("negate", "query")} <= found
    assert tried.scores.versions == (PAIR, *(change.version for change in tried.changes))
    assert tried.left_out == 0
    only = finished(try_changes(workspace, PAIR, kinds=("number",), places=("document",)))
    assert [(change.before, change.after) for change in only.changes] == [("three", "six")]
    many = PAIR.with_text("document", " ".join(f"{number} eggs." for number in range(3, 40)))
    assert finished(try_changes(workspace, many, kinds=("number",), places=("document",))).left_out == 27


def test_a_text_beyond_the_models_limit_is_told(workspace: Workspace) -> None:
    result = finished(score_versions(workspace, [PAIR.with_text("document", "word " * 100)]))
    assert [notice.text("en") for notice in result.notices] == [
        f"{result.embedding.model} could not read all of these texts to the end; "
        "changes beyond its limit have no effect."
    ]


def test_an_empty_instruction_is_the_default_of_the_model_card(workspace: Workspace) -> None:
    result = finished(score_versions(workspace, [PAIR.with_text("instruction", " ")]))
    assert result.versions[0].instruction.startswith("Given a web search query")


def test_what_cannot_be_scored_is_refused_before_anything_is_computed(workspace: Workspace) -> None:
    with pytest.raises(InputError, match="at least one version"):
        finished(score_versions(workspace, []))
    with pytest.raises(InputError, match="no document"):
        finished(score_versions(workspace, [PAIR.with_text("document", "\0 ")]))
    with pytest.raises(InputError, match="no query"):
        finished(score_versions(workspace, [PAIR.with_text("query", "")]))
    with pytest.raises(LimitError, match="100,001"):
        finished(score_versions(workspace, [PAIR.with_text("document", "x" * (LIMITS.characters + 1))]))
    with pytest.raises(LimitError, match="201"):
        finished(score_versions(workspace, [PAIR] * (LIMITS.rerank_documents + 1)))
    with pytest.raises(InputError, match="model_card or evaluation"):
        finished(score_versions(workspace, [PAIR], "nonsense"))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="No rule finds"):
        finished(try_changes(workspace, PairVersion("x", "y", "z")))
    assert len(workspace.cache) == 0

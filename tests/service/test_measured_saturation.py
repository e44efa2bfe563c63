"""Saturation is measured from scores that are there already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.engine.scores import RerankScores, logistic
from explorer.errors import InputError
from explorer.provenance import Provenance
from explorer.service.rerank import rerank
from explorer.service.saturation import saturation, saturation_of
from explorer.service.workspace import Workspace, finished
from explorer.settings import Settings

DOCUMENTS = ["The capital of China is Beijing.", "Gravity pulls bodies together.", "yes no yes"]
WHERE = Provenance("Tiny", "reranker", "other", "0", "bfloat16", "cuda:0", "packed varlen")


@pytest.fixture
def workspace(make_model: Callable[..., Path]) -> Workspace:
    embedding, reranker = str(make_model()), str(make_model(family="reranker", tied=False))
    return Workspace(Settings(embedding=embedding, reranker=reranker, offline=True, cache_gigabytes=0))


def scored(logits: list[tuple[float, float]]) -> RerankScores:
    answers = np.array(logits, dtype=np.float32)
    log_odds = answers[:, 1] - answers[:, 0]
    none = np.zeros(len(answers), np.int64)
    return RerankScores(answers, log_odds, logistic(log_odds), none, none, "task", "model_card", WHERE)


def test_documents_that_a_bfloat16_softmax_would_tie_are_counted() -> None:
    result = saturation_of(["a", "b", "c", "d"], scored([(10, 15.7), (10, 15.8), (10, 15.4), (10, 9)]))
    assert result.softmax.tolist()[:3] == [0.99609375] * 3
    assert result.softmax_ties.sizes.tolist() == [3, 3, 3, 1]
    assert (result.softmax_ties.distinct, result.softmax_ties.first, result.softmax_ties.tied_pairs) == (
        2,
        3,
        3,
    )
    assert result.float32_ties.distinct == 4 and result.ranks.tolist() == [2, 1, 3, 4]
    assert result.both_logits


def test_float32_saturates_too_but_later() -> None:
    result = saturation_of(["a", "b"], scored([(0, 18), (0, 19)]))
    assert (result.float32_ties.distinct, result.float32_ties.tied_pairs) == (1, 1)


def test_a_model_that_gives_only_the_difference_is_told(make_model: Callable[..., Path]) -> None:
    folder = make_model(family="reranker", architecture="Qwen3ForSequenceClassification")
    workspace = Workspace(
        Settings(embedding=str(make_model()), reranker=str(folder), offline=True, cache_gigabytes=0)
    )
    result = finished(saturation(workspace, "capital", DOCUMENTS))
    assert not result.both_logits
    np.testing.assert_array_equal(result.scores.answer_logits[:, 1], result.scores.log_odds)


def test_the_job_and_the_last_ranking_give_the_same(workspace: Workspace) -> None:
    shown = finished(rerank(workspace, "capital", DOCUMENTS))
    kept = len(workspace.cache)
    again = saturation_of(shown.documents, shown.scores)
    result = finished(saturation(workspace, "capital", DOCUMENTS))
    np.testing.assert_array_equal(result.softmax, again.softmax)
    np.testing.assert_array_equal(result.scores.log_odds, shown.scores.log_odds)
    assert len(workspace.cache) == kept, "nothing was computed again"
    rounded = torch.from_numpy(shown.scores.answer_logits).bfloat16()
    assert result.softmax.tolist() == torch.softmax(rounded, 1)[:, 1].tolist()


@pytest.mark.parametrize(("query", "documents"), [("", DOCUMENTS), ("capital", []), ("capital", ["", " "])])
def test_nothing_to_score_is_refused(workspace: Workspace, query: str, documents: list[str]) -> None:
    with pytest.raises(InputError):
        finished(saturation(workspace, query, documents))

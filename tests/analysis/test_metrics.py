"""Measures equal trec_eval's."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.analysis.metrics import ndcg_at_k, recall_at_k, reciprocal_rank
from explorer.errors import InputError

# Five documents ranked d0 to d4. By hand: DCG@3 = 1/log2(2) + 0 + 3/log2(4) = 2.5,
# ideal DCG@3 = 3/log2(2) + 2/log2(3) + 1/log2(4) = 3 + 1.2618595 + 0.5.
SCORES, RELEVANCE = [0.9, 0.8, 0.7, 0.6, 0.5], [1, 0, 3, 0, 2]


def test_values_worked_out_by_hand() -> None:
    assert ndcg_at_k(SCORES, RELEVANCE, 3) == pytest.approx(2.5 / 4.7618595, abs=1e-6)
    assert reciprocal_rank(SCORES, RELEVANCE) == 1
    assert reciprocal_rank(SCORES, RELEVANCE, least=2) == pytest.approx(1 / 3)
    assert recall_at_k(SCORES, RELEVANCE, 3) == pytest.approx(2 / 3)
    assert recall_at_k(SCORES, RELEVANCE, 5) == 1


def test_perfect_and_hopeless_rankings() -> None:
    assert ndcg_at_k(RELEVANCE, RELEVANCE, 10) == pytest.approx(1)
    assert (
        ndcg_at_k(SCORES, [0] * 5, 10)
        == reciprocal_rank(SCORES, [0] * 5)
        == recall_at_k(SCORES, [0] * 5)
        == 0
    )
    assert ndcg_at_k([], [], 10) == reciprocal_rank([], []) == recall_at_k([], []) == 0


def test_unusable_input_is_named() -> None:
    with pytest.raises(InputError, match="at least 1"):
        ndcg_at_k(SCORES, RELEVANCE, 0)
    with pytest.raises(InputError, match="belong together"):
        recall_at_k(SCORES, [1], 3)


def test_agreement_with_trec_eval() -> None:
    trec = pytest.importorskip("pytrec_eval", reason="pytrec_eval is not installed; compared by hand above")
    random = np.random.default_rng(0)
    for _ in range(50):
        count = int(random.integers(1, 40))
        scores = random.permutation(count) / 50.0
        relevance = random.integers(0, 4, count) * random.integers(0, 2, count)
        names = [f"d{index}" for index in range(count)]
        evaluator = trec.RelevanceEvaluator(
            {"q": {name: int(value) for name, value in zip(names, relevance, strict=True)}},
            {"ndcg_cut.3,10", "recall.5,10", "recip_rank"},
        )
        expected = evaluator.evaluate({"q": dict(zip(names, map(float, scores), strict=True))})["q"]
        assert ndcg_at_k(scores, relevance, 3) == pytest.approx(expected["ndcg_cut_3"], abs=1e-6)
        assert ndcg_at_k(scores, relevance, 10) == pytest.approx(expected["ndcg_cut_10"], abs=1e-6)
        assert recall_at_k(scores, relevance, 5) == pytest.approx(expected["recall_5"], abs=1e-6)
        assert recall_at_k(scores, relevance, 10) == pytest.approx(expected["recall_10"], abs=1e-6)
        assert reciprocal_rank(scores, relevance) == pytest.approx(expected["recip_rank"], abs=1e-6)

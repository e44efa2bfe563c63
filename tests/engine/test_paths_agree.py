"""Packed, shared-prefix and padded forwards give the same vectors, log-odds and ranks for any request."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import ModelFactory

from explorer.analysis.ranking import movement
from explorer.engine.budget import TokenBudget
from explorer.engine.embedder import Embedder
from explorer.engine.forward.paths import use_path
from explorer.engine.reranker import Reranker
from explorer.models.loading import LoadedModel, load_model

MODELS = (
    {"seed": 21},
    {"tied": False, "layers": 1, "seed": 22},
    {"heads": 3, "key_value_heads": 1, "head_dim": 10, "hidden": 36, "layers": 3, "seed": 23},
)
WORDS = "the capital of China is Beijing gravity pulls yes no answer 北京 苹果 🚀 42 naïve"
TEXT = st.lists(st.sampled_from(WORDS.split()), max_size=40).map(" ".join)
TEXTS = st.lists(TEXT, min_size=1, max_size=14)
BUDGET = st.integers(1, 700)


@pytest.fixture(scope="module", params=MODELS, ids=["tied", "untied", "odd"])
def embedding(request: pytest.FixtureRequest, make_model: ModelFactory) -> LoadedModel:
    return load_model(str(make_model(**request.param)), "embedding", "cpu")


@pytest.fixture(scope="module", params=MODELS, ids=["tied", "untied", "odd"])
def reranking(request: pytest.FixtureRequest, make_model: ModelFactory) -> LoadedModel:
    return load_model(str(make_model(family="reranker", **request.param)), "reranker", "cpu")


@settings(max_examples=12, deadline=None, derandomize=True)
@given(TEXTS, st.one_of(st.none(), TEXT), BUDGET)
def test_vectors_agree(
    embedding: LoadedModel, texts: list[str], instruction: str | None, budget: int
) -> None:
    packed, padded = Embedder(embedding), Embedder(embedding)
    packed._runner.budget = TokenBudget(budget)
    found = packed.encode(texts, instruction)
    padded._runner.path = "padded"
    use_path(embedding.backbone, "padded")
    expected = padded.encode(texts, instruction)
    use_path(embedding.backbone, "segments")
    assert np.abs(found - expected).max() <= 1e-5


@settings(max_examples=12, deadline=None, derandomize=True)
@given(TEXT, TEXTS, TEXT, BUDGET)
def test_log_odds_and_ranks_agree_but_for_ties(
    reranking: LoadedModel, query: str, documents: list[str], instruction: str, budget: int
) -> None:
    packed, padded = Reranker(reranking), Reranker(reranking)
    packed._runner.budget = TokenBudget(budget)
    found = packed.score(query, documents, instruction).log_odds
    padded._runner.path = "padded"
    use_path(reranking.backbone, "padded")
    expected = padded.score(query, documents, instruction).log_odds
    use_path(reranking.backbone, "segments")
    assert np.abs(found - expected).max() <= 1e-4
    ranks, expected_ranks = (movement(scores, scores).second_ranks for scores in (found, expected))
    for first in range(len(documents)):
        for second in range(first):
            if abs(expected[first] - expected[second]) > 2e-4:
                assert (ranks[first] < ranks[second]) == (expected_ranks[first] < expected_ranks[second])


def test_equal_documents_keep_their_order(reranking: LoadedModel) -> None:
    scores = Reranker(reranking).score("capital", ["Beijing", "no", "Beijing", "no", "Beijing"]).log_odds
    ranks = movement(scores, scores).second_ranks
    assert ranks[0] < ranks[2] < ranks[4]
    assert ranks[1] < ranks[3]

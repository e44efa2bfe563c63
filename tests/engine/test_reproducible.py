"""In reproducible mode a result is the same to the last bit, whatever else is computed with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parquet_texts import WORDS

import explorer
from explorer.engine import runner
from explorer.engine.embedder import Embedder
from explorer.engine.reranker import Reranker
from explorer.engine.store.cache import VectorCache
from explorer.models.loading import LoadedModel


def texts_of(count: int, seed: int) -> list[str]:
    draw = np.random.default_rng(seed)
    return [" ".join(draw.choice(WORDS, draw.integers(1, 60))) for _ in range(count)]


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(1, 25), st.integers(0, 1000))
def test_a_vector_has_the_same_bits_alone_and_in_any_company(
    tiny_embedding: LoadedModel, count: int, seed: int
) -> None:
    texts = texts_of(count, seed)
    together = Embedder(tiny_embedding, reproducible=True).encode(texts)
    order = np.random.default_rng(seed).permutation(count)
    shuffled = Embedder(tiny_embedding, reproducible=True).encode([texts[index] for index in order])
    alone = Embedder(tiny_embedding, reproducible=True).encode(texts[0])
    assert np.array_equal(together[order], shuffled)
    assert np.array_equal(together[:1], alone)


def test_a_score_has_the_same_bits_alone_and_in_any_company(tiny_reranker: LoadedModel) -> None:
    documents = texts_of(12, 3)
    together = Reranker(tiny_reranker, reproducible=True).score("capital of China", documents).log_odds
    backwards = Reranker(tiny_reranker, reproducible=True).score("capital of China", documents[::-1]).log_odds
    alone = Reranker(tiny_reranker, reproducible=True).score("capital of China", documents[:1]).log_odds
    assert np.array_equal(together, backwards[::-1])
    assert np.array_equal(together[:1], alone)


def test_both_loaders_offer_it() -> None:
    assert explorer.load_embedder(reproducible=True).provenance.attention.endswith("reproducible")
    assert explorer.load_reranker(reproducible=True).provenance.attention.endswith("reproducible")


def test_both_modes_agree_and_say_which_they_are(tiny_embedding: LoadedModel) -> None:
    texts = texts_of(20, 5)
    cache = VectorCache()
    usual, exact = Embedder(tiny_embedding, cache), Embedder(tiny_embedding, cache, reproducible=True)
    assert np.abs(usual.encode(texts) - exact.encode(texts)).max() <= 1e-5
    assert exact.forwards == len(set(texts)), "the usual results must not be taken from the cache"
    assert exact.provenance.attention == "packed sdpa, reproducible"


def test_results_of_another_number_of_threads_are_not_taken_over(
    tiny_embedding: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, texts = VectorCache(), texts_of(3, 1)
    Embedder(tiny_embedding, cache, reproducible=True).encode(texts)
    again = Embedder(tiny_embedding, cache, reproducible=True)
    again.encode(texts)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    elsewhere = Embedder(tiny_embedding, cache, reproducible=True)
    elsewhere.encode(texts)
    assert (again.forwards, elsewhere.forwards) == (0, 3)


def test_packed_forwards_of_a_gpu_never_change_their_shape(
    tiny_embedding: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int, int, bool, int]] = []

    def forward(backbone, sequences, shared, device, path, *, reproducible, fixed_tokens):
        tokens = sum(map(len, sequences))
        asked.append((len(sequences), tokens, shared, reproducible, fixed_tokens))
        return torch.ones(len(sequences), 48)

    embedder = Embedder(tiny_embedding, reproducible=True)
    embedder._runner.path = "varlen"
    monkeypatch.setattr(runner, "last_hidden_states", forward)
    monkeypatch.setattr(runner, "FIXED_TOKENS", 128)
    embedder.encode([*texts_of(40, 9), "yes " * 200], "the same instruction for all of them")
    assert max(count for count, *_ in asked) > 1
    for count, tokens, shared, reproducible, fixed in asked:
        assert (shared, reproducible, fixed % 128) == (0, True, 0)
        assert fixed == 128 or (count == 1 and tokens > 128), "only a text alone may need a larger one"

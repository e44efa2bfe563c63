"""Quality against figures counted by hand and by scipy."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from transformers import Qwen3Model

from explorer.engine.embedder import Embedder
from explorer.models.tokenizer import read_tokenizer
from explorer.training.pairs.demo import demo_held_out, demo_instruction_pairs
from explorer.training.quality.embedding import (
    HeldOut,
    Quality,
    RetrievalItem,
    measure_bm25,
    measure_embedding,
)
from explorer.training.quality.encoding import model_encoder

VECTORS = {
    "north": (1.0, 0.0, 0.0),
    "north east": (0.8, 0.6, 0.0),
    "east": (0.0, 1.0, 0.0),
    "up": (0.0, 0.0, 1.0),
    "mostly up": (0.6, 0.0, 0.8),
}


def encode(texts, instruction=None, /):
    assert instruction != ""
    return np.array([VECTORS[text] for text in texts], dtype=np.float32)


def item(query: str, *answers: str, instruction: str = "find") -> RetrievalItem:
    return RetrievalItem(query, tuple((text, 1.0) for text in answers), instruction)


def test_similarity_by_size_is_the_rank_correlation_of_cosines():
    rows = (
        ("north", "north east", 0.9),
        ("north", "mostly up", 0.5),
        ("east", "up", 0.1),
        ("up", "mostly up", 0.6),
    )
    found = measure_embedding(encode, HeldOut(rows), (2,)).spearman
    full = [0.8, 0.6, 0.0, 0.8]
    flat = [0.8, 1.0, 0.0, 0.0]
    scores = [row[2] for row in rows]
    assert found == {
        2: pytest.approx(spearmanr(flat, scores)[0]),
        3: pytest.approx(spearmanr(full, scores)[0]),
    }


def test_retrieval_by_hand():
    held = HeldOut(
        retrieval=(
            item("north", "north east"),
            item("up", "east", "mostly up", instruction=""),
            item("east", "up"),
        ),
    )
    # Documents: north east, east, mostly up, up.
    # north ranks north east first. up ranks up, mostly up (an answer), north east = east at 0, so east comes last.
    # east ranks east, north east, then mostly up = up at 0.
    quality = measure_embedding(encode, held)
    ideal = 1 + 1 / math.log2(3)
    second = (1 / math.log2(3) + 1 / math.log2(5)) / ideal
    assert (quality.queries, quality.documents) == (3, 4)
    assert quality.recall_at_1 == pytest.approx(1 / 3)
    assert quality.ndcg_at_10 == pytest.approx((1 + second + 1 / math.log2(5)) / 3)
    assert quality.ndcg_by_dimension == {3: quality.ndcg_at_10}


def test_a_smaller_size_sees_only_its_own_dimensions():
    quality = measure_embedding(
        encode, HeldOut(retrieval=(item("mostly up", "up"),), others=("north",)), (1, 9)
    )
    assert quality.recall_by_dimension == {1: 0, 3: 1}
    assert quality.documents == 2


def test_queries_keep_their_order_whatever_their_instructions():
    tasks = ("a", "b", "a", "", "b")
    names = ("north", "east", "up", "north east", "mostly up")
    held = HeldOut(retrieval=tuple(item(n, n, instruction=t) for n, t in zip(names, tasks, strict=True)))
    assert measure_embedding(encode, held).recall_at_1 == 1


def test_nothing_to_measure_gives_nothing():
    assert measure_embedding(encode, HeldOut()) == Quality({}, None, None, 0, 0) == measure_bm25(HeldOut())
    assert measure_embedding(encode, HeldOut((("north", "east", 1.0),))).spearman == {}


def test_a_collapsed_model_correlates_with_nothing():
    def same(texts, instruction=None, /):
        return np.ones((len(texts), 2), dtype=np.float32) / np.float32(math.sqrt(2))

    rows = (("a", "b", 0.1), ("c", "d", 0.9), ("e", "f", 0.4))
    quality = measure_embedding(same, HeldOut(rows, (item("a", "b"), item("c", "d"))))
    assert quality.spearman == {2: 0.0}
    assert quality.recall_at_1 == 0.5


def test_bm25_finds_words_and_only_words():
    held = HeldOut(retrieval=(item("lazy dogs", "the lazy dogs sleep"), item("feline", "a cat purrs")))
    assert measure_bm25(held).recall_at_1 == 0.5


def test_figures_are_said_in_one_line():
    assert str(Quality({64: 0.5}, 0.25, 0.75, 4, 8)) == "Spearman 0.500 at 64, recall@1 0.250, nDCG@10 0.750"


def test_figures_of_a_table_are_those_at_the_smallest_and_the_full_size():
    quality = Quality({32: 0.1, 64: 0.2, 256: 0.3}, 0.4, 0.5, 1, 1, {256: 0.4}, {256: 0.5})
    assert quality.named() == {
        "Spearman, 32 dimensions": 0.1,
        "Spearman, 256 dimensions": 0.3,
        "nDCG@10, 256 dimensions": 0.5,
        "recall@1": 0.4,
    }
    assert Quality({}, None, None, 0, 0).named() == {}


def test_a_bare_model_encodes_as_the_engine_does(make_model, tiny_embedding):
    folder = make_model()
    model = Qwen3Model.from_pretrained(folder, dtype=torch.float32).train()
    tokenizer, _ = read_tokenizer(Path(folder), model.config.vocab_size)
    found = model_encoder(model, tokenizer)
    texts = ["Paris is the capital of France.", "北京", "", "a b c " * 40]
    engine = Embedder(tiny_embedding)
    for task in (None, "Find the capital of a country"):
        np.testing.assert_allclose(found(texts, task), engine.encode(texts, task), atol=1e-5)
    assert model.training and model.config._attn_implementation == "sdpa"
    assert found([]).shape == (0, 48)


def test_the_demo_material_is_whole():
    held = demo_held_out()
    assert (len(held.retrieval), len(held.documents)) == (69, 384)
    assert all(item.judged and max(grade for _, grade in item.judged) == 3 for item in held.retrieval)
    assert all(len(set(pair.documents)) == 2 for pair in demo_instruction_pairs())
    assert len(demo_instruction_pairs()) >= 20

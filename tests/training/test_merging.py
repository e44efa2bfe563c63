"""Merged folders load like any other, and models that do not belong together are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from transformers import Qwen3Model

from explorer.engine.embedder import load_embedder
from explorer.engine.reranker import load_reranker
from explorer.errors import Cancelled, InputError, ModelLoadError
from explorer.progress import CancelToken
from explorer.training.merging.folders import measure_on, merge_folders, sweep
from explorer.training.merging.model_states import backbone_of, read_state
from explorer.training.merging.slerp import slerp
from explorer.training.pairs.demo import demo_held_out
from explorer.training.quality.embedding import HeldOut, Quality, RetrievalItem

TEXTS = ["The capital of China is Beijing.", "苹果是一种水果。", "Gravity"]


@pytest.fixture
def two(make_model) -> list[Path]:
    return [make_model(seed=seed) for seed in (0, 1)]


@pytest.fixture
def other(two, tmp_path) -> Path:
    """A copy of the first model to be spoilt."""
    return shutil.copytree(two[0], tmp_path / "other")


def test_a_merged_embedding_model_loads_everywhere_with_the_expected_weights(two, tmp_path):
    out = merge_folders(two, [0.7, 0.3], tmp_path / "merged")
    expected = slerp(*(read_state(folder).tensors for folder in two), 0.3)
    found = load_file(out / "model.safetensors")
    assert found.keys() == expected.keys()
    assert all(torch.allclose(found[name], expected[name], rtol=1e-6, atol=1e-8) for name in found)
    vectors = load_embedder(str(out), "cpu").encode(TEXTS)
    both = SentenceTransformer(str(out), device="cpu").encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(vectors, both, atol=1e-5)
    assert "0.7" in (out / "README.md").read_text("utf-8")


@pytest.mark.parametrize("tied", [True, False])
def test_a_merged_reranker_scores_between_its_ends(make_model, tmp_path, tied):
    two = [make_model(family="reranker", tied=tied, seed=seed) for seed in (0, 1)]
    documents = ["Beijing", "Paris is the capital of France."]
    ends = [
        load_reranker(str(folder), "cpu").score("capital of France", documents).log_odds for folder in two
    ]
    for weights, end in (([1, 0], ends[0]), ([0, 2], ends[1])):
        out = merge_folders(two, weights, tmp_path / f"merged-{weights[0]}")
        scores = load_reranker(str(out), "cpu").score("capital of France", documents).log_odds
        np.testing.assert_allclose(scores, end, atol=1e-4)
    out = merge_folders(two, [1, 1], tmp_path / "half")
    assert np.isfinite(load_reranker(str(out), "cpu").score("capital", documents).log_odds).all()
    assert ("lm_head.weight" in load_file(out / "model.safetensors")) is not tied


def test_a_model_merged_with_itself_is_itself_bit_for_bit(make_model, tmp_path):
    folder = make_model(dtype=torch.bfloat16, shards=3)
    out = merge_folders([folder] * 3, [1, 2, 3], tmp_path / "same")
    before, after = read_state(folder).tensors, read_state(out).tensors
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert {tensor.dtype for tensor in after.values()} == {torch.bfloat16}


def test_the_sweep_measures_exactly_the_models_that_merging_writes(two, tmp_path):
    weights, seen = [0.0, 0.35, 1.0], []

    def measure(model: Qwen3Model) -> Quality:
        seen.append((id(model), {name: tensor.clone() for name, tensor in model.state_dict().items()}))
        return Quality({}, 0.5, 0.5, len(seen), 1)

    points = list(sweep(*two, weights, measure))
    assert [(point.weight, point.figures.queries) for point in points] == [(0.0, 1), (0.35, 2), (1.0, 3)]
    assert len({place for place, _ in seen}) == 1, "one model in memory takes every mixture"
    for weight, (_, held) in zip(weights, seen, strict=True):
        written = read_state(merge_folders(two, [1 - weight, weight], tmp_path / f"{weight}")).tensors
        assert all(torch.equal(held[name], written[name].float()) for name in written)


def test_the_ends_of_a_sweep_have_the_quality_of_the_models_themselves(two):
    held = HeldOut(retrieval=tuple(RetrievalItem(text, ((text, 1.0),)) for text in TEXTS))
    measure = measure_on(two[0], held, (16,))
    first, last = sweep(*two, [0, 1], measure)
    for folder, point in zip(two, (first, last), strict=True):
        assert point.figures == measure(backbone_of(read_state(folder)))
    assert set(first.figures.ndcg_by_dimension) == {16, 48}


def test_a_sweep_stops_between_two_places(two):
    stop = CancelToken()
    points = sweep(*two, [0, 0.5, 1], lambda model: Quality({}, None, None, 0, 0), stop)
    next(points)
    stop.cancel()
    with pytest.raises(Cancelled):
        next(points)


def test_the_bundled_model_is_measured_on_the_demo_material_as_the_engine_measures_it():
    folder = Path(__file__).parents[2] / "assets" / "models" / "mini-embedding"
    held = demo_held_out()
    few = HeldOut(retrieval=held.retrieval[:5], others=held.others[:40])
    found = measure_on(folder, few)(backbone_of(read_state(folder)))
    assert found.documents == len(few.documents) and found.queries == 5
    assert found.ndcg_at_10 > 0.3
    assert {weight.dtype for weight in backbone_of(read_state(folder)).parameters()} == {torch.float32}


def test_families_are_not_mixed(make_model, two, tmp_path):
    reranker = make_model(family="reranker", tied=True, layers=2)
    with pytest.raises(InputError, match="an embedding model and a reranker"):
        merge_folders([two[0], reranker], [1, 1], tmp_path / "out")
    with pytest.raises(InputError, match="drawn for embedding models"):
        next(sweep(reranker, reranker, [0.5], lambda model: Quality({}, None, None, 0, 0)))
    assert not (tmp_path / "out").exists()


def test_shapes_are_not_mixed(make_model, two, tmp_path):
    with pytest.raises(InputError, match="differ in “intermediate_size”"):
        merge_folders([two[0], make_model(intermediate=100)], [1, 1], tmp_path / "out")


def test_tokenizers_are_not_mixed(two, other, tmp_path):
    tokenizer = json.loads((other / "tokenizer.json").read_text("utf-8"))
    tokenizer["model"]["merges"].pop()
    (other / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    with pytest.raises(InputError, match="different tokenizers"):
        merge_folders([two[0], other], [1, 1], tmp_path / "out")


def test_a_classifier_is_refused(make_model, tmp_path):
    folder = make_model(family="reranker", architecture="Qwen3ForSequenceClassification")
    with pytest.raises(InputError, match="sequence classification"):
        merge_folders([folder, folder], [1, 1], tmp_path / "out")


def test_damaged_weights_are_named(other, tmp_path):
    file = other / "model.safetensors"
    tensors = load_file(file)
    save_file({name: tensor for name, tensor in tensors.items() if name != "norm.weight"}, file)
    with pytest.raises(ModelLoadError, match=r"norm\.weight"):
        merge_folders([other], [1], tmp_path / "out")
    save_file(tensors | {"norm.weight": torch.ones(3)}, file)
    with pytest.raises(ModelLoadError, match=r"norm\.weight"):
        merge_folders([other], [1], tmp_path / "out")
    file.write_bytes(b"not safetensors")
    with pytest.raises(ModelLoadError, match=r"model\.safetensors"):
        merge_folders([other], [1], tmp_path / "out")


def test_a_model_is_never_written_over_its_parents(two, other):
    with pytest.raises(InputError):
        merge_folders([two[1], other], [1, 1], other)
    assert (other / "config.json").exists()


def test_weights_that_cannot_be_used_leave_nothing_behind(two, tmp_path):
    with pytest.raises(InputError, match="cannot be used"):
        merge_folders(two, [0, 0], tmp_path / "out")
    with pytest.raises(InputError, match="between 0"):
        list(sweep(*two, [1.5], lambda model: Quality({}, None, None, 0, 0)))
    assert not (tmp_path / "out").exists()

"""Adapters change nothing at first, train alone, and vanish into the exported weights."""

from __future__ import annotations

import copy

import pytest
import torch
from safetensors.torch import load_file
from transformers import Qwen3Model

from explorer.training.embedding.training import EmbeddingPlan, train_embedding
from explorer.training.loop.adapters import PROJECTIONS, add_adapters, merge_adapters
from explorer.training.pairs.pair import TrainingPair

IDS = torch.tensor([[5, 9, 30, 12, 0], [7, 7, 41, 3, 0]])


@pytest.fixture
def base(make_model):
    return Qwen3Model.from_pretrained(make_model()).eval()


def states(model):
    with torch.no_grad():
        return model(input_ids=IDS).last_hidden_state


def stir(model):
    torch.manual_seed(1)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.requires_grad:
                weight.add_(torch.randn_like(weight) * 0.05)
                assert "lora" in name


def test_fresh_adapters_leave_the_model_as_it_was_and_are_all_that_is_trained(base):
    before, tensors = states(base), copy.deepcopy(base.state_dict())
    adapted = add_adapters(base, 4, seed=0)
    assert torch.equal(states(adapted), before)
    trained = {name for name, weight in adapted.named_parameters() if weight.requires_grad}
    assert len(trained) == 2 * len(PROJECTIONS) * base.config.num_hidden_layers
    adapted(input_ids=IDS).last_hidden_state.square().sum().backward()
    with_gradient = {name for name, weight in adapted.named_parameters() if weight.grad is not None}
    assert with_gradient == trained
    stir(adapted)
    kept = {
        name.removeprefix("base_model.model.").replace("base_layer.", ""): weight
        for name, weight in adapted.state_dict().items()
        if "lora" not in name
    }
    assert kept.keys() == tensors.keys()
    assert all(torch.equal(kept[name], tensors[name]) for name in tensors)


def test_the_merged_model_computes_what_the_adapted_one_did(base):
    names = list(base.state_dict())
    before = states(base)
    adapted = add_adapters(base, 4, seed=0)
    stir(adapted)
    expected = states(adapted)
    merged = merge_adapters(adapted)
    assert not torch.allclose(expected, before, atol=1e-2)
    assert torch.allclose(states(merged), expected, atol=1e-5)
    assert type(merged) is Qwen3Model
    assert list(merged.state_dict()) == names


def test_adapters_start_the_same_from_the_same_seed_and_leave_the_programs_randomness_alone(make_model):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, second, other = (
        add_adapters(Qwen3Model.from_pretrained(make_model()), 4, seed).state_dict() for seed in (0, 0, 1)
    )
    assert torch.equal(torch.rand(1), expected)
    name = next(name for name in first if "lora_A" in name)
    assert torch.equal(first[name], second[name])
    assert not torch.equal(first[name], other[name])


def test_a_run_with_adapters_exports_an_ordinary_model(make_model, tmp_path):
    base = make_model()
    pairs = [TrainingPair(f"query {number}", f"document {number}") for number in range(8)]
    plan = EmbeddingPlan(steps=3, batch_pairs=4, learning_rate=0.05, lora_rank=2)
    for step in train_embedding(base, pairs, plan, tmp_path, device="cpu"):
        assert step.checkpoint is None or step.step == 3
    mine, theirs = (load_file(place / "model.safetensors") for place in (tmp_path / "model", base))
    assert mine.keys() == theirs.keys()
    changed = {name for name in theirs if not torch.equal(mine[name], theirs[name])}
    assert changed == {name for name in theirs if any(part in name for part in PROJECTIONS)}
    kept = load_file(tmp_path / "checkpoints" / "step-000003" / "weights.safetensors")
    assert all("lora" in name for name in kept)

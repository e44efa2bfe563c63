"""Padded batches need no mask, and transformers builds none."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from forward_cases import CPU, one_by_one, sequences_of
from tiny_models import ModelFactory

from explorer.engine.forward.padded import padded_last_states
from explorer.engine.forward.paths import use_path
from explorer.models.loading import load_model


@torch.inference_mode()
def test_neighbours_of_similar_length_share_a_batch_without_a_mask(make_model: ModelFactory) -> None:
    backbone: Any = load_model(str(make_model(seed=11)), "embedding", "cpu").backbone
    sequences = sequences_of([20, 17, 16, 5, 4, 1, 30], 0)
    expected = one_by_one(backbone, sequences)
    use_path(backbone, "padded")
    seen: list[tuple[torch.Size, Any]] = []
    attention = backbone.layers[0].self_attn
    hook = attention.register_forward_pre_hook(
        lambda _, __, named: seen.append((named["hidden_states"].shape[:2], named["attention_mask"])),
        with_kwargs=True,
    )
    found = padded_last_states(backbone, sequences, CPU)
    hook.remove()
    assert seen == [((3, 20), None), ((2, 5), None), ((1, 1), None), ((1, 30), None)]
    assert (found - expected).abs().max() <= 2e-5


@pytest.mark.parametrize("longer", [1, 4])
@torch.inference_mode()
def test_padding_cannot_be_seen(make_model: ModelFactory, longer: int) -> None:
    backbone: Any = load_model(str(make_model(seed=11)), "embedding", "cpu").backbone
    use_path(backbone, "padded")
    short, long = sequences_of([20, 20 + longer], 0)
    changed = (long + 1) % 300
    before, after = (padded_last_states(backbone, [short, other], CPU) for other in (long, changed))
    assert torch.equal(before[0], after[0])

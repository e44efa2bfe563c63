"""Packed attention keeps the texts apart, whether lengths within a group are equal or padded."""

from __future__ import annotations

import pytest
import torch
from forward_cases import CPU, one_by_one, sequences_of
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import ModelFactory

from explorer.engine.forward.attention import PACKED, packed_last_attention
from explorer.engine.forward.last_layer import last_token_states
from explorer.engine.forward.packing import pack
from explorer.engine.forward.paths import last_hidden_states
from explorer.models.loading import LoadedModel, load_model


@pytest.fixture(scope="module")
def model(make_model: ModelFactory) -> LoadedModel:
    return load_model(str(make_model(seed=11)), "embedding", "cpu")


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=12),
    st.sampled_from([0, 1, 17]),
    st.sampled_from([1.0, 1.25, 40.0]),
)
@torch.inference_mode()
def test_how_texts_are_grouped_changes_nothing(
    model: LoadedModel, lengths: list[int], shared: int, ratio: float
) -> None:
    sequences = sequences_of(lengths, shared)
    expected = one_by_one(model.backbone, sequences)
    model.backbone.set_attn_implementation(PACKED)
    ids, positions, layout = pack(sequences, shared, CPU, ratio)
    whole = model.backbone(input_ids=ids, position_ids=positions, use_cache=False, packed_layout=layout)
    last = last_token_states(model.backbone, ids, positions, layout, packed_last_attention)
    assert (whole.last_hidden_state[0, layout.last] - expected).abs().max() <= 2e-5
    assert (last - expected).abs().max() <= 2e-5


def test_one_text_cannot_see_another(model: LoadedModel) -> None:
    model.backbone.set_attn_implementation(PACKED)
    first, second = sequences_of([12, 9], 0)
    changed = (second + 1) % 300
    before = last_hidden_states(model.backbone, [first, second], 0, CPU)
    after = last_hidden_states(model.backbone, [first, changed], 0, CPU)
    assert torch.equal(before[0], after[0])
    assert not torch.allclose(before[1], after[1])

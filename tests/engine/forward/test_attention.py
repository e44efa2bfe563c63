"""Packed attention equals one text at a time through transformers' own attention."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import ModelFactory

from explorer.engine.attention import GROUP_RATIO, PACKED, last_hidden_states, pack
from explorer.models.loading import LoadedModel, load_model

CPU = torch.device("cpu")
LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def model(make_model: ModelFactory) -> LoadedModel:
    return load_model(str(make_model(seed=11)), "embedding", "cpu")


def sequences_of(lengths: list[int], shared: int) -> list[np.ndarray]:
    draw = np.random.default_rng(sum(lengths) + shared)
    beginning = draw.integers(5, 300, shared)
    return [np.concatenate([beginning, draw.integers(5, 300, length)]) for length in lengths]


@torch.no_grad()
def one_by_one(model: LoadedModel, sequences: list[np.ndarray]) -> np.ndarray:
    model.backbone.set_attn_implementation("eager")
    rows = [
        model.backbone(input_ids=torch.from_numpy(ids)[None], use_cache=False).last_hidden_state[0, -1]
        for ids in sequences
    ]
    model.backbone.set_attn_implementation(PACKED)
    return torch.stack(rows).numpy()


@settings(max_examples=30, deadline=None, derandomize=True)
@given(LENGTHS, st.sampled_from([0, 1, 17]))
def test_packing_changes_nothing(model: LoadedModel, lengths: list[int], shared: int) -> None:
    sequences = sequences_of(lengths, shared)
    expected = one_by_one(model, sequences)
    found = last_hidden_states(model.backbone, sequences, shared, CPU).numpy()
    assert np.abs(found - expected).max() <= 2e-5


@given(LENGTHS, st.sampled_from([0, 5]))
def test_the_layout_covers_every_token_once(lengths: list[int], shared: int) -> None:
    sequences = sequences_of(lengths, shared)
    ids, positions, layout = pack(sequences, shared, CPU)
    assert ids.shape == positions.shape == (1, shared + sum(lengths))
    assert [group.start for group in layout.groups] == [shared, *(group.stop for group in layout.groups[:-1])]
    assert layout.groups[-1].stop == ids.shape[1]
    assert ids[0, layout.last].tolist() == [int(sequence[-1]) for sequence in sequences]
    assert positions[0, layout.last].tolist() == [len(sequence) - 1 for sequence in sequences]
    for group in layout.groups:
        texts, longest = group.gather.shape
        assert len(group.real) == group.stop - group.start <= texts * longest
        assert texts * longest <= GROUP_RATIO * len(group.real)


def test_one_text_cannot_see_another(model: LoadedModel) -> None:
    model.backbone.set_attn_implementation(PACKED)
    first, second = sequences_of([12, 9], 0)
    changed = (second + 1) % 300
    before = last_hidden_states(model.backbone, [first, second], 0, CPU)
    after = last_hidden_states(model.backbone, [first, changed], 0, CPU)
    assert torch.equal(before[0], after[0])
    assert not torch.allclose(before[1], after[1])

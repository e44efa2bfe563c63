"""Attention by segments calls torch's kernel as its documentation asks, in the old and the new form."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
import varlen_stand_in
from forward_cases import CPU, one_by_one, sequences_of
from tiny_models import ModelFactory
from torch.nn.attention import varlen as kernels

from explorer.engine.forward.paths import last_hidden_states, use_path
from explorer.engine.forward.varlen import CAUSAL, EVERY_KEY, require_whole_keys, varlen_available
from explorer.errors import InputError
from explorer.models.loading import LoadedModel, load_model

CUDA = torch.device("cuda", 0)
NEEDS_GPU = pytest.mark.skipif(
    not (torch.cuda.is_available() and varlen_available(CUDA)), reason="the kernel needs an NVIDIA GPU"
)


@pytest.fixture
def model(make_model: ModelFactory) -> LoadedModel:
    return load_model(str(make_model(seed=31, layers=3)), "embedding", "cpu")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stand in for the kernel and note what it is called with."""
    noted: list[dict[str, Any]] = []

    def varlen_attn(query, key, value, cu_seq_q, cu_seq_k, max_q, max_k, **options):
        noted.append({"queries": len(query), "keys": len(key), "max": (max_q, max_k), **options})
        return varlen_stand_in.varlen_attn(query, key, value, cu_seq_q, cu_seq_k, max_q, max_k, **options)

    varlen_attn.__signature__ = inspect.signature(varlen_stand_in.varlen_attn)  # type: ignore[attr-defined]
    monkeypatch.setattr(kernels, "varlen_attn", varlen_attn)
    return noted


def test_one_call_a_layer_and_one_query_a_text_in_the_last(
    model: LoadedModel, calls: list[dict[str, Any]]
) -> None:
    use_path(model.backbone, "varlen")
    last_hidden_states(model.backbone, sequences_of([4, 9, 2], 20), 20, CPU, "varlen")
    scale = {"scale": 16**-0.5, "enable_gqa": True}
    whole = {"queries": 35, "keys": 95, "max": (20, 29), "window_size": CAUSAL, **scale}
    last = {"queries": 3, "keys": 75, "max": (1, 29), "window_size": EVERY_KEY, **scale}
    assert calls == [whole, whole, last]


def test_nothing_is_gathered_without_a_prefix(model: LoadedModel, calls: list[dict[str, Any]]) -> None:
    use_path(model.backbone, "varlen")
    last_hidden_states(model.backbone, sequences_of([4, 9, 2], 0), 0, CPU, "varlen")
    assert [(call["queries"], call["keys"]) for call in calls] == [(15, 15), (15, 15), (3, 15)]


def test_reproducible_forwards_have_one_shape_and_split_no_keys(
    model: LoadedModel, calls: list[dict[str, Any]]
) -> None:
    use_path(model.backbone, "varlen")
    texts = sequences_of([4, 9, 2, 40], 0)
    alone = last_hidden_states(
        model.backbone, texts[:1], 0, CPU, "varlen", reproducible=True, fixed_tokens=64
    )
    together = last_hidden_states(
        model.backbone, texts[::-1], 0, CPU, "varlen", reproducible=True, fixed_tokens=64
    )
    assert [(call["queries"], call["num_splits"]) for call in calls] == [(64, 1)] * 6
    expected = one_by_one(model.backbone, texts)
    assert (torch.cat([alone, together[:3]]) - expected[[0, 3, 2, 1]]).abs().max() <= 2e-5


def test_the_form_of_torch_2_11_is_served_too(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "varlen_attn", varlen_stand_in.varlen_attn_2_11)
    sequences = sequences_of([3, 8, 8], 6)
    use_path(model.backbone, "varlen")
    found = last_hidden_states(model.backbone, sequences, 6, CPU, "varlen")
    assert (found - one_by_one(model.backbone, sequences)).abs().max() <= 2e-5


def test_torch_2_11_cannot_be_reproducible(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "varlen_attn", varlen_stand_in.varlen_attn_2_11)
    use_path(model.backbone, "varlen")
    with pytest.raises(InputError, match=r"torch 2\.12"):
        last_hidden_states(model.backbone, sequences_of([3], 0), 0, CPU, "varlen", reproducible=True)
    monkeypatch.setattr(kernels, "varlen_attn", varlen_stand_in.varlen_attn)
    require_whole_keys()


def test_the_installed_kernel_takes_what_it_is_given() -> None:
    accepted = inspect.signature(kernels.varlen_attn).parameters
    assert set(list(accepted)[:7]) == set(list(inspect.signature(varlen_stand_in.varlen_attn).parameters)[:7])
    assert {"scale", "window_size"} <= set(accepted)


@NEEDS_GPU
@pytest.mark.parametrize("shared", [0, 40])
def test_on_a_gpu_segments_agree_with_padded_batches(make_model: ModelFactory, shared: int) -> None:
    loaded = load_model(str(make_model(seed=31, layers=3)), "embedding", "cuda", "bfloat16")
    sequences = sequences_of([3, 70, 8, 300, 1, 64], shared)
    use_path(loaded.backbone, "varlen")
    found = last_hidden_states(loaded.backbone, sequences, shared, loaded.device, "varlen")
    use_path(loaded.backbone, "padded")
    expected = last_hidden_states(loaded.backbone, sequences, 0, loaded.device, "padded")
    assert torch.nn.functional.cosine_similarity(found, expected).min() >= 0.999


@NEEDS_GPU
def test_on_a_gpu_a_reproducible_state_has_the_same_bits_in_any_company(make_model: ModelFactory) -> None:
    loaded = load_model(str(make_model(seed=31, layers=3)), "embedding", "cuda", "bfloat16")
    use_path(loaded.backbone, "varlen")
    sequences = sequences_of([33, 70, 8, 300, 1, 64], 0)

    def states(chosen: list[Any]) -> torch.Tensor:
        return last_hidden_states(
            loaded.backbone, chosen, 0, loaded.device, "varlen", reproducible=True, fixed_tokens=1024
        )

    together, backwards = states(sequences), states(sequences[::-1]).flip(0)
    alone = torch.cat([states([sequence]) for sequence in sequences])
    assert torch.equal(together, backwards) and torch.equal(together, alone)

"""All attention paths give each text the state it would have alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
import varlen_stand_in
from forward_cases import CPU, MODELS, one_by_one, sequences_of
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import ModelFactory
from torch.nn.attention import varlen as kernels

from explorer.engine.forward import varlen
from explorer.engine.forward.paths import IMPLEMENTATIONS, attention_path, last_hidden_states, use_path
from explorer.models.loading import load_model

CUDA = torch.device("cuda", 0)


@pytest.fixture(scope="module", params=MODELS)
def backbone(request: pytest.FixtureRequest, make_model: ModelFactory) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "varlen_attn", varlen_stand_in.varlen_attn)
        yield load_model(str(make_model(**MODELS[request.param])), "embedding", "cpu").backbone


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.sampled_from([0, 1, 17]))
def test_the_paths_agree_with_one_text_at_a_time(backbone: Any, lengths: list[int], shared: int) -> None:
    sequences = sequences_of(lengths, shared)
    expected = one_by_one(backbone, sequences)
    for path in IMPLEMENTATIONS:
        use_path(backbone, path)
        found = last_hidden_states(backbone, sequences, shared, CPU, path)
        assert found.dtype == torch.float32
        assert (found - expected).abs().max() <= 2e-5, path


def test_a_path_is_switched_to_once(make_model: ModelFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = load_model(str(make_model(seed=11)), "embedding", "cpu").backbone
    switched: list[str] = []
    switch = model.set_attn_implementation
    monkeypatch.setattr(
        model, "set_attn_implementation", lambda name: (switched.append(name), switch(name)), raising=False
    )
    for path in ("segments", "segments", "padded", "padded", "varlen"):
        use_path(model, path)
    assert switched == ["explorer_packed", "sdpa", "explorer_varlen"]


@pytest.mark.parametrize(
    ("device", "dtype", "path"),
    [
        ("cpu", torch.float32, "segments"),
        ("cpu", torch.bfloat16, "segments"),
        ("mps", torch.float32, "padded"),
        ("xpu", torch.bfloat16, "padded"),
        ("cuda", torch.float32, "segments"),
        ("cuda", torch.bfloat16, "varlen"),
        ("cuda", torch.float16, "varlen"),
    ],
)
def test_each_device_has_its_path(
    device: str, dtype: torch.dtype, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _machine(monkeypatch, (9, 0))
    assert attention_path(torch.device(device), dtype) == path


@pytest.mark.parametrize(
    ("capability", "built", "hip"), [((7, 5), True, None), ((9, 0), False, None), ((9, 0), True, "7.0")]
)
def test_a_gpu_without_the_kernel_takes_the_packed_path_that_needs_none(
    capability: tuple[int, int], built: bool, hip: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    _machine(monkeypatch, capability, built, hip)
    assert not varlen.varlen_available(CUDA)
    assert attention_path(CUDA, torch.bfloat16) == "segments"


def _machine(
    patch: pytest.MonkeyPatch, capability: tuple[int, int], built: bool = True, hip: str | None = None
) -> None:
    """Pretend that this is a machine with a GPU."""
    patch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    patch.setattr(torch.backends.cuda, "is_flash_attention_available", lambda: built)
    patch.setattr(torch.version, "hip", hip)

"""The last layer at few tokens gives what the whole model gives there, through the model's own modules."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import varlen_stand_in
from forward_cases import CPU, MODELS, sequences_of
from tiny_models import ModelFactory
from torch import nn
from torch.nn.attention import varlen as kernels

from explorer.engine.forward import paths as forward
from explorer.engine.forward.last_layer import has_plain_layers
from explorer.engine.forward.paths import AttentionPath, last_hidden_states, use_path
from explorer.models.loading import load_model


class Doubled(nn.Module):
    """Another kind of linear layer, with no ``weight`` to reach for."""

    def __init__(self, linear: nn.Module) -> None:
        super().__init__()
        self.linear = linear

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        doubled: torch.Tensor = 2 * self.linear(inputs)
        return doubled


class Wrapped(nn.Module):
    """A model within another module."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, **named: Any) -> Any:
        return self.model(**named)


@pytest.fixture(params=MODELS)
def backbone(request: pytest.FixtureRequest, make_model: ModelFactory) -> Any:
    return load_model(str(make_model(**MODELS[request.param])), "embedding", "cpu").backbone


def whole_model(
    backbone: Any, texts: list[Any], shared: int, path: AttentionPath, patch: pytest.MonkeyPatch
) -> torch.Tensor:
    with patch.context() as no_shortcut:
        no_shortcut.setattr(forward, "has_plain_layers", lambda _: False)
        return last_hidden_states(backbone, texts, shared, CPU, path)


@pytest.mark.parametrize("path", ["segments", "varlen"])
@pytest.mark.parametrize("shared", [0, 17])
def test_it_equals_the_whole_model(
    backbone: Any, path: AttentionPath, shared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "varlen_attn", varlen_stand_in.varlen_attn)
    use_path(backbone, path)
    texts = sequences_of([30, 12, 12, 7, 1], shared)
    expected = whole_model(backbone, texts, shared, path, monkeypatch)
    found = last_hidden_states(backbone, texts, shared, CPU, path)
    assert (found - expected).abs().max() <= 1e-5


def test_only_keys_and_values_are_computed_at_all_tokens(backbone: Any) -> None:
    use_path(backbone, "segments")
    final, tokens = backbone.layers[-1], {}
    attention = final.self_attn
    parts = {
        "key": attention.k_proj,
        "value": attention.v_proj,
        "query": attention.q_proj,
        "output": attention.o_proj,
        "feed-forward": final.mlp,
        "norm": backbone.norm,
    }
    hooks = [
        part.register_forward_pre_hook(lambda _, inputs, name=name: tokens.update({name: inputs[0].shape[1]}))
        for name, part in parts.items()
    ]
    last_hidden_states(backbone, sequences_of([30, 12, 12], 0), 0, CPU)
    for hook in hooks:
        hook.remove()
    assert tokens == {"key": 54, "value": 54, "query": 3, "output": 3, "feed-forward": 3, "norm": 3}


def test_exchanged_modules_are_called(make_model: ModelFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    backbone: Any = load_model(str(make_model(seed=11)), "embedding", "cpu").backbone
    use_path(backbone, "segments")
    texts = sequences_of([9, 4], 0)
    before = last_hidden_states(backbone, texts, 0, CPU)
    for name, module in list(backbone.layers[-1].named_modules()):
        if isinstance(module, nn.Linear):
            backbone.layers[-1].set_submodule(name, Doubled(module))
    after = last_hidden_states(backbone, texts, 0, CPU)
    assert not torch.allclose(before, after, atol=1e-2)
    assert torch.allclose(after, whole_model(backbone, texts, 0, "segments", monkeypatch), atol=1e-5)


def test_other_models_are_called_whole(make_model: ModelFactory) -> None:
    backbone: Any = load_model(str(make_model(seed=11)), "embedding", "cpu").backbone
    use_path(backbone, "segments")
    texts = sequences_of([9, 4], 0)
    expected = last_hidden_states(backbone, texts, 0, CPU)
    assert has_plain_layers(backbone)
    assert not has_plain_layers(Wrapped(backbone))
    assert torch.allclose(last_hidden_states(Wrapped(backbone), texts, 0, CPU), expected, atol=1e-5)
    backbone.layers[-1].self_attn.sliding_window = 4
    assert not has_plain_layers(backbone)
    backbone.layers[-1].self_attn.sliding_window = None
    for replaced in (backbone, backbone.layers[-1]):
        replaced.forward = replaced.forward
        assert not has_plain_layers(backbone)
        del replaced.forward
    assert has_plain_layers(backbone)
    backbone.compile(backend="eager")
    assert not has_plain_layers(backbone)

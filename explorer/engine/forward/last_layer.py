"""Computing the last decoder layer only where somebody asks.

Only the states at the texts' last tokens are wanted. The last layer needs keys and values at all tokens, but queries,
output projection, feed-forward layer and final norm only at those few.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from transformers.models.qwen3.modeling_qwen3 import (
    Qwen3Attention,
    Qwen3DecoderLayer,
    Qwen3Model,
    rotate_half,
)

LastAttention = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, Any, float], torch.Tensor]
"""Called with queries of the last tokens, keys and values of the row, its layout and the factor for the scores."""

Rotary = tuple[torch.Tensor, torch.Tensor]
"""Cosines and sines, [1, tokens, head_dim] each."""


def has_plain_layers(backbone: nn.Module) -> bool:
    """Tell whether a model is built as :func:`last_token_states` expects.

    Args:
        backbone: Any module.

    Returns:
        False for wrapped or compiled models, for replaced forwards (as of offloaded models) and for other kinds of
        layers; those must be called whole.
    """
    if type(backbone) is not Qwen3Model or backbone._compiled_call_impl is not None:
        return False
    layer: Any = backbone.layers[-1]
    if type(layer) is not Qwen3DecoderLayer or type(layer.self_attn) is not Qwen3Attention:
        return False
    replaced = any("forward" in vars(module) for module in (backbone, layer, layer.self_attn))
    return not replaced and layer.self_attn.sliding_window is None


def last_token_states(
    backbone: Any,  # noqa: ANN401 - transformers has no types
    ids: torch.Tensor,
    positions: torch.Tensor,
    layout: Any,  # noqa: ANN401 - passed through to the attention that knows it
    attend: LastAttention,
) -> torch.Tensor:
    """Run the model's own modules in the order of ``Qwen3Model.forward``, the last layer at few tokens.

    Args:
        backbone: For which :func:`has_plain_layers` is true.
        ids: Token ids [1, packed].
        positions: [1, packed].
        layout: Where each text lies; its ``last`` says which tokens are asked for.
        attend: Attention of the last tokens.

    Returns:
        [texts, hidden], the state after the final norm at each text's last token.
    """
    hidden = backbone.embed_tokens(ids)
    rotary = backbone.rotary_emb(hidden, positions)
    *layers, final = backbone.layers
    for layer in layers:
        hidden = layer(
            hidden,
            attention_mask=None,
            position_ids=positions,
            position_embeddings=rotary,
            packed_layout=layout,
        )
    states: torch.Tensor = backbone.norm(_last_layer(final, hidden, rotary, layout, attend))[0]
    return states


def _last_layer(
    layer: Any,  # noqa: ANN401
    hidden: torch.Tensor,
    rotary: Rotary,
    layout: Any,  # noqa: ANN401
    attend: LastAttention,
) -> torch.Tensor:
    """Compute one decoder layer at the texts' last tokens, [1, texts, hidden]."""
    attention, last = layer.self_attn, layout.last
    normed = layer.input_layernorm(hidden)
    key = _rotated(attention.k_norm(_by_head(attention.k_proj(normed), attention.head_dim)), rotary)
    value = _by_head(attention.v_proj(normed), attention.head_dim)
    asked = attention.q_proj(normed.index_select(1, last))
    cosines, sines = (part.index_select(1, last) for part in rotary)
    query = _rotated(attention.q_norm(_by_head(asked, attention.head_dim)), (cosines, sines))
    query, key, value = (part.transpose(1, 2) for part in (query, key, value))
    attended = attend(query, key, value, layout, attention.scaling)
    states = hidden.index_select(1, last) + attention.o_proj(attended.flatten(2))
    normed = layer.post_attention_layernorm(states)
    result: torch.Tensor = states + layer.mlp(normed)
    return result


def _by_head(part: torch.Tensor, head_dim: int) -> torch.Tensor:
    """Split a projection into heads, [1, tokens, heads, head_dim]."""
    return part.view(*part.shape[:-1], -1, head_dim)


def _rotated(part: torch.Tensor, rotary: Rotary) -> torch.Tensor:
    """Rotate queries or keys [1, tokens, heads, head_dim] to their positions."""
    cosines, sines = (angles.unsqueeze(2) for angles in rotary)
    turned: torch.Tensor = rotate_half(part)  # type: ignore[no-untyped-call]
    return part * cosines + turned * sines

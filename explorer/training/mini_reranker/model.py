"""Scoring one query's documents together, so that gradients flow and nothing is computed twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from transformers import Qwen3ForCausalLM
from transformers.models.qwen3.modeling_qwen3 import Qwen3Attention, Qwen3RMSNorm, apply_rotary_pos_emb


@dataclass(frozen=True)
class Prompt:
    """One query's prompts in token ids: what its documents share, and the rest of each one."""

    shared: list[int]
    tails: list[list[int]]


def score_lists(model: Qwen3ForCausalLM, prompts: list[Prompt], yes: int, no: int) -> list[Tensor]:
    """Score every document of every prompt.

    Args:
        model: The reranker.
        prompts: One a query.
        yes: Token id of the answer "yes".
        no: Token id of the answer "no".

    Returns:
        Log-odds of yes against no, one tensor [documents] a query.
    """
    rows = model.lm_head.weight[[no, yes]]
    return [states @ (rows[1] - rows[0]) for states in last_states(model, prompts)]


def last_states(model: Qwen3ForCausalLM, prompts: list[Prompt]) -> list[Tensor]:
    """Run all prompts in one pass without padding, computing what one query's documents share only once.

    Each tail attends to the shared part of its prompt and to itself, and its positions continue from there, so the
    result is that of the full prompts. Gradients flow.

    Args:
        model: The reranker.
        prompts: One a query.

    Returns:
        The normed hidden state of each prompt's last token, one tensor [documents, hidden] a query.
    """
    layout = _lay_out(prompts)
    hidden = model.model.embed_tokens(layout.ids)
    rotation = model.model.rotary_emb(hidden[None], layout.positions[None])
    for layer in model.model.layers:
        normed = _normed(layer.input_layernorm, hidden)
        hidden = hidden + _attend(layer.self_attn, normed, rotation, layout.pieces)
        hidden = hidden + layer.mlp(_normed(layer.post_attention_layernorm, hidden))
    last = _normed(model.model.norm, hidden[layout.ends])
    return list(torch.split(last, [len(prompt.tails) for prompt in prompts]))


_Piece = tuple[int, int, int, int]
"""Start and end of a stretch of tokens, and start and end of the shared part before it (equal for a shared part)."""


@dataclass(frozen=True)
class _Layout:
    ids: Tensor
    positions: Tensor
    ends: Tensor
    pieces: list[_Piece]


def _lay_out(prompts: list[Prompt]) -> _Layout:
    ids: list[int] = []
    positions: list[int] = []
    ends: list[int] = []
    pieces: list[_Piece] = []
    for prompt in prompts:
        start, size = len(ids), len(prompt.shared)
        ids += prompt.shared
        positions += range(size)
        pieces.append((start, start + size, start, start))
        for tail in prompt.tails:
            pieces.append((len(ids), len(ids) + len(tail), start, start + size))
            ids += tail
            positions += range(size, size + len(tail))
            ends.append(len(ids) - 1)
    return _Layout(torch.tensor(ids), torch.tensor(positions), torch.tensor(ends), pieces)


def _normed(norm: Qwen3RMSNorm, hidden: Tensor) -> Tensor:
    return functional.rms_norm(hidden, (hidden.shape[-1],), norm.weight, norm.variance_epsilon)


def _attend(
    attention: Qwen3Attention, hidden: Tensor, rotation: tuple[Tensor, Tensor], pieces: list[_Piece]
) -> Tensor:
    def heads(projected: Tensor) -> Tensor:
        return projected.view(len(hidden), -1, attention.head_dim)

    query = _normed(attention.q_norm, heads(attention.q_proj(hidden))).transpose(0, 1)[None]
    key = _normed(attention.k_norm, heads(attention.k_proj(hidden))).transpose(0, 1)[None]
    value = heads(attention.v_proj(hidden)).transpose(0, 1)[None]
    query, key = apply_rotary_pos_emb(query, key, *rotation)
    sizes = [end - start for start, end, _, _ in pieces]
    repeats = query.shape[1] // key.shape[1]
    keys, values = (part.repeat_interleave(repeats, 1) for part in (key, value))
    found = _piecewise(_cut(query, sizes), _cut(keys, sizes), _cut(values, sizes), pieces)
    merged = torch.cat(found, 2)[0].transpose(0, 1).reshape(len(hidden), -1)
    return functional.linear(merged, attention.o_proj.weight)


def _cut(whole: Tensor, sizes: list[int]) -> Sequence[Tensor]:
    return torch.split(whole, sizes, 2)


def _piecewise(
    queries: Sequence[Tensor], keys: Sequence[Tensor], values: Sequence[Tensor], pieces: list[_Piece]
) -> list[Tensor]:
    found, shared = [], (keys[0], values[0])
    for query, key, value, (_, _, before, until) in zip(queries, keys, values, pieces, strict=True):
        if before == until:
            shared = key, value
            found.append(functional.scaled_dot_product_attention(query, key, value, is_causal=True))
            continue
        seen = torch.ones(key.shape[2], until - before + key.shape[2], dtype=torch.bool).tril(until - before)
        all_keys, all_values = torch.cat([shared[0], key], 2), torch.cat([shared[1], value], 2)
        found.append(functional.scaled_dot_product_attention(query, all_keys, all_values, attn_mask=seen))
    return found

"""Attention over texts packed end to end, registered with transformers so that ``Qwen3Model`` runs unmodified.

Several texts lie in one row of tokens, without padding; linear layers then compute nothing in vain. Attention must
keep the texts apart, and may let all of them share one beginning, whose keys and values are computed once::

    tokens     [ shared prefix | text A's own | text B's own | ... ]
    positions    0 ... P-1       P ...          P ...

Inside attention, neighbouring texts of similar length are computed as one small padded batch. Padding stands on the
right and attention is causal, so no real token ever sees it and its own results are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from explorer.engine.tokens import TokenIds

PACKED = "explorer_packed"
"""Name under which the attention is registered with transformers."""

GROUP_RATIO = 1.25
"""Texts are attended to together while the longest is at most this many times the shortest."""


@dataclass(frozen=True)
class AttentionGroup:
    """Neighbouring texts whose attention is computed as one padded batch.

    Attributes:
        start: First packed token.
        stop: One past the last packed token.
        gather: Packed position of every padded cell, relative to ``start``, int64 [texts, longest]; padding
            repeats the text's last token.
        real: Flat positions of the cells that are not padding, int64 [stop - start].
        mask: For a shared prefix, which keys each query may see, bool [longest, prefix + longest]; else None.
    """

    start: int
    stop: int
    gather: torch.Tensor
    real: torch.Tensor
    mask: torch.Tensor | None


@dataclass(frozen=True)
class PackedLayout:
    """Where each text lies in a packed row.

    Attributes:
        prefix: Tokens at the beginning that all texts share; 0 for none.
        groups: The texts' own tokens, group by group.
        last: Packed position of each text's last token, int64 [texts].
    """

    prefix: int
    groups: tuple[AttentionGroup, ...]
    last: torch.Tensor


def packed_attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    packed_layout: PackedLayout,
    scaling: float | None = None,
    **_: object,
) -> tuple[torch.Tensor, None]:
    """Attend within each text and to the shared prefix.

    Args:
        module: The calling layer, unused; transformers passes it.
        query: [1, query heads, tokens, head_dim].
        key: [1, key-value heads, tokens, head_dim].
        value: [1, key-value heads, tokens, head_dim].
        attention_mask: None; the layout says who may see whom.
        packed_layout: Where each text lies.
        scaling: Factor for the scores.

    Returns:
        [1, tokens, query heads, head_dim], and None for the weights.
    """
    out = torch.empty_like(query)
    prefix = packed_layout.prefix
    if prefix:
        first, keys, values = (part[:, :, :prefix] for part in (query, key, value))
        out[:, :, :prefix] = _attend(first, keys, values, None, scaling)
    for group in packed_layout.groups:
        queries, keys, values = (_padded(part, group) for part in (query, key, value))
        if prefix:
            keys, values = (
                torch.cat([part[:, :, :prefix].expand(len(own), -1, -1, -1), own], dim=2)
                for part, own in ((key, keys), (value, values))
            )
        attended = _attend(queries, keys, values, group.mask, scaling)
        out[0, :, group.start : group.stop] = (
            attended.transpose(0, 1).flatten(1, 2).index_select(1, group.real)
        )
    return out.transpose(1, 2), None


def pack(
    sequences: Sequence[TokenIds], shared: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, PackedLayout]:
    """Lay texts end to end.

    Args:
        sequences: Token ids, each [tokens]; neighbours of similar length make it faster.
        shared: How many tokens all of them begin with and compute once; 0 for none.
        device: Where the forward will run.

    Returns:
        Token ids [1, packed], positions [1, packed], and the layout.
    """
    own = [ids[shared:] for ids in sequences]
    lengths = np.array([len(ids) for ids in own])
    ends = shared + np.cumsum(lengths)
    beginning = sequences[0][:shared]
    ids = np.concatenate([beginning, *own])
    positions = np.concatenate([np.arange(shared), *(np.arange(shared, shared + n) for n in lengths)])
    groups = tuple(
        _group(lengths[first:stop], int(ends[first] - lengths[first]), shared, device)
        for first, stop in _similar(lengths)
    )
    layout = PackedLayout(shared, groups, torch.from_numpy(ends - 1).to(device))
    return (
        torch.from_numpy(ids)[None].to(device),
        torch.from_numpy(positions)[None].to(device),
        layout,
    )


@torch.inference_mode()
def last_hidden_states(
    backbone: nn.Module, sequences: Sequence[TokenIds], shared: int, device: torch.device
) -> torch.Tensor:
    """Run the model once over packed texts.

    Args:
        backbone: ``Qwen3Model`` whose attention is :data:`PACKED`.
        sequences: Token ids, each [tokens], at least one token of its own after the shared ones.
        shared: How many tokens all of them begin with; 0 for none.
        device: Where the model lies.

    Returns:
        float32 tensor [texts, hidden], the state after the final norm at each text's last token.
    """
    ids, positions, layout = pack(sequences, shared, device)
    output = backbone(input_ids=ids, position_ids=positions, use_cache=False, packed_layout=layout)
    states: torch.Tensor = output.last_hidden_state[0]
    return states[layout.last].float()


def _attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float | None,
) -> torch.Tensor:
    """Attend causally, or by a mask, with grouped key-value heads.

    Off the CPU only the flash kernel (16-bit, no mask) takes grouped heads; any other call would fall back to the
    kernel that stores all scores, so there the heads are repeated first.
    """
    flash = mask is None and query.dtype == torch.bfloat16 and query.is_cuda
    grouped = flash or query.device.type == "cpu"
    if not grouped:
        times = query.shape[1] // key.shape[1]
        key, value = (part.repeat_interleave(times, dim=1) for part in (key, value))
    return scaled_dot_product_attention(
        query, key, value, attn_mask=mask, is_causal=mask is None, scale=scaling, enable_gqa=grouped
    )


def _similar(lengths: TokenIds) -> list[tuple[int, int]]:
    """Split texts into runs of neighbours of similar length, as (first, stop)."""
    runs: list[tuple[int, int]] = []
    first, low, high = 0, int(lengths[0]), int(lengths[0])
    for index, length in enumerate(lengths[1:].tolist(), start=1):
        if max(high, length) > GROUP_RATIO * min(low, length):
            runs.append((first, index))
            first, low, high = index, length, length
        low, high = min(low, length), max(high, length)
    runs.append((first, len(lengths)))
    return runs


def _group(lengths: TokenIds, start: int, prefix: int, device: torch.device) -> AttentionGroup:
    """Precompute, once a forward, the indices that every layer uses."""
    longest = int(lengths.max())
    begins = np.cumsum(lengths) - lengths
    cells = np.arange(longest)[None, :]
    gather = begins[:, None] + np.minimum(cells, lengths[:, None] - 1)
    real = np.flatnonzero(cells < lengths[:, None])
    mask = None
    if prefix:
        causal = torch.ones(longest, longest, dtype=torch.bool, device=device).tril()
        mask = torch.cat([causal.new_ones(longest, prefix), causal], dim=1)
    return AttentionGroup(
        start=start,
        stop=start + int(lengths.sum()),
        gather=torch.from_numpy(gather).to(device),
        real=torch.from_numpy(real).to(device),
        mask=mask,
    )


def _padded(part: torch.Tensor, group: AttentionGroup) -> torch.Tensor:
    """Cut a group out of a packed row as a padded batch, [texts, heads, longest, head_dim]."""
    own = part[0, :, group.start : group.stop]
    texts, longest = group.gather.shape
    if texts * longest == own.shape[1]:
        cells = own.reshape(own.shape[0], texts, longest, own.shape[2])
    else:
        cells = own.index_select(1, group.gather.flatten()).view(own.shape[0], texts, longest, own.shape[2])
    return cells.transpose(0, 1)


def _no_mask(*_: object, **__: object) -> None:
    """Tell transformers to build no mask; the layout takes its place."""


AttentionInterface.register(PACKED, packed_attention)
AttentionMaskInterface.register(PACKED, _no_mask)

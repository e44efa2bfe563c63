"""Attention over packed texts with torch's own kernels, registered so that ``Qwen3Model`` runs unmodified.

Neighbouring texts of one length are computed as one batch. Where lengths differ within a group, padding stands on the
right and attention is causal, so no real token ever sees it and its own results are dropped.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from explorer.engine.forward.packing import AttentionGroup, PackedLayout

PACKED = "explorer_packed"
"""Name under which the attention is registered with transformers."""


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
    # Rows of tokens, as the output projection wants them; the heads' view of them is written to.
    out = query.new_empty(query.transpose(1, 2).shape)
    by_head = out.transpose(1, 2)
    prefix = packed_layout.prefix
    if prefix:
        first, keys, values = (part[:, :, :prefix] for part in (query, key, value))
        by_head[:, :, :prefix] = _attend(first, keys, values, None, scaling)
    for group in packed_layout.groups:
        keys, values = (_with_prefix(part, group, prefix) for part in (key, value))
        attended = _attend(_batch(query, group), keys, values, group.causal, scaling)
        if group.real is None:
            _batch(by_head, group).copy_(attended)
        else:
            flat = attended.transpose(0, 1).flatten(1, 2)
            by_head[0, :, group.tokens] = flat.index_select(1, group.real)
    return out, None


def packed_last_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, layout: PackedLayout, scaling: float
) -> torch.Tensor:
    """Attend from each text's last token alone.

    Args:
        query: Queries of the last tokens, [1, query heads, texts, head_dim].
        key: Keys of the whole row, [1, key-value heads, tokens, head_dim].
        value: Values of the whole row, [1, key-value heads, tokens, head_dim].
        layout: Where each text lies.
        scaling: Factor for the scores.

    Returns:
        [1, texts, query heads, head_dim].
    """
    # The query heads of one key-value head see the same keys, so they can stand in a row as queries do.
    queries = query[0].transpose(0, 1).view(query.shape[2], key.shape[1], -1, query.shape[3])
    parts = []
    for group in layout.groups:
        keys, values = (_with_prefix(part, group, layout.prefix) for part in (key, value))
        parts.append(
            scaled_dot_product_attention(queries[group.texts], keys, values, group.seen, scale=scaling)
        )
    return torch.cat(parts).flatten(1, 2)[None]


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


def _batch(part: torch.Tensor, group: AttentionGroup) -> torch.Tensor:
    """Cut a group out of a packed row as a batch, [texts, heads, longest, head_dim]; a view if lengths are equal."""
    own = part[0, :, group.tokens]
    if group.gather is not None:
        own = own.index_select(1, group.gather.flatten())
    return own.view(own.shape[0], -1, group.longest, own.shape[2]).transpose(0, 1)


def _with_prefix(part: torch.Tensor, group: AttentionGroup, prefix: int) -> torch.Tensor:
    """Cut out a group and put the shared prefix before each text."""
    own = _batch(part, group)
    if not prefix:
        return own
    return torch.cat([part[:, :, :prefix].expand(len(own), -1, -1, -1), own], dim=2)


def no_mask(*_: object, **__: object) -> None:
    """Tell transformers to build no mask; the layout takes its place."""


# Never part of a compiled layer: its loop over groups would be compiled again for every batch.
AttentionInterface.register(PACKED, torch.compiler.disable(packed_attention))  # type: ignore[no-untyped-call]
AttentionMaskInterface.register(PACKED, no_mask)

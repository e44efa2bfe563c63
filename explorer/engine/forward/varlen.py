"""Attention over packed texts with torch's CUDA kernel for segments of varying length.

One call a layer does all segments; grouped key-value heads need no copies. Causal masks of the kernel align at a
segment's end, so a text that has its own tokens as queries and the prefix and its own tokens as keys sees exactly what
it would see alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import nn
from torch.nn.attention import varlen
from torch.nn.functional import pad
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from explorer.engine.forward.attention import no_mask
from explorer.engine.forward.packing import VarlenLayout
from explorer.errors import InputError

VARLEN = "explorer_varlen"
"""Name under which the attention is registered with transformers."""

CAUSAL = (-1, 0)
"""Window of keys: all before a query, none after it."""

EVERY_KEY = (-1, -1)
"""Window of keys: all. For a segment's last query the same as :data:`CAUSAL`, and the kernel groups heads better."""

_OLDEST_GPU = (8, 0)
_HEAD_MULTIPLE = 8


def varlen_available(device: torch.device) -> bool:
    """Tell whether the kernel runs on a CUDA device with 16-bit numbers.

    Args:
        device: A CUDA device.

    Returns:
        True for NVIDIA GPUs from Ampere on, when this torch was built with flash attention.
    """
    built = torch.backends.cuda.is_flash_attention_available() and torch.version.hip is None
    return built and torch.cuda.get_device_capability(device) >= _OLDEST_GPU


def require_whole_keys() -> None:
    """Refuse a torch whose kernel cannot be told not to split a segment's keys.

    Raises:
        InputError: This torch is older than 2.12.
    """
    if "num_splits" not in _accepted(varlen.varlen_attn):
        raise InputError("engine.reproducible_needs_torch", version=torch.__version__)


def varlen_attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    packed_layout: VarlenLayout,
    scaling: float,
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
    layout = packed_layout
    lengths = (layout.query_starts, layout.key_starts, layout.longest_query, layout.longest_key)
    return _attend(query, key, value, layout.gather, lengths, scaling, CAUSAL, layout.whole_keys), None


def varlen_last_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, layout: VarlenLayout, scaling: float
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
    lengths = (layout.last_query_starts, layout.last_key_starts, 1, layout.longest_key)
    return _attend(query, key, value, layout.last_gather, lengths, scaling, EVERY_KEY, layout.whole_keys)


def _attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    gather: torch.Tensor | None,
    lengths: tuple[torch.Tensor, torch.Tensor, int, int],
    scaling: float,
    window: tuple[int, int],
    whole_keys: bool,
) -> torch.Tensor:
    """Bring the parts into the kernel's form, [tokens, heads, head_dim], and call it."""
    size = query.shape[-1]
    query, key, value = (part[0].transpose(0, 1) for part in (query, key, value))
    if gather is not None:
        key, value = (part.index_select(0, gather) for part in (key, value))
    if missing := -size % _HEAD_MULTIPLE:
        query, key, value = (pad(part, (0, missing)) for part in (query, key, value))
    accepted = _accepted(varlen.varlen_attn)
    options: dict[str, Any] = {"scale": scaling, "window_size": window}
    if "enable_gqa" in accepted:
        options["enable_gqa"] = True
    else:  # torch 2.11
        times = query.shape[1] // key.shape[1]
        key, value = (part.repeat_interleave(times, dim=1) for part in (key, value))
    if whole_keys:
        options["num_splits"] = 1
    attended: Any = varlen.varlen_attn(query, key, value, *lengths, **options)
    without_padding: torch.Tensor = attended[None, ..., :size]
    return without_padding


@cache
def _accepted(kernel: Callable[..., object]) -> frozenset[str]:
    """Name the kernel's parameters; they grew from torch 2.11 to 2.12."""
    return frozenset(inspect.signature(kernel).parameters)


# Never part of a compiled layer, as in :mod:`explorer.engine.forward.attention`; the kernel could not be fused anyway.
AttentionInterface.register(VARLEN, torch.compiler.disable(varlen_attention))  # type: ignore[no-untyped-call]
AttentionMaskInterface.register(VARLEN, no_mask)

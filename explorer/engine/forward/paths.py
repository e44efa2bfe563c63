"""One forward over many texts, on the attention path that suits the device.

::

    varlen      packed, one CUDA kernel for all segments; 16-bit numbers, Ampere or newer
    segments    packed, torch's own attention text by text; CPU, and CUDA in float32
    padded      padded batches; every other device, and the reference in tests
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch

from explorer.engine.forward.attention import PACKED, packed_last_attention
from explorer.engine.forward.last_layer import LastAttention, has_plain_layers, last_token_states
from explorer.engine.forward.packing import GROUP_RATIO, PackedLayout, VarlenLayout, pack, pack_varlen
from explorer.engine.forward.padded import padded_last_states
from explorer.engine.forward.single_text import fits_graph, single_last_state
from explorer.engine.forward.varlen import VARLEN, require_whole_keys, varlen_available, varlen_last_attention
from explorer.engine.tokens import TokenIds

AttentionPath = Literal["varlen", "segments", "padded"]

IMPLEMENTATIONS: dict[AttentionPath, str] = {"varlen": VARLEN, "segments": PACKED, "padded": "sdpa"}
"""What each path is called in transformers."""

_LAST: dict[AttentionPath, LastAttention] = {
    "varlen": varlen_last_attention,
    "segments": packed_last_attention,
}


def attention_path(device: torch.device, dtype: torch.dtype) -> AttentionPath:
    """Choose the fastest path that a device has.

    Args:
        device: Where the model lies.
        dtype: What its weights are.

    Returns:
        The path.
    """
    if device.type == "cuda" and dtype in (torch.bfloat16, torch.float16) and varlen_available(device):
        return "varlen"
    return "segments" if device.type in ("cpu", "cuda") else "padded"


def use_path(backbone: Any, path: AttentionPath) -> None:  # noqa: ANN401 - a wrapped model has the same methods
    """Switch a model to a path's attention, if it is not on it already.

    Args:
        backbone: ``Qwen3Model``, perhaps wrapped.
        path: From :func:`attention_path`.
    """
    if backbone.config._attn_implementation != IMPLEMENTATIONS[path]:
        backbone.set_attn_implementation(IMPLEMENTATIONS[path])


@torch.inference_mode()
def last_hidden_states(
    backbone: Any,  # noqa: ANN401 - a wrapped model is called alike
    sequences: Sequence[TokenIds],
    shared: int,
    device: torch.device,
    path: AttentionPath = "segments",
    *,
    reproducible: bool = False,
    fixed_tokens: int = 0,
) -> torch.Tensor:
    """Run the model once and keep each text's last state.

    Args:
        backbone: ``Qwen3Model``, perhaps wrapped, that :func:`use_path` switched to ``path``.
        sequences: Token ids, each [tokens], with at least one token of its own after the shared ones; neighbours of
            similar length make ``"segments"`` and ``"padded"`` faster.
        shared: How many tokens all of them begin with and compute once; 0 for none. ``"padded"`` computes them for
            each text.
        device: Where the model lies.
        path: Which attention.
        reproducible: For ``"varlen"``: compute every layer at all tokens and split no text's keys, so that with equal
            ``fixed_tokens`` and nothing shared a text's state does not depend on the others. On the other paths give
            one text a call: its state then cannot depend on any other.
        fixed_tokens: For ``"varlen"``: a shorter packed row is filled up to this length.

    Returns:
        float32 tensor [texts, hidden] on the device, the state after the final norm at each text's last token.

    Raises:
        InputError: ``reproducible`` asks for more than this torch can do.
    """
    if path == "padded":
        return padded_last_states(backbone, sequences, device).float()
    layout: PackedLayout | VarlenLayout
    if path == "varlen":
        if len(sequences) == 1 and not reproducible and fits_graph(backbone, len(sequences[0])):
            return single_last_state(backbone, sequences[0], device)
        if reproducible:
            require_whole_keys()
        ids, positions, layout = pack_varlen(
            sequences, shared, device, whole_keys=reproducible, fixed_tokens=fixed_tokens
        )
    else:
        ratio = 1.0 if device.type == "cpu" else GROUP_RATIO
        ids, positions, layout = pack(sequences, shared, device, ratio)
    if has_plain_layers(backbone) and not (reproducible and path == "varlen"):
        return last_token_states(backbone, ids, positions, layout, _LAST[path]).float()
    output = backbone(input_ids=ids, position_ids=positions, use_cache=False, packed_layout=layout)
    states: torch.Tensor = output.last_hidden_state[0]
    return states.index_select(0, layout.last).float()

"""One short text at a time as a CUDA graph: hundreds of kernel launches become one.

A query of some tokens keeps a GPU busy for less time than the host needs to start its kernels. A graph records them
once and starts them together. It cannot change its shapes, so there is one for each of a few lengths, and a text is
filled up to the next. The filling stands behind the text and attention is causal, so the text cannot see it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import nn

from explorer.engine.forward.last_layer import has_plain_layers, last_token_states
from explorer.engine.forward.packing import VarlenLayout, pack_varlen
from explorer.engine.forward.varlen import varlen_last_attention
from explorer.engine.tokens import TokenIds
from explorer.models.acceleration import is_compiled

LENGTHS = (32, 64, 128, 256)
"""Tokens of the graphs; a longer text keeps a GPU busy by itself."""

_WARM_UP = 3
"""Runs before the recording, in which kernels are compiled and libraries take their workspaces."""


@dataclass(frozen=True)
class RecordedText:
    """A graph with the memory it reads and writes.

    Attributes:
        request: Token ids, then the position of the text's last token, then 0 and the text's length, int32
            [length + 3].
        replay: Starts the graph.
        state: What it leaves behind, float32 [1, hidden]; the next start overwrites it.
        constant: What it reads besides, kept so that nothing else is put in its place.
    """

    request: torch.Tensor
    replay: Callable[[], None]
    state: torch.Tensor
    constant: tuple[torch.Tensor, VarlenLayout]


_RECORDED: WeakKeyDictionary[nn.Module, dict[int, RecordedText]] = WeakKeyDictionary()


def fits_graph(backbone: nn.Module, tokens: int) -> bool:
    """Tell whether a text should go through :func:`single_last_state`.

    Args:
        backbone: The model, on the ``"varlen"`` path.
        tokens: Length of the text.

    Returns:
        True for short texts and models that are to be compiled.
    """
    return tokens <= LENGTHS[-1] and has_plain_layers(backbone) and is_compiled(backbone)


def single_last_state(backbone: nn.Module, ids: TokenIds, device: torch.device) -> torch.Tensor:
    """Run one text, and record its length's graph the first time.

    The caller holds the device, and gradients are off.

    Args:
        backbone: ``Qwen3Model`` on the ``"varlen"`` path.
        ids: Token ids [tokens], at most the largest of :data:`LENGTHS`.
        device: Where the model lies.

    Returns:
        float32 tensor [1, hidden], the state after the final norm at the last token.
    """
    length = next(length for length in LENGTHS if length >= len(ids))
    graphs = _RECORDED.setdefault(backbone, {})
    if length not in graphs:
        graphs[length] = _prepared(backbone, length, device)
    recorded = graphs[length]
    recorded.request.copy_(_request(ids, length))
    recorded.replay()
    return recorded.state.clone()


def _request(ids: TokenIds, length: int) -> torch.Tensor:
    """Write down all that differs between two texts of one graph."""
    request = np.zeros(length + 3, dtype=np.int32)
    request[: len(ids)] = ids
    request[length:] = len(ids) - 1, 0, len(ids)
    return torch.from_numpy(request)


def _prepared(backbone: nn.Module, length: int, device: torch.device) -> RecordedText:
    """Set a forward up whose inputs all lie in one piece of memory, and record it."""
    whole = np.zeros(length, dtype=np.int64)
    _, positions, layout = pack_varlen([whole], 0, device)
    request = _request(whole, length).to(device)
    layout = replace(layout, last=request[length : length + 1], last_key_starts=request[length + 1 :])

    def run() -> torch.Tensor:
        ids = request[None, :length]
        return last_token_states(backbone, ids, positions, layout, varlen_last_attention).float()

    replay, state = _record(run, device)
    return RecordedText(request, replay, state, (positions, layout))


def _record(run: Callable[[], torch.Tensor], device: torch.device) -> tuple[Callable[[], None], torch.Tensor]:
    """Record a CUDA graph, after some runs beside the main stream as torch's documentation asks."""
    main = torch.cuda.current_stream(device)
    beside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    beside.wait_stream(main)
    with torch.cuda.stream(beside):
        for _ in range(_WARM_UP):
            run()
    main.wait_stream(beside)
    graph: Any = torch.cuda.CUDAGraph()
    # Other threads may go on using the device's memory meanwhile.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        state = run()
    return graph.replay, state

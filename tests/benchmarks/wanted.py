"""What the numbers should be; said beside them, and never asserted, since another program may slow a run down."""

from __future__ import annotations

import torch

_ON_CPU = {
    ("rerank", "model card"): 3.3,
    ("rerank", "sentence-transformers"): 1.4,
    ("embed", "model card"): 2.5,
    ("embed", "sentence-transformers"): 1.1,
}
_ON_GPU = {("rerank", "sentence-transformers"): 1.5, ("embed", "sentence-transformers"): 1.3}
_AGAIN = 50
_RATE = 0.5


def wanted(part: str, way: str, device: torch.device) -> str:
    """Say what one line of the table should show.

    Args:
        part: ``"rerank"`` or ``"embed"``.
        way: Who did it.
        device: Where.

    Returns:
        A few words, or nothing.
    """
    on_cpu = device.type == "cpu"
    if way == "ours":
        return "" if on_cpu else f"{_RATE:.0%} of the matrix rate"
    if way.startswith("ours again"):
        return f"{_AGAIN} times as fast" if on_cpu else ""
    times = (_ON_CPU if on_cpu else _ON_GPU).get((part, way.partition(",")[0]))
    return "" if times is None else f"{times} times ours"

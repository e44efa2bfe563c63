"""How fast the device multiplies matrices, and how much a model must multiply."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median

import torch

from explorer.models.catalog import Checkpoint

_SIDE = {"cpu": 1024, "cuda": 8192, "mps": 4096}
_TURNS = 7


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Measure a large matrix product.

    Args:
        device: Where.
        dtype: In which format.

    Returns:
        Floating-point operations a second, of one processor on a CPU; the median of several products.
    """
    side = _SIDE[device.type]
    left, right = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    # Processor time on a CPU, so that other programs do not make the machine look slow.
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    seconds = []
    for _ in range(_TURNS):
        _wait(device)
        begun = clock()
        _ = left @ right
        _wait(device)
        seconds.append(clock() - begun)
    return 2 * side**3 / median(seconds[1:])


def model_operations(shape: Checkpoint, lengths: Sequence[int], shared: int = 0) -> float:
    """Count the multiplications and additions that texts need, without padding and without the head.

    Args:
        shape: The model.
        lengths: Tokens of each text.
        shared: Tokens that all texts begin with and that are computed once.

    Returns:
        Floating-point operations: two for each weight and token; in attention four for each pair of positions, head
        and dimension, causal pairs only.
    """
    weights = shape.parameters - shape.vocabulary * shape.hidden_size
    tokens = shared + sum(length - shared for length in lengths)
    pairs = shared * (shared + 1) / 2
    for length in lengths:
        own = length - shared
        pairs += own * shared + own * (own + 1) / 2
    attention = 4 * shape.layers * shape.query_heads * shape.head_dim
    return 2.0 * weights * tokens + attention * pairs


def _wait(device: torch.device) -> None:
    """Wait for the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()

"""Optional ways to make a model faster or smaller. All are off unless asked for, since none pays everywhere.

``compile`` lets torch.compile fuse what lies between the matrix products, and on CUDA has short single texts run as
CUDA graphs (:mod:`explorer.engine.forward.single_text`); the first batch waits for the compiler.
``int8`` keeps the matrices in one byte a weight: less memory, no less time, and vectors that move a little.
``bf16`` computes in bfloat16 on processors that multiply it faster than float32.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import nn

from explorer.errors import InputError, ModelLoadError
from explorer.models.catalog import INT8_WEIGHTS
from explorer.models.devices import computes_bfloat16, dtype_name, resolve_dtype
from explorer.provenance import ACCELERATIONS, Acceleration, Weights

_BESIDE: dict[Acceleration, str] = {"compile": ", compiled", "int8": f", {INT8_WEIGHTS}"}


def accelerated_dtype(
    dtype: str, accelerate: Acceleration, device: torch.device, weights: Weights
) -> torch.dtype:
    """Choose the number format that a model computes in.

    Args:
        dtype: ``"auto"``, ``"float32"`` or ``"bfloat16"``.
        accelerate: What is to be done to the model.
        device: Where it will run.
        weights: Who made the weights. ``"auto"`` is float32 for bundled ones: the bundled reranker's log-odds move by
            up to 11 in bfloat16, and models that small gain no time.

    Returns:
        What :func:`explorer.models.devices.resolve_dtype` says, but bfloat16 for ``"bf16"``.

    Raises:
        InputError: There is no such acceleration.
        ModelLoadError: The format cannot be used, or bfloat16 would be slower here or contradicts ``dtype``.
    """
    if accelerate not in ACCELERATIONS:
        raise InputError("settings.accelerate", accelerate=accelerate)
    if accelerate != "bf16":
        return resolve_dtype("float32" if (dtype, weights) == ("auto", "bundled") else dtype, device)
    if dtype not in ("auto", "bfloat16"):
        raise ModelLoadError("models.bf16_contradicts", dtype=dtype)
    if not computes_bfloat16(device):
        raise ModelLoadError("models.bf16_is_slow", device=str(device))
    return torch.bfloat16


def accelerated_name(dtype: torch.dtype, accelerate: Acceleration) -> str:
    """Name the number format with what was done to the model, so that numbers of two kinds are never taken for one.

    Args:
        dtype: What the model computes in.
        accelerate: What was done to it.

    Returns:
        For instance ``"bfloat16"``, ``"float32, compiled"`` or ``"float32, int8 weights"``.
    """
    return dtype_name(dtype) + _BESIDE.get(accelerate, "")


def check_compiler(device: torch.device) -> None:
    """Compile and run something very small, which needs all that a model needs.

    Args:
        device: Where a model will run.

    Raises:
        ModelLoadError: There is no compiler, or it does not work; the message says what to install.
    """
    try:
        _compile_trial(device)
    except Exception as error:  # whatever the compiler, or what stands in for it, raises
        reason = str(error).strip().partition("\n")[0][:200]
        raise ModelLoadError("models.compile_impossible", device=str(device), reason=reason) from error


def compile_layers(backbone: nn.Module) -> None:
    """Have every decoder layer compiled when it first runs, once for any number of tokens.

    The layers share one compiled form. Their attributes stay as they are, so that a layer's parts can still be called
    one by one; then they run as they were.

    Args:
        backbone: ``Qwen3Model`` with its weights.
    """
    layers: Any = backbone.layers
    for layer in layers:
        layer.compile(dynamic=True)


def is_compiled(backbone: nn.Module) -> bool:
    """Tell whether :func:`compile_layers` was done to a model."""
    layers: Any = getattr(backbone, "layers", ())
    return any(layer._compiled_call_impl is not None for layer in layers)


@cache
def _compile_trial(device: torch.device) -> None:
    """Compile once a device; a failure is not remembered, so that installing a compiler helps at once."""
    torch.compile(lambda row: row.sin() + 1)(torch.ones(8, device=device))

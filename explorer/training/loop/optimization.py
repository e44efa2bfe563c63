"""Accelerator, optimiser and learning rate of a training run."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn

from explorer.models.devices import computes_bfloat16

WEIGHT_DECAY = 0.01
"""On matrices only, torch's default for AdamW; gains of the norms are left alone, and so is the token table, whose rare
rows would otherwise only ever shrink."""

BETAS = (0.9, 0.98)
"""The second is below the usual 0.999 because runs here have hundreds of steps, not hundreds of thousands."""

LONGEST_GRADIENT = 1.0
"""Gradients are scaled down to this norm, the usual guard against a single odd batch."""

_TABLE = "embed_tokens.weight"


def make_accelerator(device: torch.device) -> Accelerator:
    """Set accelerate up for a device; several processes are recognised when its launcher started them.

    Args:
        device: Where to train.

    Returns:
        The accelerator. Products are computed in bfloat16 where that is fast; weights and sums stay as they are.
    """
    precision = "bf16" if computes_bfloat16(device) else "no"
    cpu = device.type == "cpu"
    if device.type == "cuda":
        torch.cuda.set_device(device)
    known = AcceleratorState._shared_state
    if known and (known["_mixed_precision"] != precision or known["_cpu"] != cpu):
        # Accelerate allows one setting a process, but a person may train on another device next.
        AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(mixed_precision=precision, cpu=cpu)


def make_optimizer(model: nn.Module, rate: float, table_rate: float | None = None) -> torch.optim.AdamW:
    """Make AdamW over everything that is trained.

    Args:
        model: Its parameters that require gradients are trained.
        rate: Peak learning rate.
        table_rate: Peak learning rate of the token table; None: the same.

    Returns:
        The optimiser; each group's ``peak`` is what :func:`set_rate` scales. The fused kernel goes over a 40,000 x 256
        table in 13 ms instead of 86.
    """
    named = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    table = [weight for name, weight in named if name.endswith(_TABLE)]
    matrices = [weight for name, weight in named if weight.ndim > 1 and not name.endswith(_TABLE)]
    gains = [weight for _, weight in named if weight.ndim < 2]
    own_rate = rate if table_rate is None else table_rate
    groups = [(table, own_rate, 0.0), (matrices, rate, WEIGHT_DECAY), (gains, rate, 0.0)]
    return torch.optim.AdamW(
        [
            {"params": weights, "lr": peak, "peak": peak, "weight_decay": decay}
            for weights, peak, decay in groups
            if weights
        ],
        betas=BETAS,
        fused=True,
    )


def pace(step: int, steps: int, warmup_share: float) -> float:
    """Scale the learning rate: a linear warm-up, then half a cosine down to zero (Loshchilov and Hutter, 1608.03983).

    Args:
        step: The step about to be made, counted from 0.
        steps: Steps in all.
        warmup_share: Share of the steps that warm up.

    Returns:
        A factor in (0, 1].
    """
    warmup = max(1, round(steps * warmup_share))
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def set_rate(optimizer: torch.optim.Optimizer, factor: float) -> float:
    """Scale every group's peak rate.

    Args:
        optimizer: From :func:`make_optimizer`.
        factor: From :func:`pace`.

    Returns:
        The rate of the model's body.
    """
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor
    return float(optimizer.param_groups[-1]["lr"])


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Name the optimiser's tensors ``<parameter's number>.<kind>``."""
    state = optimizer.state_dict()["state"]
    return {f"{number}.{kind}": tensor for number, kinds in state.items() for kind, tensor in kinds.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put tensors of :func:`optimizer_tensors` back; rates and decay stay as they are.

    Args:
        optimizer: Made anew over the same parameters.
        tensors: From a checkpoint.
    """
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, kind = name.split(".")
        state.setdefault(int(number), {})[kind] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})

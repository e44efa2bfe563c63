"""Spherical interpolation of model weights, tensor by tensor.

The report merges several fine-tuned checkpoints by slerp (arXiv 2506.05176, section 3.3, after Li et al., arXiv
2402.15019). The formula is Shoemake's (SIGGRAPH 1985): for unit directions u and v at the angle w,

    slerp(u, v, t) = sin((1 - t) w) / sin(w) * u + sin(t w) / sin(w) * v.

A tensor of weights is no unit vector, so its direction is interpolated by this formula and its norm linearly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from explorer.errors import InputError

StateDict = Mapping[str, Tensor]
"""A model's tensors by name."""

STRAIGHT = 1e-6
"""Sine of the angle below which two tensors count as parallel; the straight line then differs from the arc by less
than 1e-12, and of opposite tensors no arc is the shortest."""


def slerp(first: StateDict, second: StateDict, weight: float) -> StateDict:
    """Interpolate between two models.

    Args:
        first: Tensors of one model, of any shapes and number types.
        second: Tensors of the other, the same names and shapes.
        weight: 0 for the first model, 1 for the second, both bit for bit.

    Returns:
        Tensors of the same names and shapes on the device of the first, computed in float32 (float64 where one is
        stored so) and rounded once, to the wider of the two stored types.

    Raises:
        InputError: The weight lies outside 0 to 1, or the models do not have the same tensors.
    """
    if not 0 <= weight <= 1:
        raise InputError("merging.weight_out_of_range", weight=weight)
    return slerp_many((first, second), (1 - weight, weight))


def slerp_many(states: Sequence[StateDict], weights: Sequence[float]) -> StateDict:
    """Merge many models by slerp, one after the other.

    The first is joined with the second at their relative weights, the result with the third, and so on, as one keeps
    a running mean. Norms come out as their weighted mean whatever the order; directions depend on the order in which
    the models are given, slightly, as spherical means do. Equal models merge to themselves, a model of weight 0
    changes nothing, and two models give :func:`slerp`.

    Args:
        states: Tensors of each model, the same names and shapes.
        weights: Share of each model, at least 0; only their proportions count.

    Returns:
        Tensors of the same names and shapes, computed in float32 or wider and rounded once at the end.

    Raises:
        InputError: Fewer than one model, weights that cannot be used, or models with different tensors.
    """
    _check_weights(weights, len(states))
    for other in states[1:]:
        _check_same(states[0], other)
    counted = [(state, weight) for state, weight in zip(states, weights, strict=True) if weight > 0]
    shares = [weight for _, weight in counted]
    return {name: _merged(name, [state[name] for state, _ in counted], shares) for name in states[0]}


def _merged(name: str, tensors: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Merge one tensor of all models; a tensor that is the same everywhere is copied, bit for bit."""
    stored = tensors[0].dtype
    for other in tensors[1:]:
        stored = torch.promote_types(stored, other.dtype)
    home = tensors[0].device
    if all(torch.equal(tensors[0], other.to(home)) for other in tensors[1:]):
        return tensors[0].to(stored, copy=True)
    if not stored.is_floating_point:
        raise InputError("merging.whole_numbers_differ", tensor=name)
    exact = torch.promote_types(stored, torch.float32)
    running, total = tensors[0].to(exact), weights[0]
    for tensor, weight in zip(tensors[1:], weights[1:], strict=True):
        total += weight
        running = _arc(name, running, tensor.to(home, exact), weight / total)
    return running.to(stored)


def _arc(name: str, first: Tensor, second: Tensor, weight: float) -> Tensor:
    """Interpolate one tensor on the arc between two, or on the straight line where there is no arc."""
    norms = _norm(first), _norm(second)
    if not all(map(math.isfinite, norms)):
        raise InputError("merging.not_finite", tensor=name)
    if min(norms) == 0:
        return (1 - weight) * first + weight * second
    # Kahan's formula for the angle keeps its precision for nearly parallel vectors, where acos of the cosine loses it.
    apart = _norm(first / norms[0] - second / norms[1])
    angle = 2 * math.atan2(apart, _norm(first / norms[0] + second / norms[1]))
    if math.sin(angle) < STRAIGHT:
        return (1 - weight) * first + weight * second
    norm = (1 - weight) * norms[0] + weight * norms[1]
    shares = (math.sin(part * angle) / math.sin(angle) * norm for part in (1 - weight, weight))
    return sum(
        (share / length * part for share, length, part in zip(shares, norms, (first, second), strict=True)),
        start=torch.zeros_like(first),
    )


def _norm(tensor: Tensor) -> float:
    """Euclidean norm of all numbers, added up in float64."""
    return float(torch.linalg.vector_norm(tensor, dtype=torch.float64))


def _check_weights(weights: Sequence[float], models: int) -> None:
    if models < 1 or len(weights) != models:
        raise InputError("merging.weights_and_models", models=models, weights=len(weights))
    if any(weight < 0 or not math.isfinite(weight) for weight in weights) or sum(weights) <= 0:
        raise InputError("merging.weights_unusable", weights=", ".join(f"{weight:g}" for weight in weights))


def _check_same(first: StateDict, second: StateDict) -> None:
    for name in sorted(first.keys() ^ second.keys()):
        raise InputError("merging.tensors_differ", tensor=name)
    for name, tensor in first.items():
        if tensor.shape != second[name].shape:
            shapes = ["x".join(map(str, one.shape)) or "1" for one in (tensor, second[name])]
            raise InputError("merging.shapes_differ", tensor=name, first=shapes[0], second=shapes[1])

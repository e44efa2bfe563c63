"""What a person asks of a training run, checked before anything is computed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from explorer.errors import InputError, LimitError
from explorer.settings import Settings

DEFAULT_THRESHOLD = 0.7
"""Cosine below which the report's filter drops a synthetic pair (arXiv 2506.05176, section 3.3)."""

MARGIN = 0.1
"""Distance above the positive at which a negative counts as false (the report's equation 2)."""


@dataclass(frozen=True)
class TrainingLimits:
    """The most that one training from the page may be.

    Attributes:
        pairs: Pairs in one set.
        steps: Optimiser steps.
        batch_pairs: Pairs in a batch.
        kept_runs: Finished runs that stay on the disk; older ones are deleted. None keeps all.
    """

    pairs: int = 50_000
    steps: int = 5_000
    batch_pairs: int = 512
    kept_runs: int | None = None


SHARED = TrainingLimits(pairs=2_000, steps=300, batch_pairs=64, kept_runs=3)
"""Limits where strangers share one machine, as on a Hugging Face Space."""


def limits_of(settings: Settings) -> TrainingLimits:
    """Say how large a training may be here.

    Args:
        settings: What the explorer was started with.

    Returns:
        The small limits where others share this machine, else the generous ones.
    """
    return SHARED if settings.in_space or settings.auth is not None else TrainingLimits()


@dataclass(frozen=True)
class TrainingRequest:
    """One training, as asked for.

    Attributes:
        pairs: Name of the pair set.
        base: ``"bundled"`` or the name of an earlier result, from which the training starts.
        threshold: Lowest cosine of the pairs to learn from, as in the report's second stage; None learns from all
            pairs, as in its first.
        steps: Optimiser steps.
        temperature: Divides the cosines in the contrastive loss.
        learning_rate: Highest learning rate, after the warm-up.
        margin: Whether likely false negatives are left out of the loss.
        matryoshka: Whether every size of the dimension ladder is trained, or only the full one.
        batch_pairs: Pairs that are told apart at each step.
        seed: Draws the order of the pairs.
    """

    pairs: str
    base: str = "bundled"
    threshold: float | None = None
    steps: int = 300
    temperature: float = 0.05
    learning_rate: float = 2e-5
    margin: bool = True
    matryoshka: bool = True
    batch_pairs: int = 32
    seed: int = 0


def checked(request: TrainingRequest, limits: TrainingLimits) -> TrainingRequest:
    """Check every number of a request.

    Args:
        request: As sent, by the page or by a caller of the API.
        limits: The most that is allowed here.

    Returns:
        The same request.

    Raises:
        InputError: A value is no number of the right kind, or out of its range.
        LimitError: It asks for more than is allowed here.
    """
    _whole("steps", request.steps, 1)
    _whole("batch_pairs", request.batch_pairs, 2)
    _whole("seed", request.seed, 0)
    _between("temperature", request.temperature, 0.001, 1.0)
    _between("learning_rate", request.learning_rate, 1e-7, 0.1)
    if request.threshold is not None:
        _between("threshold", request.threshold, -1.0, 1.0)
    for name, limit in (("steps", limits.steps), ("batch_pairs", limits.batch_pairs)):
        value = getattr(request, name)
        if value > limit:
            raise LimitError(f"training.many_{name}", count=value, limit=limit)
    return request


def _whole(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**31:
        raise InputError(f"training.bad_{name}", least=least)


def _between(name: str, value: object, low: float, high: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not low <= float(value) <= high:  # type: ignore[arg-type]
        raise InputError(f"training.bad_{name}", low=low, high=high)

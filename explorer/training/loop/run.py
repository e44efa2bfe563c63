"""What every training run shares: its steps, when it saves, and how it recognises its own checkpoints."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from explorer.errors import InputError
from explorer.progress import CancelToken
from explorer.training.loop.checkpoint import (
    TrainingState,
    checkpoint_place,
    clean_up,
    latest_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from explorer.training.loop.optimization import optimizer_tensors, restore_optimizer
from explorer.training.pairs.pair import TrainingPair

Facts = Mapping[str, Any]
"""What a run was started with, as JSON values by name; a run goes on only with equal ones."""


@dataclass(frozen=True)
class TrainingStep:
    """What one step did.

    Attributes:
        step: Steps done, counted from 1.
        steps: Steps in all.
        loss: What was made small.
        parts: Its unweighted parts by name, such as ``("contrastive", 1.2)``.
        learning_rate: Of this step, for the model's body.
        masked_share: Share of the negatives that were masked as false ones.
        seconds: What the step took.
        tokens: Tokens that were read in it.
        checkpoint: The checkpoint that was just written, or None. After a wish to stop, the last step is given once
            more with its checkpoint.
    """

    step: int
    steps: int
    loss: float
    parts: tuple[tuple[str, float], ...]
    learning_rate: float
    masked_share: float
    seconds: float
    tokens: int
    checkpoint: Path | None = None


class Run(Protocol):
    """A model in training."""

    step: int

    def advance(self) -> TrainingStep:
        """Make one step."""

    def save(self) -> Path:
        """Write a checkpoint."""

    def export(self) -> Path:
        """Write the trained model."""


def drive(
    run: Run, steps: int, checkpoint_every: int, cancel: CancelToken | None = None
) -> Iterator[TrainingStep]:
    """Make all steps that are left, save now and then, and write the model at the end.

    Args:
        run: The run, new or resumed.
        steps: Steps in all.
        checkpoint_every: Steps between two checkpoints; the last step always has one.
        cancel: Stops before the next step, with a checkpoint.

    Yields:
        Every step.
    """
    last: TrainingStep | None = None
    saved = run.step
    while run.step < steps:
        if cancel is not None and cancel.cancelled:
            if last is not None and saved < run.step:
                yield replace(last, checkpoint=run.save())
            return
        last = run.advance()
        if run.step % checkpoint_every == 0 or run.step == steps:
            last, saved = replace(last, checkpoint=run.save()), run.step
        yield last
    run.export()


class Progressed:
    """A model's weights and optimiser with the checkpoints that keep them.

    Args:
        model: Its parameters that require gradients are kept.
        optimizer: Over the same parameters.
        folder: Where the checkpoints lie.
        facts: What the run was started with.
    """

    def __init__(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, folder: Path, facts: Facts
    ) -> None:
        """Remember what is to be kept; nothing is read yet."""
        self._weights = {name: part for name, part in model.named_parameters() if part.requires_grad}
        self._optimizer = optimizer
        self._folder = folder
        self._facts = json.loads(json.dumps(facts))

    def save(self, step: int) -> Path:
        """Write a checkpoint.

        Args:
            step: Steps done.

        Returns:
            Its folder.

        Raises:
            InputError: It cannot be written.
        """
        weights = {name: part.detach() for name, part in self._weights.items()}
        return save_checkpoint(
            self._folder, TrainingState(step, weights, optimizer_tensors(self._optimizer), self._facts)
        )

    def place(self, step: int) -> Path:
        """Name the folder of one step's checkpoint."""
        return checkpoint_place(self._folder, step)

    def resume(self) -> int:
        """Take weights and optimiser from the newest checkpoint, when there is one.

        Returns:
            Steps done; 0 for a new run.

        Raises:
            InputError: The newest checkpoint is damaged or belongs to a run with other facts.
        """
        clean_up(self._folder)
        place = latest_checkpoint(self._folder)
        if place is None:
            return 0
        state = load_checkpoint(place)
        different = _differences(self._facts, state.facts)
        if different:
            raise InputError("trainer.other_run", folder=self._folder.parent.name, names=", ".join(different))
        if {name: part.shape for name, part in self._weights.items()} != {
            name: part.shape for name, part in state.weights.items()
        }:
            raise InputError("trainer.checkpoint_damaged", folder=place.name)
        with torch.no_grad():
            for name, part in self._weights.items():
                part.copy_(state.weights[name])
        restore_optimizer(self._optimizer, state.optimizer)
        return state.step


def digest_of_pairs(pairs: Sequence[TrainingPair]) -> str:
    """Digest everything of the pairs that training reads, in their order.

    Args:
        pairs: What is learned from.

    Returns:
        Hex digest.
    """
    digest = hashlib.sha256()
    for pair in pairs:
        read = [pair.query, pair.document, pair.kind, pair.instruction, pair.negatives, pair.score]
        digest.update(json.dumps(read).encode() + b"\n")
    return digest.hexdigest()


def plan_facts(plan: Any) -> dict[str, Any]:  # noqa: ANN401 - any plan's dataclass
    """List a plan's settings, without the one that changes nothing in the result.

    Args:
        plan: A dataclass.

    Returns:
        Settings by name.
    """
    return {name: value for name, value in asdict(plan).items() if name != "checkpoint_every"}


def _differences(mine: Facts, theirs: Facts) -> list[str]:
    return sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))

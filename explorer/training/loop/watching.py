"""Train, merge and measure in one go, for whoever wants to see quality along the way."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from transformers import Qwen3Model

from explorer.errors import InputError
from explorer.progress import CancelToken
from explorer.training.embedding.training import EmbeddingRun
from explorer.training.loop.run import drive
from explorer.training.loop.watched import SMALLEST, Measured, Stepped, TrainingEvent, TrainingJob, measured
from explorer.training.merging.folders import measure_on, sweep
from explorer.training.pairs.pair import TrainingPair
from explorer.training.quality.embedding import measure_embedding
from explorer.training.quality.encoding import model_encoder
from explorer.training.quality.held_out import HeldOut, hold_out

FEW_DOCUMENTS = 30
"""With fewer held-out documents than this, the training documents are searched too: telling a few apart is no task."""


def split(pairs: Sequence[TrainingPair]) -> tuple[list[TrainingPair], HeldOut]:
    """Hold a tenth of the pairs out.

    Args:
        pairs: All pairs.

    Returns:
        Pairs to train on, and what quality is measured on.

    Raises:
        InputError: Fewer than two pairs are left to train on.
    """
    kept, held = hold_out(pairs)
    if len(kept) < 2:
        raise InputError("training.held_out_all", count=len(pairs))
    if len(held.documents) < FEW_DOCUMENTS:
        held = replace(held, others=tuple(dict.fromkeys(pair.document for pair in kept))[:1000])
    return kept, held


def train_watched(job: TrainingJob, cancel: CancelToken) -> Iterator[TrainingEvent]:
    """Train, or go on from the newest checkpoint, and measure before, along and after.

    Args:
        job: What is trained.
        cancel: Stops before the next step, with a whole checkpoint.

    Yields:
        Every step, and every measurement.

    Raises:
        InputError: The pairs or the plan cannot be used, or the disk is full.
        ModelLoadError: The base cannot be read.
        OutOfMemoryError: The device has no room.
    """
    kept, held = split(job.pairs)
    run = EmbeddingRun(job.base, kept, job.plan, job.out, None, job.device)
    encode = model_encoder(cast("Qwen3Model", run.model), run.tokenizer)

    def measure() -> Measured:
        full = int(run.model.config.hidden_size)
        sizes = (SMALLEST, full) if full > SMALLEST else (full,)
        return measured(run.step, measure_embedding(encode, held, sizes), sizes)

    if run.step == 0:
        yield measure()
    for step in drive(run, job.plan.steps, job.plan.checkpoint_every, cancel):
        yield Stepped(step.step, step.loss, step.masked_share, step.learning_rate)
        due = step.step % job.measure_every == 0 or step.step == job.plan.steps
        if due and not cancel.cancelled:
            yield measure()


def finish(job: TrainingJob, folder: Path) -> None:
    """Put a run's model into a folder, as it was after the last step or at the newest checkpoint.

    Args:
        job: What was trained. Its checkpoints are removed.
        folder: Where the model goes.

    Raises:
        InputError: There is nothing yet to make a model of, or it cannot be written.
    """
    made = job.out / "model"
    if not (made / "config.json").is_file():
        run = EmbeddingRun(job.base, split(job.pairs)[0], job.plan, job.out, None, job.device)
        if run.step == 0:
            raise InputError("training.nothing_learnt")
        run.export()
    made.replace(folder)
    shutil.rmtree(job.out, ignore_errors=True)


def measured_path(
    first: Path,
    second: Path,
    weights: Sequence[float],
    pairs: Sequence[TrainingPair],
    cancel: CancelToken,
) -> Iterator[Measured]:
    """Measure quality along the way between two models, on the pairs that a run held out.

    Args:
        first: Folder of the model at weight 0.
        second: Folder of the model at weight 1.
        weights: Places to measure.
        pairs: All pairs of the run.
        cancel: Stops before the next place.

    Yields:
        One measurement a weight; its step is its place among the weights.

    Raises:
        InputError: The models do not belong together.
        ModelLoadError: A folder cannot be read.
        Cancelled: The person asked to stop.
    """
    held = split(pairs)[1]
    for place, point in enumerate(
        sweep(first, second, weights, measure_on(first, held, (SMALLEST,)), cancel)
    ):
        full = max((*point.figures.recall_by_dimension, *point.figures.spearman), default=SMALLEST)
        sizes = (SMALLEST, full) if full > SMALLEST else (full,)
        yield measured(place, point.figures, sizes)

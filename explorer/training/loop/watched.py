"""Training that is looked at while it runs: the loop's steps with the quality of the model along the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from explorer.training.embedding.plan import EmbeddingPlan
from explorer.training.pairs.pair import TrainingPair
from explorer.training.quality.embedding import Quality

SMALLEST = 32
"""Least dimensions at which quality is measured, where the Matryoshka ladder of the mini begins."""


@dataclass(frozen=True)
class TrainingJob:
    """What is to be trained, and where it is written.

    Attributes:
        base: Folder of the model that the training starts from.
        pairs: All pairs; a tenth of their documents is held out to measure quality on.
        plan: The settings of the loop.
        out: Folder for checkpoints and the model.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:N"`` or ``"mps"``.
        measure_every: Steps between two measurements.
    """

    base: Path
    pairs: tuple[TrainingPair, ...]
    plan: EmbeddingPlan
    out: Path
    device: str
    measure_every: int


@dataclass(frozen=True)
class SizeQuality:
    """Quality on held-out pairs at one number of dimensions; None where the pairs give nothing to measure.

    Attributes:
        dimensions: Leading dimensions kept.
        spearman: Rank correlation of cosines with graded similarity.
        recall_at_1: Share of queries whose own document comes first.
        ndcg_at_10: Mean nDCG@10 of the queries.
    """

    dimensions: int
    spearman: float | None
    recall_at_1: float | None
    ndcg_at_10: float | None


@dataclass(frozen=True)
class Measured:
    """Quality after a number of steps.

    Attributes:
        step: Steps done; 0 is the base model before training.
        sizes: Quality at the smallest and the full size, in this order.
        queries: Held-out queries.
        documents: Documents that were searched.
    """

    step: int
    sizes: tuple[SizeQuality, ...]
    queries: int
    documents: int


@dataclass(frozen=True)
class Stepped:
    """One step of the loop.

    Attributes:
        step: Steps done.
        loss: Mean loss of the batch.
        masked_share: Share of the negatives that the false-negative mask left out.
        learning_rate: Learning rate of this step.
    """

    step: int
    loss: float
    masked_share: float
    learning_rate: float


TrainingEvent = Measured | Stepped


def measured(step: int, quality: Quality, sizes: Sequence[int]) -> Measured:
    """Take the figures of some sizes out of a measurement.

    Args:
        step: Steps done.
        quality: The measurement.
        sizes: Dimensions, rising.

    Returns:
        The figures; None where nothing could be measured.
    """
    found = tuple(
        SizeQuality(
            size,
            quality.spearman.get(size),
            quality.recall_by_dimension.get(size),
            quality.ndcg_by_dimension.get(size),
        )
        for size in sizes
    )
    return Measured(step, found, quality.queries, quality.documents)

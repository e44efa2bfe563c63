"""How an embedding model is trained: every setting and its range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.errors import InputError
from explorer.training.embedding.losses import MARGIN, default_ladder


@dataclass(frozen=True)
class EmbeddingPlan:
    """How an embedding model is trained.

    Attributes:
        steps: Steps in all.
        batch_pairs: Pairs a step; each is contrasted with all others.
        chunk_texts: Texts whose activations are kept at once. A batch with more is computed by gradient caching, which
            takes a second forward; the result is the same.
        learning_rate: Peak, of everything but the token table.
        warmup_share: Share of the steps in which the rate rises.
        temperature: Of the contrastive loss.
        margin: Of its mask for false negatives, or None to mask equal documents only.
        ladder: Dimensions that shall be usable on their own; empty for 32, 64, 128 ... and the full width, which is
            always among them.
        distillation_weight: Factor of the teacher's similarities.
        longest: Longest text in tokens.
        seed: Of the order of pairs.
        checkpoint_every: Steps between two checkpoints.
        lora_rank: Rank of low-rank adapters, which are trained in place of the weights; 0 trains the weights.
        table_rate: Peak rate of the token table; None for ``learning_rate``.
    """

    steps: int = 300
    batch_pairs: int = 64
    chunk_texts: int = 32
    learning_rate: float = 2e-5
    warmup_share: float = 0.1
    temperature: float = 0.05
    margin: float | None = MARGIN
    ladder: tuple[int, ...] = ()
    distillation_weight: float = 0.0
    longest: int = 256
    seed: int = 0
    checkpoint_every: int = 100
    lora_rank: int = 0
    table_rate: float | None = None


def checked_ladder(ladder: Sequence[int], width: int) -> tuple[int, ...]:
    """Order the dimensions to train and put the full width last.

    Args:
        ladder: As the plan has it; empty for the usual one.
        width: Full dimension of the vectors.

    Returns:
        Dimensions in rising order.

    Raises:
        InputError: One is not possible.
    """
    for rung in ladder:
        within("ladder", rung, 1, width)
    return tuple(sorted({*ladder, width})) if ladder else default_ladder(width)


def check_plan(plan: EmbeddingPlan) -> None:
    """Refuse settings that cannot work.

    Args:
        plan: The plan.

    Raises:
        InputError: One is out of its range; the message names it.
    """
    within("steps", plan.steps, 1, 10_000_000)
    within("batch_pairs", plan.batch_pairs, 2, 65_536)
    within("chunk_texts", plan.chunk_texts, 1, 1_000_000)
    within("learning_rate", plan.learning_rate, 0.0, 1.0)
    within("table_rate", plan.table_rate or 0.0, 0.0, 1.0)
    within("warmup_share", plan.warmup_share, 0.0, 1.0)
    within("temperature", plan.temperature, 0.001, 10.0)
    within("margin", plan.margin or 0.0, 0.0, 2.0)
    within("distillation_weight", plan.distillation_weight, 0.0, 1_000.0)
    within("longest", plan.longest, 2, 32_768)
    within("checkpoint_every", plan.checkpoint_every, 1, 10_000_000)
    within("lora_rank", plan.lora_rank, 0, 1_024)


def within(name: str, value: float, smallest: float, largest: float) -> None:
    """Refuse one setting out of its range.

    Args:
        name: Of the setting.
        value: What it is.
        smallest: Least possible value.
        largest: Greatest possible value.

    Raises:
        InputError: It is out of range, or not a number.
    """
    if not smallest <= value <= largest:
        raise InputError(
            "trainer.plan_impossible", name=name, value=value, smallest=smallest, largest=largest
        )

"""How a reranker is trained: every setting and its range."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.training.embedding.plan import within


@dataclass(frozen=True)
class RerankerPlan:
    """How a reranker is trained.

    Attributes:
        steps: Steps in all.
        batch_lists: Lists a step; they are computed one after the other, so they cost time and no memory.
        negatives: Wrong documents a list.
        learning_rate: Peak, of everything but the token table.
        warmup_share: Share of the steps in which the rate rises.
        longest: Longest prompt in tokens; only the document is cut.
        seed: Of the order of pairs and the draws of negatives.
        checkpoint_every: Steps between two checkpoints.
        lora_rank: Rank of low-rank adapters, which are trained in place of the weights; 0 trains the weights.
        listwise: Factor of the loss that compares the documents of a list; 0 is the report's loss alone.
        distillation: Factor of the divergence from a teacher's scores.
        table_rate: Peak rate of the token table; None for ``learning_rate``.
        keep_wiring: Train only what carries meaning in the bundled reranker and models trained from it. Their other
            weights tell query from document by small differences times large factors, and a few steps on them undo
            it; see :mod:`explorer.training.mini_reranker.weights`. Adapters have no such choice.
    """

    steps: int = 300
    batch_lists: int = 4
    negatives: int = 5
    learning_rate: float = 2e-5
    warmup_share: float = 0.1
    longest: int = 512
    seed: int = 0
    checkpoint_every: int = 100
    lora_rank: int = 0
    listwise: float = 0.0
    distillation: float = 0.0
    table_rate: float | None = None
    keep_wiring: bool = False


def check_reranker_plan(plan: RerankerPlan) -> None:
    """Refuse settings that cannot work.

    Args:
        plan: The plan.

    Raises:
        InputError: One is out of its range; the message names it.
    """
    within("steps", plan.steps, 1, 10_000_000)
    within("batch_lists", plan.batch_lists, 1, 65_536)
    within("negatives", plan.negatives, 1, 1_000)
    within("learning_rate", plan.learning_rate, 0.0, 1.0)
    within("table_rate", plan.table_rate or 0.0, 0.0, 1.0)
    within("warmup_share", plan.warmup_share, 0.0, 1.0)
    within("longest", plan.longest, 2, 32_768)
    within("checkpoint_every", plan.checkpoint_every, 1, 10_000_000)
    within("lora_rank", plan.lora_rank, 0, 1_024)
    if plan.keep_wiring:
        within("lora_rank", plan.lora_rank, 0, 0)
    within("listwise", plan.listwise, 0.0, 1_000.0)
    within("distillation", plan.distillation, 0.0, 1_000.0)

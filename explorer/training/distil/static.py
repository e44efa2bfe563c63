"""The static table: one vector a token, whose sum over a text should point where the teachers point."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

NESTED_DIMENSIONS = (32, 64, 128, 256)


@dataclass(frozen=True)
class StaticPlan:
    """How long and how fast the table is trained."""

    epochs: int = 3
    batch: int = 512
    learning_rate: float = 2e-3
    seed: int = 0


def initial_table(targets: torch.Tensor, frequency: torch.Tensor) -> torch.Tensor:
    """Start every token at the teachers' vector of its own spelling, rare tokens longer than common ones.

    Args:
        targets: [tokens, d] unit vectors of the tokens' spellings.
        frequency: [tokens] how often each token occurs.

    The weight a / (a + p) is smooth inverse frequency (Arora, Liang and Ma, ICLR 2017), here with a = 1e-3.
    """
    share = (frequency + 1) / (frequency + 1).sum()
    table = targets * (1e-3 / (1e-3 + share))[:, None]
    table[0] = 0.0
    return table


def nested_loss(vectors: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Ask for the teachers' direction and for their similarities within the batch, at every nested prefix.

    Args:
        vectors: [n, d] the student's vectors, of any length.
        targets: [n, d'] the teachers' vectors; d' may be smaller than d.
    """
    total = vectors.new_zeros(())
    for dimensions in NESTED_DIMENSIONS:
        student = F.normalize(vectors[:, :dimensions], dim=1)
        teacher = F.normalize(targets[:, :dimensions], dim=1)
        width = min(student.shape[1], teacher.shape[1])
        total = total + (1 - (student[:, :width] * teacher[:, :width]).sum(1)).mean()
        total = total + 4 * (student @ student.T - teacher @ teacher.T).square().mean()
    return total


def train_static(
    table: torch.Tensor,
    token_ids: Sequence[npt.NDArray[np.int64]],
    targets: torch.Tensor,
    weights: npt.NDArray[np.float64],
    plan: StaticPlan,
    report: Callable[[int, float, torch.Tensor], None],
) -> torch.Tensor:
    """Train the table.

    Args:
        table: [tokens, d] the start.
        token_ids: the tokens of each text, without the end of text.
        targets: [texts, d] unit vectors.
        weights: [texts] how often each text is drawn in an epoch, on average.
        plan: epochs, batch and learning rate.
        report: called every 100 steps with (step, loss, table).
    """
    bag = torch.nn.EmbeddingBag.from_pretrained(table.clone(), freeze=False, mode="sum", sparse=True)
    parameters = list(bag.parameters())
    optimizer: torch.optim.Optimizer = torch.optim.SparseAdam(parameters, plan.learning_rate, (0.9, 0.99))
    generator = np.random.default_rng(plan.seed)
    share = weights / weights.sum()
    steps = int(plan.epochs * weights.sum() / plan.batch)
    for step in range(steps):
        rows = generator.choice(len(token_ids), plan.batch, p=share)
        chosen = [token_ids[row] for row in rows]
        offsets = np.cumsum([0] + [len(ids) for ids in chosen[:-1]])
        vectors = bag(torch.from_numpy(np.concatenate(chosen)), torch.from_numpy(offsets))
        loss = nested_loss(vectors, targets[torch.from_numpy(rows)])
        for group in optimizer.param_groups:
            group["lr"] = plan.learning_rate * (0.5 * (1 + math.cos(math.pi * step / steps)) + 0.01)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        if step % 100 == 0 or step == steps - 1:
            report(step, float(loss.detach()), bag.weight.detach())
    return bag.weight.detach().clone()

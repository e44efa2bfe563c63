"""The training of the student: distillation at every nested width, then questions pulled to their paragraphs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from transformers import Qwen3Model

from explorer.training.distil.static import nested_loss
from explorer.training.distil.student import END_OF_TEXT

TokenIds = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TrainingPlan:
    """How long and how fast the student is trained.

    Attributes:
        seconds: wall-clock budget.
        steps: the most steps, if they are done before the time is up.
        tokens: tokens a step.
        table_rate: learning rate of the token table.
        body_rate: learning rate of everything else.
        pair_share: share of steps spent on pairs.
        temperature: of the contrastive loss on pairs.
    """

    seconds: float
    steps: int = 1_000_000
    tokens: int = 2048
    table_rate: float = 5e-4
    body_rate: float = 1e-3
    pair_share: float = 0.3
    temperature: float = 0.05
    seed: int = 0


@dataclass(frozen=True)
class Examples:
    """What the student learns from.

    Attributes:
        token_ids: tokens of each text, the end of text last.
        targets: [texts, d] unit vectors of the teachers.
        weights: [texts] how often each text is drawn, relative to the others.
        pairs: (query row, document row) of texts that belong together.
    """

    token_ids: Sequence[TokenIds]
    targets: torch.Tensor
    weights: npt.NDArray[np.float64]
    pairs: npt.NDArray[np.int64]


def train_student(
    model: Qwen3Model,
    examples: Examples,
    plan: TrainingPlan,
    report: Callable[[int, float, Qwen3Model], None],
) -> None:
    """Train ``model`` in place until the budget is spent.

    Args:
        model: the student, in float32.
        examples: texts, targets and pairs.
        plan: budget and rates.
        report: called about every two minutes with (step, mean loss since the last call, model).
    """
    optimizer = _optimizer(model, plan)
    rates = [float(group["lr"]) for group in optimizer.param_groups]
    generator = np.random.default_rng(plan.seed)
    draw = _BatchDrawer(examples, plan, generator)
    begin = reported = time.monotonic()
    losses: list[float] = []
    step = 0
    while (elapsed := max((time.monotonic() - begin) / plan.seconds, step / plan.steps)) < 1:
        pace = min(1.0, (step + 1) / 30) * (0.5 * (1 + math.cos(math.pi * elapsed)) + 0.01)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * pace
        paired = len(examples.pairs) > 0 and generator.random() < plan.pair_share
        loss = (
            _pair_loss(model, examples, draw.pairs(), plan)
            if paired
            else _text_loss(model, examples, draw.texts())
        )
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        losses.append(float(loss.detach()))
        if time.monotonic() - reported > 120:
            reported = time.monotonic()
            report(step, float(np.mean(losses)), model)
            losses.clear()
    report(step, float(np.mean(losses or [math.nan])), model)


def embed(model: Qwen3Model, rows: Sequence[TokenIds]) -> torch.Tensor:
    """Return the last token's hidden state of left-padded rows: [n, hidden] float32."""
    longest = max(len(row) for row in rows)
    ids = torch.full((len(rows), longest), END_OF_TEXT)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for index, row in enumerate(rows):
        ids[index, longest - len(row) :] = torch.from_numpy(row)
        mask[index, longest - len(row) :] = 1
    same = all(len(row) == longest for row in rows)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        states = model(
            input_ids=ids, attention_mask=None if same else mask, use_cache=False
        ).last_hidden_state
    last: torch.Tensor = states[:, -1].float()
    return last


def _text_loss(model: Qwen3Model, examples: Examples, rows: npt.NDArray[np.int64]) -> torch.Tensor:
    vectors = embed(model, [examples.token_ids[row] for row in rows])
    return nested_loss(vectors, examples.targets[torch.from_numpy(rows)])


def _pair_loss(
    model: Qwen3Model, examples: Examples, pairs: npt.NDArray[np.int64], plan: TrainingPlan
) -> torch.Tensor:
    """Distil both sides and let every query find its document among the batch's, at full and quarter width."""
    sides = [embed(model, [examples.token_ids[row] for row in pairs[:, side]]) for side in (0, 1)]
    loss = sum(
        (
            0.5 * nested_loss(sides[side], examples.targets[torch.from_numpy(pairs[:, side])])
            for side in (0, 1)
        ),
        start=sides[0].new_zeros(()),
    )
    known = examples.targets[torch.from_numpy(pairs[:, 1])]
    # The teachers' own judgement says which other documents of the batch are too close to count as wrong.
    close = (known @ known.T > 0.8) & ~torch.eye(len(pairs), dtype=torch.bool)
    for dimensions in (64, sides[0].shape[1]):
        queries, documents = (F.normalize(side[:, :dimensions], dim=1) for side in sides)
        scores = (queries @ documents.T / plan.temperature).masked_fill(close, -1e4)
        loss = loss + 0.25 * F.cross_entropy(scores, torch.arange(len(pairs)))
    return loss


def _optimizer(model: Qwen3Model, plan: TrainingPlan) -> torch.optim.Optimizer:
    table = [model.embed_tokens.weight]
    body = [weight for name, weight in model.named_parameters() if "embed_tokens" not in name]
    return torch.optim.AdamW(
        [
            {"params": table, "lr": plan.table_rate, "weight_decay": 0.0},
            {"params": body, "lr": plan.body_rate, "weight_decay": 0.01},
        ],
        betas=(0.9, 0.98),
    )


class _BatchDrawer:
    """Draws batches of texts of one length, so that nothing is padded, and batches of pairs of similar length."""

    def __init__(self, examples: Examples, plan: TrainingPlan, generator: np.random.Generator) -> None:
        self._tokens = plan.tokens
        self._generator = generator
        lengths = np.array([len(ids) for ids in examples.token_ids])
        self._lengths = lengths
        width = np.where(lengths <= 32, lengths, (lengths + 7) // 8 * 8)
        self._groups = {
            int(w): np.flatnonzero((width == w) & (examples.weights > 0)) for w in np.unique(width)
        }
        self._groups = {w: rows for w, rows in self._groups.items() if len(rows) >= 64}
        self._shares = {
            w: examples.weights[rows] / examples.weights[rows].sum() for w, rows in self._groups.items()
        }
        mass = np.array([examples.weights[rows].sum() * w for w, rows in self._groups.items()])
        self._widths = list(self._groups)
        self._mass = mass / mass.sum()
        self._pairs = examples.pairs
        order = lengths[self._pairs].sum(1).argsort() if len(self._pairs) else np.zeros(0, dtype=np.int64)
        self._sorted_pairs = self._pairs[order]

    def texts(self) -> npt.NDArray[np.int64]:
        """Draw rows of one width, as many as fit the token budget."""
        width = self._widths[int(self._generator.choice(len(self._widths), p=self._mass))]
        rows, share = self._groups[width], self._shares[width]
        count = min(max(self._tokens // width, 32), 384, len(rows))
        return rows[self._generator.choice(len(rows), count, replace=False, p=share)]

    def pairs(self) -> npt.NDArray[np.int64]:
        """Draw neighbouring pairs in order of length, as many as fit the token budget."""
        centre = int(self._generator.integers(len(self._sorted_pairs)))
        size = int(self._lengths[self._sorted_pairs[centre]].sum())
        count = min(max(self._tokens // size, 24), 160)
        window = self._sorted_pairs[max(0, centre - 4 * count) : centre + 4 * count]
        chosen = self._generator.choice(len(window), min(count, len(window)), replace=False)
        return np.asarray(window[chosen])

"""Rates, groups of weights, and an optimiser that goes on where it stopped."""

from __future__ import annotations

import pytest
import torch
from accelerate.state import AcceleratorState

from explorer.training.loop import optimization
from explorer.training.loop.optimization import (
    WEIGHT_DECAY,
    make_accelerator,
    make_optimizer,
    optimizer_tensors,
    pace,
    restore_optimizer,
    set_rate,
)


class Model(torch.nn.Module):
    """One weight of every sort."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed_tokens = torch.nn.Embedding(6, 4)
        self.layer = torch.nn.Linear(4, 4, bias=False)
        self.norm = torch.nn.LayerNorm(4, bias=False)
        self.frozen = torch.nn.Linear(4, 4, bias=False).requires_grad_(False)

    def forward(self, ids):
        return self.norm(self.layer(self.embed_tokens(ids)))


def step(model, optimizer):
    optimizer.zero_grad()
    model(torch.tensor([1, 2])).square().sum().backward()
    optimizer.step()


def test_the_rate_rises_over_the_warm_up_and_falls_to_almost_nothing():
    rates = [pace(step, 100, 0.1) for step in range(100)]
    assert rates[:10] == pytest.approx([step / 10 for step in range(1, 11)])
    assert rates[10] == 1.0
    assert rates[55] == pytest.approx(0.5)
    assert sorted(rates[10:], reverse=True) == rates[10:]
    assert 0 < rates[-1] < 0.001


def test_a_run_of_one_step_and_one_that_only_warms_up_have_rates():
    assert pace(0, 1, 0.1) == 1.0
    assert [pace(step, 2, 1.0) for step in range(2)] == [0.5, 1.0]
    assert pace(0, 10, 0.0) == 1.0


def test_matrices_decay_and_the_table_has_its_own_rate():
    model = Model()
    optimizer = make_optimizer(model, 0.1, 0.01)
    groups = [(group["params"], group["peak"], group["weight_decay"]) for group in optimizer.param_groups]
    table, matrices, gains = groups
    assert table[0][0] is model.embed_tokens.weight
    assert table[1:] == (0.01, 0.0)
    assert matrices[0][0] is model.layer.weight
    assert matrices[1:] == (0.1, WEIGHT_DECAY)
    assert gains[0][0] is model.norm.weight
    assert gains[1:] == (0.1, 0.0)
    assert sum(len(group[0]) for group in groups) == 3
    assert set_rate(optimizer, 0.5) == 0.05
    assert [group["lr"] for group in optimizer.param_groups] == [0.005, 0.05, 0.05]


def test_an_optimiser_goes_on_where_it_stopped():
    going, stopped = Model(), Model()
    first, second = make_optimizer(going, 0.1), make_optimizer(stopped, 0.1)
    for _ in range(3):
        step(going, first)
        step(stopped, second)
    third = make_optimizer(stopped, 0.1)
    kept = {name: tensor.clone() for name, tensor in optimizer_tensors(second).items()}
    assert set(kept) == {
        f"{number}.{kind}" for number in range(3) for kind in ("step", "exp_avg", "exp_avg_sq")
    }
    restore_optimizer(third, kept)
    step(going, first)
    step(stopped, third)
    assert all(
        torch.equal(mine, theirs)
        for mine, theirs in zip(going.parameters(), stopped.parameters(), strict=True)
    )


def test_a_run_may_follow_another_of_other_precision_in_one_process(monkeypatch):
    found = []
    for coarse in (True, False, True):
        monkeypatch.setattr(optimization, "computes_bfloat16", lambda device, coarse=coarse: coarse)
        found.append(make_accelerator(torch.device("cpu")).mixed_precision)
    assert found == ["bf16", "no", "bf16"]
    AcceleratorState._reset_state(reset_partial_state=True)

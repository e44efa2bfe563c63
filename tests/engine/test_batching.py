"""Packs hold every text once, keep the budget, and shrink when memory runs out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.engine.batching import length_order, next_pack, run_packs
from explorer.engine.budget import TokenBudget
from explorer.errors import Cancelled, OutOfMemoryError
from explorer.models.devices import is_out_of_memory
from explorer.progress import CancelToken

CPU = torch.device("cpu")
LENGTHS = st.lists(st.integers(1, 50), max_size=40)


def test_the_longest_come_first_and_equals_keep_their_order() -> None:
    assert length_order([3, 9, 3, 1, 9]) == [1, 4, 0, 2, 3]


@given(LENGTHS, st.integers(1, 200))
def test_a_pack_keeps_the_budget_unless_one_text_is_longer(lengths: list[int], budget: int) -> None:
    order = length_order(lengths)
    while order:
        taken = next_pack(order, lengths, budget)
        assert taken == order[: len(taken)]
        assert len(taken) == 1 or sum(lengths[index] for index in taken) <= budget
        order = order[len(taken) :]
        assert not order or sum(lengths[index] for index in taken) + lengths[order[0]] > budget


def test_shared_tokens_count_once() -> None:
    assert next_pack([0, 1, 2], [30, 30, 30], budget=50, shared=20) == [0, 1, 2]
    assert next_pack([0, 1, 2], [30, 30, 30], budget=49, shared=20) == [0, 1]


@settings(deadline=None, max_examples=20)
@given(LENGTHS, st.integers(50, 400), st.sampled_from([torch.OutOfMemoryError, MemoryError]))
def test_nothing_is_lost_or_computed_twice_when_memory_runs_out(
    lengths: list[int], room: int, error: type[Exception]
) -> None:
    done: list[int] = []
    failures = 0

    def forward(taken: list[int]) -> np.ndarray:
        nonlocal failures
        if sum(lengths[index] for index in taken) > room:
            failures += 1
            raise error("out of memory")
        done.extend(taken)
        return np.array([lengths[index] for index in taken])

    results = dict.fromkeys(range(len(lengths)))
    budget = TokenBudget(4096)
    for taken, rows in run_packs(lengths, forward, budget, CPU):
        results |= dict(zip(taken, rows.tolist(), strict=True))
    assert list(results.values()) == lengths
    assert sorted(done) == list(range(len(lengths)))
    assert failures <= max(1, math.ceil(math.log2(4096 / room)))


def test_one_text_that_does_not_fit_names_its_size() -> None:
    def forward(taken: list[int]) -> None:
        raise MemoryError

    with pytest.raises(OutOfMemoryError, match="900 tokens"):
        list(run_packs([5, 900], forward, TokenBudget(4096), CPU))


def test_cancelling_runs_no_further_pack() -> None:
    cancel = CancelToken()
    ran: list[list[int]] = []
    steps = run_packs([9, 9, 9], lambda taken: ran.append(taken) or True, TokenBudget(10), CPU, cancel=cancel)
    next(steps)
    cancel.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    assert ran == [[0]]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("x"), True),
        (MemoryError(), True),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
            True,
        ),
        (RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_which_errors_mean_a_lack_of_memory(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


def test_a_budget_that_another_job_lowered_meanwhile_stays_low() -> None:
    budget = TokenBudget(4096)

    def forward(taken: list[int]) -> bool:
        if len(taken) > 1:
            budget.tokens = min(budget.tokens, 10)
            raise MemoryError
        return True

    assert len(list(run_packs([9] * 20, forward, budget, CPU))) == 20
    assert budget.tokens <= 10

"""The pack size is the fastest one of the device, and the usual one in doubt."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.engine import budget
from explorer.engine.budget import CLEARLY, LONGEST_TRIAL, TokenBudget, choose_size

CPU = torch.device("cpu")
SIZES = (1024, 2048, 4096)


def a_token_costs(**nanoseconds: float) -> Callable[[int], float]:
    """Time packs whose tokens cost so much, by size: ``_1024=5``."""
    return lambda size: size * nanoseconds[f"_{size}"] * 1e-9


def test_the_usual_size_stays_unless_another_is_clearly_faster() -> None:
    assert choose_size(SIZES, 2048, a_token_costs(_1024=100, _2048=100, _4096=95)) == 2048
    assert choose_size(SIZES, 2048, a_token_costs(_1024=100, _2048=100, _4096=90)) == 4096
    assert choose_size(SIZES, 2048, a_token_costs(_1024=80, _2048=100, _4096=100)) == 1024


def test_a_slow_device_gets_no_pack_that_nobody_would_wait_for() -> None:
    asked: list[int] = []

    def slow(size: int) -> float:
        asked.append(size)
        return size * 1e-3

    assert choose_size(SIZES, 2048, slow) == 1024
    assert asked == [1024]


def test_a_size_without_room_is_not_chosen() -> None:
    assert choose_size(SIZES, 2048, lambda size: math.inf if size > 2048 else 0.01) == 2048
    assert choose_size(SIZES, 2048, lambda size: math.inf) == 1024


@given(st.lists(st.floats(1e-6, 1), min_size=3, max_size=3))
def test_no_tried_size_is_clearly_faster_than_the_chosen_one(seconds: list[float]) -> None:
    of = dict(zip(SIZES, seconds, strict=True))
    tried: list[int] = []

    def measure(size: int) -> float:
        tried.append(size)
        return of[size]

    chosen = choose_size(SIZES, 2048, measure)
    assert chosen in tried
    assert all(of[smaller] <= LONGEST_TRIAL for smaller in tried[:-1])
    assert all(of[chosen] / chosen <= CLEARLY * of[size] / size * 1.0001 for size in tried)


def test_running_out_of_memory_while_trying_lowers_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "LONGEST_TRIAL", math.inf)

    def run(tokens: int) -> None:
        if tokens > 1024:
            raise torch.OutOfMemoryError("out of memory")

    assert TokenBudget.measured(CPU, 1_000_000, run).tokens == 1024


def test_other_errors_are_not_hidden() -> None:
    def run(tokens: int) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        TokenBudget.measured(CPU, 1_000_000, run)


def test_a_large_model_on_a_cpu_is_not_tried_and_has_short_packs() -> None:
    def run(tokens: int) -> None:
        raise AssertionError("a pack of a large model takes seconds")

    assert TokenBudget.measured(CPU, 8_000_000_000, run).tokens == 512
    assert 512 < TokenBudget.measured(CPU, 595_776_512, run).tokens < 1024
    assert TokenBudget.of(CPU, 8_000_000).tokens == 2048
    assert TokenBudget.of(torch.device("cuda"), 8_000_000_000).tokens == 16_384

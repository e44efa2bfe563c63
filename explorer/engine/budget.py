"""How many tokens one forward may take: measured on the device, not guessed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from explorer.models.devices import is_out_of_memory
from explorer.models.memory import give_back

SIZES = {"cpu": (1024, 2048, 4096), "mps": (2048, 4096, 8192), "cuda": (8192, 16384, 32768)}
"""Pack sizes that are tried on each kind of device, in tokens."""

USUAL = {"cpu": 2048, "mps": 4096, "cuda": 16384}
"""The size that is kept unless another is clearly faster, so that runs on one machine use the same packs."""

CLEARLY = 1.08
"""How many times as fast another size must be; timings of one machine differ by some hundredths."""

LONGEST_TRIAL = 0.25
"""Seconds after which no larger pack is tried: a person who presses stop waits for the pack that is running."""

CPU_PACK_WORK = 1e12
"""Floating-point operations of one pack on a CPU, at two for each parameter and token: some seconds."""

SMALLEST_CPU_PACK = 512
"""Tokens below which a pack no longer pays for its overhead and its shared prefix."""


@dataclass
class TokenBudget:
    """How many tokens one forward may take. It shrinks when the device runs out of memory and stays so.

    Attributes:
        tokens: The budget now.
    """

    tokens: int

    @classmethod
    def of(cls, device: torch.device, parameters: int) -> TokenBudget:
        """Give the budget of a kind of device and size of model, without running anything.

        A GPU needs large packs to be kept busy. A CPU does not, and there a pack of a large model is kept small, so
        that a person who presses stop waits seconds and not minutes.

        Args:
            device: Where the forward runs.
            parameters: Size of the model.

        Returns:
            A fresh budget.
        """
        usual = USUAL[device.type]
        if device.type != "cpu":
            return cls(usual)
        return cls(min(usual, max(SMALLEST_CPU_PACK, int(CPU_PACK_WORK / (2 * parameters)))))

    @classmethod
    def measured(cls, device: torch.device, parameters: int, run: Callable[[int], None]) -> TokenBudget:
        """Try packs of several sizes and keep the fastest.

        Args:
            device: Where the forward runs.
            parameters: Size of the model.
            run: Runs one forward of so many tokens, to its end.

        Returns:
            A fresh budget; that of :meth:`of` where a first pack already takes longer than
            :data:`LONGEST_TRIAL`, or where no other size is :data:`CLEARLY` faster.
        """
        usual = cls.of(device, parameters)
        sizes = SIZES[device.type]
        if usual.tokens < sizes[0]:
            return usual

        def seconds(size: int) -> float:
            try:
                return min(_seconds(device, run, size), _seconds(device, run, size))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            give_back(device)
            return math.inf

        seconds(sizes[0])  # the first forward also sets up kernels and memory
        return cls(choose_size(sizes, usual.tokens, seconds))


def choose_size(sizes: Sequence[int], usual: int, seconds: Callable[[int], float]) -> int:
    """Choose the pack size with the shortest time a token.

    Args:
        sizes: Sizes to try, in tokens, growing.
        usual: The size that is kept unless another is :data:`CLEARLY` faster.
        seconds: Measures one pack; infinite when there was no room for it.

    Returns:
        A size. None is tried above the first that took longer than :data:`LONGEST_TRIAL` or was slower, by the
        token, than the one before, except up to ``usual``.
    """
    each: dict[int, float] = {}
    for size in sizes:
        taken = seconds(size)
        each[size] = taken / size
        if taken > LONGEST_TRIAL or (size >= usual and each[size] > min(each.values())):
            break
    best = min(each, key=lambda size: each[size])
    return usual if usual in each and each[usual] <= CLEARLY * each[best] else best


def _seconds(device: torch.device, run: Callable[[int], None], size: int) -> float:
    """Time a pack; on a CPU by this thread's own time, so that other programs do not make it look slow."""
    clock = time.thread_time if device.type == "cpu" else time.perf_counter
    begun = clock()
    run(size)
    return clock() - begun

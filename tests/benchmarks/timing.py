"""Contestants taking turns, and medians over the turns."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

import numpy as np
import psutil
import torch
from numpy.typing import NDArray

from explorer.models.memory import give_back

Array = NDArray[np.float32]
Run = Callable[[Sequence[str]], Array]

_WARM_UP = 8
"""Texts on a CPU before the first turn; a GPU is given an eighth of them, to settle its clocks and its allocator."""


@dataclass
class Turns:
    """What one contestant did, turn by turn.

    Attributes:
        seconds: Wall time of each turn.
        cpu_seconds: Time this process's threads computed in each turn; less moved by what else the machine does.
        peak_bytes: Most memory held during a turn beyond what was held before it.
        result: What the last turn gave.
    """

    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    peak_bytes: int = 0
    result: Array = field(default_factory=lambda: np.empty(0, np.float32))

    def ratio(self, other: Turns) -> float:
        """How many times as long as another this one took: the median over turns taken side by side."""
        return median(mine / theirs for mine, theirs in zip(self.seconds, other.seconds, strict=True))

    def cpu_ratio(self, other: Turns) -> float:
        """The same by processor time, which another program on the machine moves less."""
        return median(mine / theirs for mine, theirs in zip(self.cpu_seconds, other.cpu_seconds, strict=True))

    def busy(self, device: torch.device) -> float:
        """Seconds that the work itself took: processor time on a CPU, else wall time; the median."""
        return median(self.cpu_seconds if device.type == "cpu" else self.seconds)


def take_turns(
    contestants: Mapping[str, Run], texts: Sequence[str], repetitions: int, device: torch.device
) -> dict[str, Turns]:
    """Time contestants A B A B, never all of A first, so that a busy machine slows them alike.

    Args:
        contestants: By name, in the order of their turns.
        texts: What each of them is given.
        repetitions: How many turns each has.
        device: Where they run.

    Returns:
        Their turns by name.
    """
    for run in contestants.values():
        run(texts[: max(_WARM_UP, 0 if device.type == "cpu" else len(texts) // 8)])
    turns = {name: Turns() for name in contestants}
    for _ in range(repetitions):
        for name, run in contestants.items():
            _take(turns[name], run, texts, device)
    return turns


def _take(turns: Turns, run: Run, texts: Sequence[str], device: torch.device) -> None:
    """Time one turn."""
    with peak_memory(device) as peak:
        cpu, begun = time.process_time(), time.perf_counter()
        turns.result = run(texts)
        turns.seconds.append(time.perf_counter() - begun)
        turns.cpu_seconds.append(time.process_time() - cpu)
    turns.peak_bytes = max(turns.peak_bytes, peak[0])


@contextmanager
def peak_memory(device: torch.device) -> Iterator[list[int]]:
    """Watch memory.

    Args:
        device: On CUDA its allocator is asked; elsewhere the process's resident memory is read every few milliseconds.

    Yields:
        A list whose one number is, afterwards, the most bytes held beyond those held before.
    """
    give_back(device)
    peak = [0]
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        yield peak
        peak[0] = torch.cuda.max_memory_allocated(device) - before
        return
    process, done = psutil.Process(), threading.Event()
    before = process.memory_info().rss

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], process.memory_info().rss - before)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    yield peak
    done.set()
    watcher.join()

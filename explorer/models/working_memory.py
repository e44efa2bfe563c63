"""How much memory work takes beside what was held before it."""

from __future__ import annotations

import threading
from types import TracebackType

import torch

from explorer.models.memory import used_bytes

SAMPLE_SECONDS = 0.005
"""How often the host's memory is looked at; what comes and goes in between is not seen."""


class WorkingMemory:
    """Measures, while a ``with`` block runs, the most that was held on a device beside what was held at its start.

    On CUDA the allocator counts; elsewhere the memory is sampled.

    Args:
        device: Where the work is done.
    """

    def __init__(self, device: torch.device) -> None:
        """Measure nothing yet."""
        self._device = device
        self._before = self._peak = 0
        self._over = threading.Event()
        self._sampling = threading.Thread(target=self._sample, name="working-memory", daemon=True)

    @property
    def bytes(self) -> int:
        """Bytes at the highest point, less those at the start."""
        return max(0, self._peak - self._before)

    def __enter__(self) -> WorkingMemory:
        """Begin."""
        self._before = self._peak = used_bytes(self._device)
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        else:
            self._sampling.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        if self._device.type == "cuda":
            self._peak = torch.cuda.max_memory_allocated(self._device)
            return
        self._over.set()
        self._sampling.join()
        self._peak = max(self._peak, used_bytes(self._device))

    def _sample(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self._peak = max(self._peak, used_bytes(self._device))

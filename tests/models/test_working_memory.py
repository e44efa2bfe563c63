"""What work takes beside what was held before is seen, also when it is given back at once."""

from __future__ import annotations

import time

import torch

from explorer.models.working_memory import SAMPLE_SECONDS, WorkingMemory

SIZE = 64 << 20


def test_memory_that_comes_and_goes_is_seen() -> None:
    with WorkingMemory(torch.device("cpu")) as working:
        block = torch.ones(SIZE, dtype=torch.uint8)
        time.sleep(6 * SAMPLE_SECONDS)
        del block
    assert 0.8 * SIZE < working.bytes < 2 * SIZE


def test_what_was_held_before_is_not_counted() -> None:
    held = torch.ones(SIZE, dtype=torch.uint8)
    with WorkingMemory(torch.device("cpu")) as working:
        pass
    assert working.bytes < SIZE // 2
    assert held[0] == 1

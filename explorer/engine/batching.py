"""Length order, packs within a token budget, and halving when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch

from explorer.engine.budget import TokenBudget
from explorer.errors import OutOfMemoryError
from explorer.models.devices import is_out_of_memory
from explorer.models.memory import give_back
from explorer.progress import CancelToken

Result = TypeVar("Result")


def length_order(lengths: Sequence[int]) -> list[int]:
    """Order texts longest first; equal lengths keep their order.

    The longest first means that memory runs out at once or not at all.

    Args:
        lengths: Tokens of each text.

    Returns:
        Indices.
    """
    return [int(index) for index in np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")]


def next_pack(order: Sequence[int], lengths: Sequence[int], budget: int, shared: int = 0) -> list[int]:
    """Take texts from the front while they fit the budget.

    Args:
        order: Indices still to do.
        lengths: Tokens of each text.
        budget: Tokens one forward may take; a single text may exceed it.
        shared: Tokens that all texts begin with and that are computed once.

    Returns:
        The indices of the next forward, at least one.
    """
    taken: list[int] = []
    tokens = shared
    for index in order:
        tokens += lengths[index] - shared
        if taken and tokens > budget:
            break
        taken.append(index)
    return taken


def run_packs(
    lengths: Sequence[int],
    forward: Callable[[list[int]], Result],
    budget: TokenBudget,
    device: torch.device,
    *,
    shared: int = 0,
    cancel: CancelToken | None = None,
) -> Iterator[tuple[list[int], Result]]:
    """Run a forward over all texts, pack by pack.

    When the device has no room for a pack, the budget is halved and the pack is taken again; what was finished is
    kept, so that a text is never computed twice.

    Args:
        lengths: Tokens of each text.
        forward: Computes the texts at the given indices.
        budget: Tokens one forward may take.
        device: Where the forward runs.
        shared: Tokens that all texts begin with and that are computed once.
        cancel: Stops before the next pack.

    Yields:
        (indices, what ``forward`` returned for them).

    Raises:
        OutOfMemoryError: One text alone does not fit.
        Cancelled: The person asked to stop.
    """
    waiting = length_order(lengths)
    while waiting:
        if cancel:
            cancel.raise_if_cancelled()
        taken = next_pack(waiting, lengths, budget.tokens, shared)
        done = _attempt(forward, taken)
        if done is None:
            give_back(device)
            tokens = shared + sum(lengths[index] - shared for index in taken)
            if len(taken) == 1:
                raise OutOfMemoryError("engine.text_too_long_for_memory", tokens=tokens, device=str(device))
            budget.tokens = min(budget.tokens, max(1, tokens // 2))
            continue
        waiting = waiting[len(taken) :]
        yield taken, done[0]


def _attempt(forward: Callable[[list[int]], Result], taken: list[int]) -> tuple[Result] | None:
    """Run one pack; None when there was no room. The traceback, which holds tensors, ends here."""
    try:
        return (forward(taken),)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None

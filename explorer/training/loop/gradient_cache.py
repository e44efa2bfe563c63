"""Large contrastive batches in little memory.

The loss of one pair depends on every other text of the batch, so a batch cannot simply be split. Gradient caching
(Gao et al. 2021, arXiv 2101.06983) computes all vectors without keeping activations, takes the loss's gradient of the
vectors, and then runs the model once more, chunk by chunk, letting each chunk's part of that gradient flow on. The
result is the whole batch's gradient at the memory of one chunk and the price of a second forward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import torch
from torch import Tensor

Chunk = TypeVar("Chunk")


def backward_in_chunks(
    forward: Callable[[Chunk], Tensor],
    chunks: Sequence[Chunk],
    loss: Callable[[Tensor], Tensor],
    backward: Callable[[Tensor], object] = torch.autograd.backward,
    unsynchronised: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Tensor:
    """Add the gradients of a batch's loss to the model's parameters.

    Args:
        forward: Computes a chunk's vectors [n, d]; it must give the same ones when called again (no dropout).
        chunks: The batch's texts in order.
        loss: Takes all vectors [texts, d] in order and gives a scalar.
        backward: Lets gradients flow from a scalar into the model.
        unsynchronised: Context in which several processes do not yet exchange gradients; used for all chunks but
            the last.

    Returns:
        The loss, without gradient.
    """
    if len(chunks) == 1:
        found = loss(forward(chunks[0]))
        backward(found)
        return found.detach()
    with torch.no_grad():
        vectors = torch.cat([forward(chunk) for chunk in chunks])
    vectors.requires_grad_()
    found = loss(vectors)
    (gradient,) = torch.autograd.grad(found, vectors)
    first = 0
    for number, chunk in enumerate(chunks, start=1):
        with unsynchronised() if number < len(chunks) else nullcontext():
            part = forward(chunk)
            # The scalar whose gradient with respect to the vectors is exactly the cached one.
            backward((part * gradient[first : first + len(part)]).sum())
        first += len(part)
    return found.detach()

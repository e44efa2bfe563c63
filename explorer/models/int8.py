"""Weights in one byte: a linear layer that keeps int8 and multiplies in the model's own number format."""

from __future__ import annotations

import torch
from torch import nn

LARGEST = 127
"""The range is symmetric, so that zero stays zero."""


class Int8Linear(nn.Module):
    """A linear layer without bias that keeps its weights as int8, with one scale for each output.

    The largest weight of a row becomes 127 (row-wise absmax quantisation, Dettmers et al., arXiv 2208.07339,
    section 2). For each product the weights are turned back into the format of the input, so inputs and sums are what
    they were, and only one matrix at a time lies in memory in full.

    torchao's weight-only int8 does the same on a CPU, and took 1.0 to 2.0 times as long there (torchao 0.18, one token
    to 2,000); so it is not required.

    Args:
        weight: float32 or bfloat16 [outputs, inputs].
    """

    def __init__(self, weight: torch.Tensor) -> None:
        """Round the weights."""
        super().__init__()
        largest = weight.float().abs().amax(dim=1, keepdim=True) / LARGEST
        # First rounded to the format it is multiplied in, so that this rounding does not scale a whole row.
        scale = largest.to(weight.dtype).clamp_min(torch.finfo(weight.dtype).tiny)
        steps = (weight.float() / scale.float()).round_().clamp_(-LARGEST, LARGEST)
        self.weight = nn.Parameter(steps.to(torch.int8), requires_grad=False)
        self.scale = nn.Parameter(scale.flatten(), requires_grad=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Multiply.

        Args:
            inputs: [..., inputs], in the format the layer was made of.

        Returns:
            [..., outputs], in that format.
        """
        return nn.functional.linear(inputs, self.weight.to(inputs.dtype)) * self.scale


def place_int8(backbone: nn.Module, name: str, tensor: torch.Tensor) -> bool:
    """Put a linear layer's weights in its place as int8.

    Args:
        backbone: The module that is being filled.
        name: Name of the parameter.
        tensor: Its weights.

    Returns:
        False when the parameter is not of a linear layer, and nothing was done.
    """
    owner, _, _ = name.rpartition(".")
    if not isinstance(backbone.get_submodule(owner), nn.Linear):
        return False
    backbone.set_submodule(owner, Int8Linear(tensor))
    return True

"""The loss of ranked lists."""

from __future__ import annotations

import torch
from torch import Tensor

from explorer.training.reranker.loss import listwise, supervised


def list_loss(scores: list[Tensor], pointwise: float) -> Tensor:
    """Loss of lists whose first document is right.

    Args:
        scores: Log-odds, one tensor [documents] a list.
        pointwise: Weight of the yes/no part.

    Returns:
        Scalar.
    """
    right = torch.stack([one[0] for one in scores])
    wrong = torch.cat([one[1:] for one in scores])
    answers = supervised(right, torch.ones_like(right)) + supervised(wrong, torch.zeros_like(wrong))
    return torch.stack([listwise(one) for one in scores]).mean() + pointwise * answers

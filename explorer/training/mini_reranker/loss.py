"""The loss of ranked lists."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def list_loss(scores: list[Tensor], pointwise: float) -> Tensor:
    """Loss of lists whose first document is right.

    Args:
        scores: Log-odds, one tensor [documents] a list.
        pointwise: Weight of the yes/no part.

    Returns:
        Scalar.
    """
    listwise = torch.stack([functional.cross_entropy(one, torch.tensor(0)) for one in scores]).mean()
    right = torch.stack([one[0] for one in scores])
    wrong = torch.cat([one[1:] for one in scores])
    answers = functional.softplus(-right).mean() + functional.softplus(wrong).mean()
    return listwise + pointwise * answers

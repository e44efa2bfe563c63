"""What P(yes) becomes when its last step is computed in bfloat16, as many programs do.

bfloat16 keeps eight significant bits. Between 0.5 and 1 its neighbours lie 1/256 apart, so that the last value below
1 is 0.99609375; logits between 16 and 32 lie 1/8 apart. This project computes both logits in float32 from the last
hidden state, whatever the model's own format.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def bfloat16_softmax(answer_logits: Floats) -> Floats:
    """Round both logits to bfloat16 and take torch's softmax of them in bfloat16.

    Both logits are needed, not only their difference: the larger they are, the more rounding takes away.

    Args:
        answer_logits: Logits of "no" and "yes", float32 [n, 2].

    Returns:
        P(yes), float32 [n], each a value that bfloat16 has.
    """
    return _of_yes(torch.softmax(_rounded(answer_logits), dim=1))


def bfloat16_model_card(answer_logits: Floats) -> Floats:
    """Do the same by the lines of the model card, which take ``log_softmax`` and then ``exp``.

    Args:
        answer_logits: Logits of "no" and "yes", float32 [n, 2].

    Returns:
        P(yes), float32 [n], each a value that bfloat16 has.
    """
    return _of_yes(torch.log_softmax(_rounded(answer_logits), dim=1).exp())


def _rounded(answer_logits: Floats) -> torch.Tensor:
    """Round to bfloat16, as the head of a model in that format gives them."""
    return torch.from_numpy(np.ascontiguousarray(answer_logits, dtype=np.float32)).to(torch.bfloat16)


def _of_yes(answers: torch.Tensor) -> Floats:
    """Take the second column as float32, which holds every value of bfloat16 exactly."""
    found: Floats = answers[:, 1].to(torch.float32).numpy()
    return found

"""Random texts, and the states that plain transformers gives each of them alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from explorer.engine.tokens import TokenIds

CPU = torch.device("cpu")

MODELS: dict[str, dict[str, Any]] = {
    "tied": {"seed": 11},
    "untied": {"seed": 12, "tied": False, "layers": 3, "key_value_heads": 4},
    "one layer": {"seed": 13, "layers": 1},
    "odd heads": {"seed": 14, "hidden": 36, "heads": 3, "key_value_heads": 1, "head_dim": 10},
}


def sequences_of(lengths: Sequence[int], shared: int) -> list[TokenIds]:
    """Draw texts of so many tokens of their own after a common beginning."""
    draw = np.random.default_rng(sum(lengths) + shared)
    beginning = draw.integers(5, 300, shared)
    return [np.concatenate([beginning, draw.integers(5, 300, length)]) for length in lengths]


@torch.no_grad()
def one_by_one(backbone: Any, sequences: Sequence[TokenIds]) -> torch.Tensor:
    """Run each text alone, with transformers' eager attention, at all positions."""
    backbone.set_attn_implementation("eager")
    rows = [
        backbone(input_ids=torch.from_numpy(ids)[None], use_cache=False).last_hidden_state[0, -1]
        for ids in sequences
    ]
    return torch.stack(rows)

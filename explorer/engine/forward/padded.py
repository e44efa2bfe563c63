"""The forward for devices without packed attention: padded batches through transformers' own attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from explorer.engine.forward.packing import GROUP_RATIO, similar_runs
from explorer.engine.tokens import TokenIds


def padded_last_states(
    backbone: Any,  # noqa: ANN401 - a wrapped model is called alike
    sequences: Sequence[TokenIds],
    device: torch.device,
) -> torch.Tensor:
    """Run the model once for each run of texts of similar length.

    Padding stands on the right and attention is causal, so no mask is needed, and without one the fast kernels can be
    used.

    Args:
        backbone: ``Qwen3Model`` whose attention is ``"sdpa"``.
        sequences: Token ids, each [tokens]; neighbours of similar length make it faster.
        device: Where the model lies.

    Returns:
        [texts, hidden], the state after the final norm at each text's last token.
    """
    lengths = np.array([len(ids) for ids in sequences])
    parts = []
    for first, stop in similar_runs(lengths, GROUP_RATIO):
        run = lengths[first:stop]
        ids = np.zeros((len(run), run.max()), dtype=np.int64)
        ids[np.arange(run.max()) < run[:, None]] = np.concatenate(sequences[first:stop])
        states = backbone(input_ids=torch.from_numpy(ids).to(device), use_cache=False).last_hidden_state
        rows = torch.arange(len(run), device=device)
        parts.append(states[rows, torch.from_numpy(run - 1).to(device)])
    return torch.cat(parts)

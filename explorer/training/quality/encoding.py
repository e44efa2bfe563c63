"""Embedding with a model in the middle of its training, on the engine's own path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from explorer.analysis.arrays import Floats, unit_rows
from explorer.engine.batching import run_packs
from explorer.engine.budget import TokenBudget
from explorer.engine.forward.attention import PACKED
from explorer.engine.forward.paths import last_hidden_states
from explorer.engine.runner import DEFAULT_MAX_LENGTH
from explorer.engine.tokens import embedding_tokens, shared_prefix
from explorer.training.quality.embedding import Encode


def model_encoder(model: nn.Module, tokenizer: Tokenizer, longest: int = DEFAULT_MAX_LENGTH) -> Encode:
    """Let a bare model encode as :class:`explorer.engine.embedder.Embedder` does.

    Nothing is cached, so the model's weights may change between two calls. The model keeps its mode and its attention.

    Args:
        model: ``Qwen3Model`` on any device, perhaps with adapters.
        tokenizer: Its tokenizer, without truncation or padding.
        longest: Longest input in tokens; the model's own context when that is shorter.

    Returns:
        A function of texts and an optional instruction that gives unit rows, float32 [texts, hidden].
    """
    backbone: Any = model
    limit = min(longest, int(backbone.config.max_position_embeddings))

    def encode(texts: Sequence[str], instruction: str | None = None, /) -> Floats:
        sequences = [one.ids for one in embedding_tokens(tokenizer, texts, instruction, limit)]
        shared = shared_prefix(sequences)
        device = backbone.device
        budget = TokenBudget.of(device, sum(weight.numel() for weight in model.parameters()))
        rows = np.zeros((len(texts), int(backbone.config.hidden_size)), dtype=np.float32)

        def forward(taken: list[int]) -> torch.Tensor:
            chosen = [sequences[index] for index in taken]
            return last_hidden_states(model, chosen, shared if len(chosen) > 1 else 0, device)

        with _packed(model):
            for taken, states in run_packs(
                [len(ids) for ids in sequences], forward, budget, device, shared=shared
            ):
                rows[taken] = states.cpu().numpy()
        return unit_rows(rows)

    return encode


@contextmanager
def _packed(model: Any) -> Iterator[None]:  # noqa: ANN401 - a wrapped model has the same methods
    """Switch to packed attention and evaluation for a while."""
    attention, training = model.config._attn_implementation, model.training
    model.set_attn_implementation(PACKED)
    model.train(mode=False)
    try:
        yield
    finally:
        model.set_attn_implementation(attention)
        model.train(mode=training)

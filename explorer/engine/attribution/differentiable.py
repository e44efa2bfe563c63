"""The forward from input embeddings, in a form whose derivatives torch knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from explorer.engine.forward.paths import use_path
from explorer.engine.tokens import TokenIds
from explorer.errors import ModelLoadError, OutOfMemoryError
from explorer.models.devices import device_lock, is_out_of_memory
from explorer.models.loading import LoadedModel
from explorer.models.memory import give_back


@contextmanager
def differentiable(loaded: LoadedModel, tokens: int) -> Iterator[None]:
    """Hold the device while gradients are computed, with the model on torch's own attention.

    The packed attention for 16-bit numbers on CUDA has no derivative.

    Args:
        loaded: The model.
        tokens: Length of one input, for the sentence that says there was no room.

    Yields:
        Nothing; other jobs wait meanwhile, so leave it between two batches.

    Raises:
        ModelLoadError: The model was unloaded.
        OutOfMemoryError: The device had no room.
    """
    backbone: Any = loaded.backbone
    with device_lock(loaded.device):
        if loaded.released:
            raise ModelLoadError("engine.model_released", model=loaded.provenance.model)
        attention = backbone.config._attn_implementation
        use_path(backbone, "padded")
        try:
            yield
            return
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        finally:
            backbone.set_attn_implementation(attention)
    give_back(loaded.device)
    raise OutOfMemoryError("engine.text_too_long_for_memory", tokens=tokens, device=str(loaded.device))


def input_embeddings(loaded: LoadedModel, ids: TokenIds) -> torch.Tensor:
    """Look token ids up in the model's embedding table.

    Args:
        loaded: The model.
        ids: Token ids [tokens].

    Returns:
        float32 [tokens, hidden] on the device.
    """
    backbone: Any = loaded.backbone
    with torch.no_grad():
        rows: torch.Tensor = backbone.embed_tokens(torch.from_numpy(ids).to(loaded.device)).float()
    return rows


def last_states(loaded: LoadedModel, embeddings: torch.Tensor) -> torch.Tensor:
    """Run the model on input embeddings, in its own number format.

    Args:
        loaded: The model, within :func:`differentiable`.
        embeddings: float32 [n, tokens, hidden].

    Returns:
        float32 [n, hidden], the state after the final norm at the last token.
    """
    return all_states(loaded, embeddings)[:, -1]


def all_states(loaded: LoadedModel, embeddings: torch.Tensor) -> torch.Tensor:
    """Run the model on input embeddings and keep every token's state.

    Args:
        loaded: The model, within :func:`differentiable`.
        embeddings: float32 [n, tokens, hidden].

    Returns:
        float32 [n, tokens, hidden], the states after the final norm.
    """
    backbone: Any = loaded.backbone
    output = backbone(inputs_embeds=embeddings.to(loaded.dtype), use_cache=False)
    states: torch.Tensor = output.last_hidden_state.float()
    return states

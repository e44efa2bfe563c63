"""Low-rank adapters (LoRA, Hu et al., arXiv 2106.09685) for models whose full training does not fit.

The base's matrices stay as they are; beside each a product of two thin matrices is learned, which is added to it in
the end, so that the exported model is an ordinary one.
"""

from __future__ import annotations

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""All of attention and the MLP; adapting only some of them loses quality (Dettmers et al., arXiv 2305.14314)."""

SCALE = 2
"""Factor of the adapters' product (``lora_alpha / rank``), the common choice."""


def add_adapters(model: PreTrainedModel, rank: int, seed: int) -> PeftModel:
    """Freeze a model and put adapters beside its projections.

    Args:
        model: The base; it is wrapped in place.
        rank: Of the adapters.
        seed: Of their random half; the other half starts at zero, so the model at first computes what it did.

    Returns:
        The wrapped model, in which only the adapters are trained. There is no dropout: the gradient cache computes
        every vector twice and must get the same.
    """
    settings = LoraConfig(
        r=rank, lora_alpha=SCALE * rank, lora_dropout=0.0, target_modules=list(PROJECTIONS), bias="none"
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return get_peft_model(model, settings)


def merge_adapters(model: PeftModel) -> PreTrainedModel:
    """Add the adapters to the matrices they stand beside.

    Args:
        model: From :func:`add_adapters`; it must not be used afterwards.

    Returns:
        The base with changed weights and no adapters.
    """
    merged: PreTrainedModel = model.merge_and_unload()
    return merged

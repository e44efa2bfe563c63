"""A small Qwen3 model that begins as a weighted mean of its token vectors.

A static table (one vector a token, summed over a text) is cheap to train and already strong. Qwen3's first
attention layer can express that sum exactly: a token keeps its direction as content and its length as an angle
in two further dimensions; the final ``<|endoftext|>`` queries the angle, so that softmax gives every token a weight
in proportion to its length, and the values carry the directions. All other sublayers start at zero and learn what
a sum cannot say. Training thus starts from the table's quality instead of from nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from transformers import Qwen3Config, Qwen3Model

END_OF_TEXT = 0
SPECIAL_DIMENSIONS = 3
"""The last dimensions of the hidden state: cosine and sine of a token's angle, and the mark of the end of text."""


@dataclass(frozen=True)
class StudentShape:
    """Sizes of the student; ``content`` dimensions carry meaning, three more steer the first attention layer."""

    layers: int = 3
    hidden: int = 256
    heads: int = 8
    key_value_heads: int = 4
    intermediate: int = 768

    @property
    def content(self) -> int:
        """Dimensions that the static table fills."""
        return self.hidden - SPECIAL_DIMENSIONS


def build_student(table: torch.Tensor, shape: StudentShape, reach: float = 4.0) -> Qwen3Model:
    """Build a Qwen3 model whose embedding of a text points where the sum of its token vectors points.

    Args:
        table: [tokens, content] float32; the direction of a row is its content, its length its weight.
        shape: sizes of the model.
        reach: attention scores lie in [-reach, reach]; weights span a factor of exp(2 * reach).

    Returns:
        The model in float32.
    """
    config = Qwen3Config(
        vocab_size=table.shape[0],
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_value_heads,
        head_dim=64,
        max_position_embeddings=2048,
        rope_parameters={"rope_type": "default", "rope_theta": 1_000_000.0},
        tie_word_embeddings=True,
        eos_token_id=END_OF_TEXT,
        pad_token_id=END_OF_TEXT,
        bos_token_id=None,
    )
    model = Qwen3Model(config)
    with torch.no_grad():
        _silence_sublayers(model)
        _place_tokens(model, table, reach)
        _average_in_first_layer(model, shape, reach)
        model.norm.weight[shape.content :] = 0.0
    return model


def _silence_sublayers(model: Qwen3Model) -> None:
    layer: Any
    for layer in model.layers:
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()


def _place_tokens(model: Qwen3Model, table: torch.Tensor, reach: float) -> None:
    """Write directions and angles so that every row has the same length: RMSNorm then changes nothing."""
    lengths = table.norm(dim=1)
    known = lengths > 0
    centre = lengths[known].log().median()
    score = torch.zeros_like(lengths)
    score[known] = (lengths[known].log() - centre).clamp(-reach * 0.95, reach * 0.95)
    score[~known] = -reach * 0.95
    angle = torch.acos(score / reach)
    content = table.shape[1]
    weight = model.embed_tokens.weight
    weight.zero_()
    weight[:, :content] = table / lengths.clamp_min(1e-9)[:, None]
    weight[:, content] = angle.cos()
    weight[:, content + 1] = angle.sin()
    weight[END_OF_TEXT] = 0.0
    weight[END_OF_TEXT, content + 2] = math.sqrt(2.0)


def _average_in_first_layer(model: Qwen3Model, shape: StudentShape, reach: float) -> None:
    """Let the first half of the query heads weigh tokens by angle and pass the content on unchanged.

    The angle sits in the slowest pair of rotary dimensions (31 and 63 of 64), which position hardly turns.
    """
    first: Any = model.layers[0]
    attention = first.self_attn
    group = shape.heads // shape.key_value_heads
    attention.q_proj.weight.mul_(0.1)
    attention.k_proj.weight.mul_(0.02)
    for head in range(shape.key_value_heads):
        query = attention.q_proj.weight[head * group * 64 : (head * group + 1) * 64]
        query.zero_()
        query[31, shape.content + 2] = 1.0
        key = attention.k_proj.weight[head * 64 : (head + 1) * 64]
        key[31, shape.content] = 1.0
        key[63, shape.content + 1] = 1.0
        # The end of text itself has nothing to say: the least possible weight.
        key[31, shape.content + 2] = -1.0
    # Score = |q| |k| cos(angle) / sqrt(64) with |q| = |k| = sqrt(64) after their norms.
    attention.q_norm.weight.mul_(math.sqrt(reach / 8.0))
    attention.k_norm.weight.mul_(math.sqrt(reach / 8.0))
    attention.v_proj.weight.copy_(torch.eye(shape.hidden))
    for position in range(shape.content):
        head, offset = divmod(position, 64)
        attention.o_proj.weight[position, head * group * 64 + offset] = 1.0

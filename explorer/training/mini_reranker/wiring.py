"""Wiring the layers of the mini reranker's start; :mod:`~explorer.training.mini_reranker.weights` tells what each does.

Every attention score here comes from a few coordinates of a head: keys carry a mark, queries ask for it. As queries
and keys are normed to the same length, only the proportions within a key matter, so a plain token's key is given a
constant to stand apart from the zero vector.
"""

from __future__ import annotations

import torch
from torch import Tensor
from transformers.models.qwen3.modeling_qwen3 import Qwen3DecoderLayer

from explorer.training.mini_reranker.marks import (
    BASE_HEAD,
    BASE_PAIRS,
    BEST,
    BIAS,
    COMPARED,
    CONSTANT,
    COSINE,
    FAR,
    FIRST,
    HEAD,
    IN_DOCUMENT,
    IN_INSTRUCT,
    IN_QUERY,
    IS_DOCUMENT,
    IS_END,
    IS_INSTRUCT,
    IS_QUERY,
    MARKS,
    MATCH,
    MEAN,
    NEAR,
    PAIRS,
    RARITY,
    SCALE,
    SECOND,
    SIZE,
    SLOW,
    THIRD,
    UNITS,
    Base,
    template_token,
)


def silence(layer: Qwen3DecoderLayer) -> None:
    """Let a layer add nothing, and its attention see nothing, until something is wired."""
    for part in ("q_proj", "k_proj", "v_proj", "o_proj"):
        getattr(layer.self_attn, part).weight.zero_()
    layer.mlp.down_proj.weight.zero_()


def stir(layer: Qwen3DecoderLayer) -> None:
    """Give heads that nothing was wired for small random queries, so that they can learn."""
    for rows in torch.split(layer.self_attn.q_proj.weight, HEAD):
        if not rows.any():
            rows.normal_(0, 0.02)


def _wire(layer: Qwen3DecoderLayer, base: Base, part: str, row: int, values: dict[int, float]) -> None:
    """Let one coordinate of a projection read marks."""
    weight = getattr(layer.self_attn, part).weight
    for mark, value in values.items():
        weight[row, base.hidden + mark] = value


def _write(layer: Qwen3DecoderLayer, base: Base, mark: int, column: int, value: float) -> None:
    """Let one coordinate of an attention head be added to a mark."""
    layer.self_attn.o_proj.weight[base.hidden + mark, column] = value


def _in_two(value: float) -> tuple[float, float]:
    """Split a number into two that survive rounding to bfloat16."""
    coarse = float(torch.tensor(value).to(torch.bfloat16))
    return coarse, value - coarse


def tell_parts(layer: Qwen3DecoderLayer, base: Base, table: Tensor) -> None:
    """One group of heads finds each of the words that begin a part of the template."""
    beginnings = (
        (IS_DOCUMENT, IN_DOCUMENT, "Document"),
        (IS_QUERY, IN_QUERY, "Query"),
        (IS_INSTRUCT, IN_INSTRUCT, "Instruct"),
    )
    for group, (mark, part, word) in enumerate(beginnings):
        head = group * base.heads_per_group
        _wire(layer, base, "k_proj", group * HEAD + FIRST, {mark: 20})
        _wire(layer, base, "k_proj", group * HEAD + SECOND, {CONSTANT: 1})
        _wire(layer, base, "q_proj", head * HEAD + FIRST, {CONSTANT: 1})
        length = float(table[template_token(base, word)].norm()) / table.shape[1] ** 0.5
        for column, value in enumerate(_in_two(length)):
            _wire(layer, base, "v_proj", group * HEAD + column, {mark: 1})
            _write(layer, base, part, head * HEAD + column, value)
    layer.self_attn.q_norm.weight.fill_(2)


def match_words(layer: Qwen3DecoderLayer, base: Base) -> None:
    """Every head compares word vectors; keys outside the query are pushed away, and ``Document`` is the way out."""
    slots = [*range(SLOW, FIRST), *range(PAIRS + SLOW, HEAD - 1)]
    common = base.weights["embed_tokens.weight"].mean(0, keepdim=True)
    common[:, -MARKS:] = 0
    per_group = base.heads_per_group
    for group in range(base.groups):
        random = torch.randn(base.hidden, len(slots))
        random[-MARKS:] = 0
        random -= common.T @ (common @ random) / common.norm() ** 2
        directions = torch.linalg.qr(random)[0].T
        first = group * HEAD
        layer.self_attn.k_proj.weight[[first + slot for slot in slots], : base.hidden] = directions
        _wire(
            layer,
            base,
            "k_proj",
            first + FIRST,
            {CONSTANT: -FAR, IN_QUERY: FAR, IN_DOCUMENT: -FAR, IS_DOCUMENT: FAR},
        )
        _wire(layer, base, "v_proj", first, {RARITY: 0.5})
        for head in range(per_group * group, per_group * (group + 1)):
            rows_of_head = [head * HEAD + slot for slot in slots]
            layer.self_attn.q_proj.weight[rows_of_head, : base.hidden] = directions
            _wire(layer, base, "q_proj", head * HEAD + FIRST, {SIZE: 2.2})
            _write(layer, base, MATCH, head * HEAD, SCALE / 4 / base.heads)
    layer.self_attn.q_norm.weight.fill_(2)


def sum_matches(layer: Qwen3DecoderLayer, base: Base) -> None:
    """Group 0 takes the mean match over the document, group 1 that of the best matched tokens."""
    head, first = base.heads_per_group * HEAD, HEAD
    _wire(layer, base, "k_proj", FIRST, {IN_DOCUMENT: 5})
    _wire(layer, base, "k_proj", SECOND, {CONSTANT: 1})
    _wire(layer, base, "q_proj", FIRST, {CONSTANT: 1})
    _wire(layer, base, "k_proj", first + FIRST, {IN_DOCUMENT: 4})
    _wire(layer, base, "k_proj", first + SECOND, {MATCH: 64 / SCALE})
    _wire(layer, base, "q_proj", head + FIRST, {CONSTANT: 1})
    _wire(layer, base, "q_proj", head + SECOND, {CONSTANT: 1})
    for group, column, mark in ((0, 0, MEAN), (1, head, BEST)):
        _wire(layer, base, "v_proj", group * HEAD, {MATCH: 1})
        _write(layer, base, mark, column, SCALE / 4)
    layer.self_attn.q_norm.weight.fill_(2)


def _spread(rows: Tensor) -> Tensor:
    """Move a head's 64 base rows (of its normed vector or projection) to where its 80 expect them."""
    spread = torch.zeros(HEAD, *rows.shape[1:])
    spread[:BASE_PAIRS], spread[PAIRS : PAIRS + BASE_PAIRS] = rows[:BASE_PAIRS], rows[BASE_PAIRS:]
    return spread


def copy_layer(layer: Qwen3DecoderLayer, base: Base, number: int) -> None:
    """Copy one layer of the base, with attention kept within the instructed query and within the document."""
    own = {name.removeprefix(f"layers.{number}."): value for name, value in base.weights.items()
           if name.startswith(f"layers.{number}.")}  # fmt: skip
    hidden = base.hidden
    shrink = (hidden / (hidden + MARKS)) ** 0.5
    for norm in ("input_layernorm", "post_attention_layernorm"):
        getattr(layer, norm).weight[:hidden] = own[f"{norm}.weight"] * shrink
    for name in ("q", "k", "v"):
        projection = getattr(layer.self_attn, f"{name}_proj").weight
        projection.zero_()
        heads = torch.split(own[f"self_attn.{name}_proj.weight"], BASE_HEAD)
        projection[:, :hidden] = torch.cat([_spread(rows) for rows in heads])
    layer.self_attn.o_proj.weight.zero_()
    columns = torch.split(own["self_attn.o_proj.weight"].T, BASE_HEAD)
    layer.self_attn.o_proj.weight[:hidden] = torch.cat([_spread(rows) for rows in columns]).T * SCALE
    norm_scale = ((HEAD / BASE_HEAD) ** 0.5 / (HEAD / BASE_HEAD)) ** 0.5
    for name in ("q_norm", "k_norm"):
        getattr(layer.self_attn, name).weight[:] = _spread(own[f"self_attn.{name}.weight"]) * norm_scale
        getattr(layer.self_attn, name).weight[[FIRST, SECOND]] = torch.tensor([32.0, 100.0])
    for head in range(base.heads):
        _wire(layer, base, "q_proj", head * HEAD + FIRST, {CONSTANT: 0.2})
        _wire(layer, base, "q_proj", head * HEAD + SECOND, {IN_DOCUMENT: 0.2})
    for group in range(base.groups):
        _wire(layer, base, "k_proj", group * HEAD + FIRST, {CONSTANT: -FAR, IN_INSTRUCT: FAR})
        _wire(layer, base, "k_proj", group * HEAD + SECOND, {IN_INSTRUCT: -NEAR, IN_DOCUMENT: NEAR})
    kept = strongest_units(own)
    for name in ("gate", "up"):
        projection = getattr(layer.mlp, f"{name}_proj").weight
        projection.zero_()
        projection[: len(kept), :hidden] = own[f"mlp.{name}_proj.weight"][kept]
    layer.mlp.down_proj.weight.zero_()
    layer.mlp.down_proj.weight[:hidden, : len(kept)] = own["mlp.down_proj.weight"][:, kept] * SCALE


def strongest_units(own: dict[str, Tensor]) -> Tensor:
    """Choose the :data:`UNITS` of an MLP that can add most to the hidden state, judged by their weights alone.

    Args:
        own: A layer's weights, by their names within the layer.
    """
    strength = own["mlp.down_proj.weight"].norm(dim=0)
    for name in ("gate", "up"):
        strength = strength * own[f"mlp.{name}_proj.weight"].norm(dim=1)
    return torch.sort(strength.topk(min(UNITS, len(strength))).indices).values


def compare(layer: Qwen3DecoderLayer, base: Base) -> None:
    """The last token fetches both embeddings and multiplies them."""
    hidden, share = base.hidden, COMPARED // base.groups
    layer.input_layernorm.weight[:hidden] = base.weights["norm.weight"]
    loud = 40 * SCALE
    for group in range(base.groups):
        first, heads = group * HEAD, group * base.heads_per_group
        _wire(layer, base, "k_proj", first + FIRST, {IS_DOCUMENT: 20})
        _wire(layer, base, "k_proj", first + SECOND, {IS_END: 20, IN_DOCUMENT: 20, CONSTANT: -20})
        _wire(layer, base, "k_proj", first + THIRD, {CONSTANT: 1})
        _wire(layer, base, "q_proj", heads * HEAD + FIRST, {CONSTANT: 1})
        _wire(layer, base, "q_proj", (heads + 1) * HEAD + SECOND, {CONSTANT: 1})
        for i in range(share):
            layer.self_attn.v_proj.weight[first + i, group * share + i] = 1
            layer.self_attn.o_proj.weight[group * share + i, heads * HEAD + i] = loud
            layer.self_attn.o_proj.weight[COMPARED + group * share + i, (heads + 1) * HEAD + i] = loud
    for column, (mark, read, head, value) in enumerate(
        ((MEAN, MEAN, 1, 20), (BEST, BEST, 1, 5), (BIAS, CONSTANT, 0, SCALE / 2)), share
    ):
        _wire(layer, base, "v_proj", column, {read: 1})
        _write(layer, base, mark, head * HEAD + column, value * loud)
    layer.self_attn.q_norm.weight.fill_(2)
    gate, up, down = (getattr(layer.mlp, f"{name}_proj").weight for name in ("gate", "up", "down"))
    for i in range(COMPARED):
        for unit, sign in ((2 * i, 1.0), (2 * i + 1, -1.0)):
            gate[unit], up[unit] = 0, 0
            gate[unit, i] = up[unit, COMPARED + i] = sign
            down[hidden + COSINE, unit] = 400 / COMPARED

"""Where the mini reranker's weights start: an embedding model that compares the two parts of its own prompt.

A reranker reads query and document in one prompt. The start wires the trained layers of the mini embedding model into
such a prompt, so that the first score is already the similarity of the two embeddings plus a lexical match; training
goes on from there. The layers, in order:

=========  ==============================================================================================
parts      Every token learns whether it stands after the template's ``Instruct``, ``Query`` and ``Document``.
matching   Each token of the document looks for its like among the query's tokens; it keeps how rare that is.
summing    The mean and the best of these matches are gathered.
base ...   The embedding model's own layers. Attention is kept within instruction and query and within the document,
           so ``Document`` ends up with the embedding of the instructed query and ``<|im_end|>`` with the document's:
           both stand where the embedding model expects its final ``<|endoftext|>``.
comparing  The last token fetches both embeddings; the gated MLP multiplies them, coordinate by coordinate.
=========  ==============================================================================================

The hidden size is that of the base plus :data:`MARKS` coordinates, the head size 80 instead of 64. With the rotary
base raised to the power 80 / 64, the first 32 coordinate pairs turn exactly as before and the rest hardly at all;
these carry the marks. All of this is ordinary Qwen3: nothing but weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import Qwen3Config, Qwen3ForCausalLM

from explorer.engine.prompts import END_OF_TEXT
from explorer.training.mini_reranker.marks import (
    ANSWERS,
    BASE_HEAD,
    CONSTANT,
    HEAD,
    IN_DOCUMENT,
    IS_DOCUMENT,
    IS_END,
    IS_INSTRUCT,
    IS_QUERY,
    MARKS,
    RARITY,
    SCALE,
    SIZE,
    UNITS,
    Base,
    read_base,
    template_token,
    token_rarity,
)
from explorer.training.mini_reranker.wiring import (
    compare,
    copy_layer,
    match_words,
    silence,
    stir,
    sum_matches,
    tell_parts,
)


def new_reranker(folder: Path, counts: Tensor, seed: int) -> Qwen3ForCausalLM:
    """Make the reranker in its starting state.

    Args:
        folder: An embedding model of the Qwen3 architecture with heads of 64.
        counts: Occurrences of each token in the training text [vocabulary].
        seed: Of the few random weights.

    Returns:
        A model in float32.
    """
    torch.manual_seed(seed)
    base = read_base(folder)
    model = Qwen3ForCausalLM(_config(base))
    layers = list(model.model.layers)
    with torch.no_grad():
        for layer in (*layers[:3], layers[-1]):
            silence(layer)
        _set_table(model.model.embed_tokens.weight, base, counts)
        tell_parts(layers[0], base, model.model.embed_tokens.weight)
        match_words(layers[1], base)
        sum_matches(layers[2], base)
        for number, layer in enumerate(layers[3:-1]):
            copy_layer(layer, base, number)
        compare(layers[-1], base)
        _read_answer(model.model.norm.weight, base)
        for layer in (*layers[:3], layers[-1]):
            stir(layer)
    return model


def _config(base: Base) -> Qwen3Config:
    given = base.config
    rotation: Any = given.rope_parameters
    theta = rotation["rope_theta"] ** (HEAD / BASE_HEAD)
    return Qwen3Config(
        vocab_size=given.vocab_size, hidden_size=base.hidden + MARKS, intermediate_size=UNITS,
        num_hidden_layers=given.num_hidden_layers + 4, num_attention_heads=given.num_attention_heads,
        num_key_value_heads=given.num_key_value_heads, head_dim=HEAD, tie_word_embeddings=True,
        max_position_embeddings=8192, rope_parameters={"rope_type": "default", "rope_theta": theta},
        rms_norm_eps=given.rms_norm_eps, initializer_range=0.02, bos_token_id=None,
        eos_token_id=base.tokenizer.token_to_id("<|im_end|>"),
        pad_token_id=base.tokenizer.token_to_id(END_OF_TEXT),
    )  # fmt: skip


def _set_table(table: Tensor, base: Base, counts: Tensor) -> None:
    rows, hidden = base.weights["embed_tokens.weight"].clone(), base.hidden
    end = rows[base.tokenizer.token_to_id(END_OF_TEXT)].clone()
    end *= max(1.0, 0.25 / float(end.norm()))
    instruct, query, document = (template_token(base, word) for word in ("Instruct", "Query", "Document"))
    closing = base.tokenizer.token_to_id("<|im_end|>")
    rows[[document, closing]] = end
    yes, no = (base.tokenizer.encode(word, add_special_tokens=False).ids[0] for word in ("yes", "no"))
    rows[[yes, no]] = rows[[yes, no]].mean(0)
    length = rows.norm(dim=1) * SCALE
    marks = torch.zeros(len(rows), MARKS)
    marks[:, CONSTANT] = 1
    marks[:, SIZE] = 0.12 * length
    marks[:, RARITY] = 0.12 * length * (length / length.max()) * token_rarity(counts) ** 2
    template = base.tokenizer.encode("<Instruct>:\n<Query>:\n<Document>:\n\n", add_special_tokens=False).ids
    marks[template + list(range(20)), RARITY] = 0
    marks[instruct, IS_INSTRUCT] = marks[query, IS_QUERY] = marks[document, IS_DOCUMENT] = 1
    marks[closing, IS_END] = 1
    marks[document, IN_DOCUMENT] = -1
    for mark in ANSWERS:
        marks[[yes, no], mark] = torch.tensor([0.5, -0.5])
    table[:, :hidden] = rows * SCALE
    table[:, hidden:] = marks


def _read_answer(norm: Tensor, base: Base) -> None:
    """Only the marks of the answer pass the last norm."""
    norm.zero_()
    for mark, weight in ANSWERS.items():
        norm[base.hidden + mark] = weight


def set_free_layers(backbone: Any) -> list[Tensor]:  # noqa: ANN401 - transformers' modules have no types of their own
    """Let only those weights learn that carry meaning, and keep the wiring as it is.

    Which part a token stands in is told to attention by small differences times large factors: a slight change there,
    or anything added to these marks on the way, and the parts run into each other. So the table, the first layer and
    all queries, keys and norms stay, and only the last layer may write to the marks.

    Args:
        backbone: ``Qwen3Model`` of a wired reranker; changed in place.

    Returns:
        The weights to train.
    """
    backbone.requires_grad_(False)
    layers: list[Any] = list(backbone.layers)
    free = [backbone.norm.weight]
    for layer in layers[1:]:
        written = [layer.self_attn.o_proj.weight, layer.mlp.down_proj.weight]
        read = [layer.self_attn.v_proj.weight, layer.mlp.gate_proj.weight, layer.mlp.up_proj.weight]
        for weight in (*written, *read):
            weight.requires_grad_(True)
        if layer is not layers[-1]:
            for weight in written:
                weight.register_hook(_without_marks)
        free += [*written, *read]
    backbone.norm.weight.requires_grad_(True)
    return free


def _without_marks(gradient: Tensor) -> Tensor:
    return torch.cat([gradient[:-MARKS], torch.zeros_like(gradient[-MARKS:])])

"""Where the mini reranker's weights start: an embedding model that compares the two parts of its own prompt.

A reranker reads query and document in one prompt. The start wires the trained layers of the mini embedding model into
such a prompt, so that the first score is already the similarity of the two embeddings plus a lexical match; training
goes on from there. The layers, in order:

=========  ==============================================================================================
parts      Every token learns whether it stands after the words ``Query`` and ``Document`` of the template.
matching   Each token of the document looks for its like among the query's tokens; it keeps how rare that is.
summing    The mean and the best of these matches are gathered.
base ...   The embedding model's own layers. Attention is kept within the query and within the document, so the
           word ``Document`` ends up with the embedding of the query and ``<|im_end|>`` with that of the document:
           both stand where the embedding model expects its final ``<|endoftext|>``.
comparing  The last token fetches both embeddings; the gated MLP multiplies them, coordinate by coordinate.
=========  ==============================================================================================

The hidden size is that of the base plus :data:`MARKS` coordinates, the head size 80 instead of 64. With the rotary
base raised to the power 80 / 64, the first 32 coordinate pairs turn exactly as before and the rest hardly at all;
these carry the marks. All of this is ordinary Qwen3: nothing but weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoConfig, Qwen3Config, Qwen3ForCausalLM

MARKS = 16
CONSTANT, SIZE, RARITY, IS_DOCUMENT, IS_QUERY, IS_END, IN_DOCUMENT, IN_QUERY, MATCH, MEAN, BEST, COSINE, BIAS, IS_FRAME = range(
    14
)
ANSWERS = {COSINE: 20.0, MEAN: 24.0, BEST: 0.0, BIAS: -2.0}
"""Marks that the answer is read from, and their first weights."""
HEAD, BASE_HEAD = 80, 64
PAIRS, BASE_PAIRS = HEAD // 2, BASE_HEAD // 2
SLOW = 20
"""From this pair on a head's coordinates turn by less than half a radian within a prompt."""
FIRST, SECOND, THIRD = PAIRS - 1, PAIRS - 2, PAIRS - 3
SCALE = 16.0
"""The base's hidden vectors are kept at this multiple, so that the marks hardly change their length."""
FAR = 30 * SCALE / 4
"""How strongly a key outside a token's own part is pushed away."""
COMPARED = 128
"""Leading coordinates of the two embeddings that are compared."""
FRAME = ("<", ">", ":", ">:", "\n", "\n\n", "x\n<")
"""Signs that the template puts around query and document; the base's layers look past them."""
_EMBEDDING_END = "<|endoftext|>"


@dataclass(frozen=True)
class Base:
    """An embedding model as it is read from its folder."""

    config: Qwen3Config
    weights: dict[str, Tensor]
    tokenizer: Tokenizer

    @property
    def hidden(self) -> int:
        """Size of its hidden vectors."""
        return int(self.config.hidden_size)


def read_base(folder: Path) -> Base:
    """Read an embedding model's configuration, weights (as float32) and tokenizer."""
    weights = {name.removeprefix("model."): value.float()
               for name, value in load_file(folder / "model.safetensors").items()}  # fmt: skip
    return Base(AutoConfig.from_pretrained(folder), weights, Tokenizer.from_file(str(folder / "tokenizer.json")))


def token_rarity(counts: Tensor) -> Tensor:
    """Rarity of each token between 0 (every tenth token) and 1 (one in a million).

    Args:
        counts: Occurrences of each token [vocabulary].

    Returns:
        Rarity [vocabulary].
    """
    share = (counts.float() + 0.5) / (counts.sum() + 0.5)
    return ((-share.log10() - 1) / 5).clamp(0, 1)


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
            _silence(layer)
        _set_table(model.model.embed_tokens.weight, base, counts)
        _tell_parts(layers[0], base)
        _match_words(layers[1], base)
        _sum_matches(layers[2], base)
        for number, layer in enumerate(layers[3:-1]):
            _copy_layer(layer, base, number)
        _compare(layers[-1], base)
        _read_answer(model.model.norm.weight, base)
        for layer in (*layers[:3], layers[-1]):
            _stir(layer)
    return model


def _config(base: Base) -> Qwen3Config:
    given = base.config
    theta = given.rope_parameters["rope_theta"] ** (HEAD / BASE_HEAD)
    return Qwen3Config(
        vocab_size=given.vocab_size, hidden_size=base.hidden + MARKS, intermediate_size=given.intermediate_size,
        num_hidden_layers=given.num_hidden_layers + 4, num_attention_heads=given.num_attention_heads,
        num_key_value_heads=given.num_key_value_heads, head_dim=HEAD, tie_word_embeddings=True,
        max_position_embeddings=8192, rope_parameters={"rope_type": "default", "rope_theta": theta},
        rms_norm_eps=given.rms_norm_eps, initializer_range=0.02, bos_token_id=None,
        eos_token_id=base.tokenizer.token_to_id("<|im_end|>"),
        pad_token_id=base.tokenizer.token_to_id(_EMBEDDING_END),
    )  # fmt: skip


def _silence(layer: nn.Module) -> None:
    """Let a layer add nothing, and its attention see nothing, until something is wired."""
    for part in ("q_proj", "k_proj", "v_proj", "o_proj"):
        getattr(layer.self_attn, part).weight.zero_()
    layer.mlp.down_proj.weight.zero_()


def _stir(layer: nn.Module) -> None:
    """Give heads that nothing was wired for small random queries, so that they can learn."""
    for rows in layer.self_attn.q_proj.weight.split(HEAD):
        if not rows.any():
            rows.normal_(0, 0.02)


def _token(base: Base, word: str) -> int:
    """The id of the last token of a word at the start of a text."""
    return int(base.tokenizer.encode(f"<{word}", add_special_tokens=False).ids[-1])


def _set_table(table: Tensor, base: Base, counts: Tensor) -> None:
    rows, hidden = base.weights["embed_tokens.weight"].clone(), base.hidden
    end = rows[base.tokenizer.token_to_id(_EMBEDDING_END)].clone()
    end *= max(1.0, 0.25 / float(end.norm()))
    document, query, closing = (_token(base, "Document"), _token(base, "Query"), base.tokenizer.token_to_id("<|im_end|>"))
    rows[[document, closing]] = end
    rows[query] = rows[base.tokenizer.encode(",", add_special_tokens=False).ids[0]]
    yes, no = (base.tokenizer.encode(word, add_special_tokens=False).ids[0] for word in ("yes", "no"))
    rows[[yes, no]] = rows[[yes, no]].mean(0)
    length = rows.norm(dim=1) * SCALE
    marks = torch.zeros(len(rows), MARKS)
    marks[:, CONSTANT] = 1
    marks[:, SIZE] = 0.12 * length
    marks[:, RARITY] = 0.12 * length * (length / length.max()) * token_rarity(counts) ** 2
    template = base.tokenizer.encode("<Instruct>:\n<Query>:\n<Document>:\n\n", add_special_tokens=False).ids
    marks[template + list(range(20)), RARITY] = 0
    marks[document, IS_DOCUMENT] = marks[query, IS_QUERY] = marks[closing, IS_END] = 1
    marks[document, IN_DOCUMENT] = -1
    marks[[query, *(base.tokenizer.encode(sign, add_special_tokens=False).ids[-1] for sign in FRAME)], IS_FRAME] = 1
    for mark in ANSWERS:
        marks[[yes, no], mark] = torch.tensor([0.5, -0.5])
    table[:, :hidden] = rows * SCALE
    table[:, hidden:] = marks


def _wire(layer: nn.Module, base: Base, part: str, row: int, values: dict[int, float]) -> None:
    """Let one coordinate of a projection read marks."""
    weight = getattr(layer.self_attn, part).weight
    for mark, value in values.items():
        weight[row, base.hidden + mark] = value


def _write(layer: nn.Module, base: Base, mark: int, column: int, value: float) -> None:
    """Let one coordinate of an attention head be added to a mark."""
    layer.self_attn.o_proj.weight[base.hidden + mark, column] = value


def _heads_per_group(base: Base) -> int:
    return int(base.config.num_attention_heads // base.config.num_key_value_heads)


def _tell_parts(layer: nn.Module, base: Base) -> None:
    """Group 0 finds the word ``Document``, group 1 the word ``Query``."""
    table_size = base.hidden + MARKS
    for group, (mark, part, word) in enumerate(
        ((IS_DOCUMENT, IN_DOCUMENT, "Document"), (IS_QUERY, IN_QUERY, "Query"))
    ):
        head = group * _heads_per_group(base)
        _wire(layer, base, "k_proj", group * HEAD + FIRST, {mark: 20})
        _wire(layer, base, "k_proj", group * HEAD + SECOND, {CONSTANT: 1})
        _wire(layer, base, "q_proj", head * HEAD + FIRST, {CONSTANT: 1})
        _wire(layer, base, "v_proj", group * HEAD, {mark: 1})
        row = _row(base, word)
        _write(layer, base, part, head * HEAD, float(row.norm()) / table_size**0.5)
    layer.self_attn.q_norm.weight.fill_(2)


def _row(base: Base, word: str) -> Tensor:
    """A row of the starting table, as :func:`_set_table` makes it."""
    table = torch.zeros(base.config.vocab_size, base.hidden + MARKS)
    _set_table(table, base, torch.ones(base.config.vocab_size))
    return table[_token(base, word)]


def _match_words(layer: nn.Module, base: Base) -> None:
    """Every head compares word vectors; keys outside the query are pushed away, and ``Document`` is the way out."""
    rows = base.weights["embed_tokens.weight"]
    slots = [*range(SLOW, FIRST), *range(PAIRS + SLOW, HEAD - 1)]
    common = rows.mean(0, keepdim=True)
    groups, per_group = base.config.num_key_value_heads, _heads_per_group(base)
    for group in range(groups):
        random = torch.randn(base.hidden, len(slots))
        random -= common.T @ (common @ random) / common.norm() ** 2
        directions = torch.linalg.qr(random)[0].T
        first = group * HEAD
        layer.self_attn.k_proj.weight[[first + slot for slot in slots], : base.hidden] = directions
        _wire(layer, base, "k_proj", first + FIRST, {CONSTANT: -FAR, IN_QUERY: FAR, IN_DOCUMENT: -FAR, IS_DOCUMENT: FAR})
        _wire(layer, base, "v_proj", first, {RARITY: 0.5})
        for head in range(per_group * group, per_group * (group + 1)):
            rows_of_head = [head * HEAD + slot for slot in slots]
            layer.self_attn.q_proj.weight[rows_of_head, : base.hidden] = directions
            _wire(layer, base, "q_proj", head * HEAD + FIRST, {SIZE: 2.2})
            _write(layer, base, MATCH, head * HEAD, SCALE / 4 / base.config.num_attention_heads)
    layer.self_attn.q_norm.weight.fill_(2)


def _sum_matches(layer: nn.Module, base: Base) -> None:
    """Group 0 takes the mean match over the document, group 1 that of the best matched tokens."""
    head, first = _heads_per_group(base) * HEAD, HEAD
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


def _copy_layer(layer: nn.Module, base: Base, number: int) -> None:
    """Copy one layer of the base, with attention kept within the query and within the document."""
    own = {name.removeprefix(f"layers.{number}."): value for name, value in base.weights.items()
           if name.startswith(f"layers.{number}.")}  # fmt: skip
    hidden = base.hidden
    shrink = (hidden / (hidden + MARKS)) ** 0.5
    for norm in ("input_layernorm", "post_attention_layernorm"):
        getattr(layer, norm).weight[:hidden] = own[f"{norm}.weight"] * shrink
    for name in ("q", "k", "v"):
        projection = getattr(layer.self_attn, f"{name}_proj").weight
        projection.zero_()
        heads = own[f"self_attn.{name}_proj.weight"].split(BASE_HEAD)
        projection[:, :hidden] = torch.cat([_spread(rows) for rows in heads])
    layer.self_attn.o_proj.weight.zero_()
    columns = own["self_attn.o_proj.weight"].T.split(BASE_HEAD)
    layer.self_attn.o_proj.weight[:hidden] = torch.cat([_spread(rows) for rows in columns]).T * SCALE
    norm_scale = ((HEAD / BASE_HEAD) ** 0.5 / (HEAD / BASE_HEAD)) ** 0.5
    for name in ("q_norm", "k_norm"):
        getattr(layer.self_attn, name).weight[:] = _spread(own[f"self_attn.{name}.weight"]) * norm_scale
        getattr(layer.self_attn, name).weight[[FIRST, SECOND]] = 32
    for head in range(base.config.num_attention_heads):
        _wire(layer, base, "q_proj", head * HEAD + FIRST, {CONSTANT: 0.2})
        _wire(layer, base, "q_proj", head * HEAD + SECOND, {IN_DOCUMENT: 0.2})
    for group in range(base.config.num_key_value_heads):
        _wire(layer, base, "k_proj", group * HEAD + FIRST, {CONSTANT: -FAR, IN_QUERY: FAR, IS_FRAME: -FAR})
        _wire(layer, base, "k_proj", group * HEAD + SECOND, {IN_QUERY: -FAR, IN_DOCUMENT: FAR})
    for name in ("gate", "up"):
        projection = getattr(layer.mlp, f"{name}_proj").weight
        projection.zero_()
        projection[:, :hidden] = own[f"mlp.{name}_proj.weight"]
    layer.mlp.down_proj.weight.zero_()
    layer.mlp.down_proj.weight[:hidden] = own["mlp.down_proj.weight"] * SCALE


def _compare(layer: nn.Module, base: Base) -> None:
    """The last token fetches both embeddings and multiplies them."""
    hidden, share = base.hidden, COMPARED // base.config.num_key_value_heads
    layer.input_layernorm.weight[:hidden] = base.weights["norm.weight"]
    loud = 40 * SCALE
    for group in range(base.config.num_key_value_heads):
        first, heads = group * HEAD, group * _heads_per_group(base)
        _wire(layer, base, "k_proj", first + FIRST, {IS_DOCUMENT: 20})
        _wire(layer, base, "k_proj", first + SECOND, {IS_END: 20, IN_DOCUMENT: 20, CONSTANT: -20})
        _wire(layer, base, "k_proj", first + THIRD, {CONSTANT: 1})
        _wire(layer, base, "q_proj", heads * HEAD + FIRST, {CONSTANT: 1})
        _wire(layer, base, "q_proj", (heads + 1) * HEAD + SECOND, {CONSTANT: 1})
        for i in range(share):
            layer.self_attn.v_proj.weight[first + i, group * share + i] = 1
            layer.self_attn.o_proj.weight[group * share + i, heads * HEAD + i] = loud
            layer.self_attn.o_proj.weight[COMPARED + group * share + i, (heads + 1) * HEAD + i] = loud
    for column, (mark, read, value) in enumerate(((MEAN, MEAN, 20), (BEST, BEST, 5), (BIAS, CONSTANT, SCALE / 2)), share):
        _wire(layer, base, "v_proj", column, {read: 1})
        _write(layer, base, mark, HEAD + column, value * loud)
    layer.self_attn.q_norm.weight.fill_(2)
    gate, up, down = (getattr(layer.mlp, f"{name}_proj").weight for name in ("gate", "up", "down"))
    for i in range(COMPARED):
        for unit, sign in ((2 * i, 1.0), (2 * i + 1, -1.0)):
            gate[unit], up[unit] = 0, 0
            gate[unit, i] = up[unit, COMPARED + i] = sign
            down[hidden + COSINE, unit] = 400 / COMPARED


def _read_answer(norm: Tensor, base: Base) -> None:
    """Only the marks of the answer pass the last norm."""
    norm.zero_()
    for mark, weight in ANSWERS.items():
        norm[base.hidden + mark] = weight

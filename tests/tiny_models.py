"""Tiny random-weight Qwen3 models, written to real folders as a person would download them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import Qwen3Config, Qwen3ForCausalLM

ModelFactory = Callable[..., Path]
"""Writes a tiny model of the given fields, each kind once a run, and gives its folder."""

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>")
# The pre-tokenisation pattern of the published Qwen tokenizers.
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHAT_TEMPLATE = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}"
    "{%- endfor %}"
)
SENTENCES = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct provided.",
    'Note that the answer can only be "yes" or "no". yes no yes no yes no system user assistant',
    "Given a web search query, retrieve relevant passages that answer the query",
    "The capital of China is Beijing. Paris is the capital of France. Gravity pulls bodies together.",
    "北京是中国的首都。巴黎是法国的首都。苹果是一种水果。",
)


@dataclass(frozen=True)
class TinyModel:
    """What a test model looks like; every field differs from what a shortcut would guess."""

    family: str = "embedding"
    layers: int = 2
    hidden: int = 48
    intermediate: int = 96
    heads: int = 4
    key_value_heads: int = 2
    head_dim: int = 16  # hidden / heads would be 12
    tied: bool = True
    architecture: str | None = None
    prefixed: bool | None = None
    ends_text: bool | None = None  # as published: embedding tokenizers end the text, rerankers' do not
    shards: int = 1
    dtype: torch.dtype = torch.float32
    context: int = 2048
    seed: int = 0


def make_tokenizer(ends_text: bool) -> Tokenizer:
    """Train a byte-level tokenizer of the Qwen form on a few sentences."""
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(PATTERN), behavior="isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in SPECIAL],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES * 8, trainer)
    if ends_text:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="$A <|endoftext|>", special_tokens=[("<|endoftext|>", 0)]
        )
    return tokenizer


def write_model(folder: Path, tiny: TinyModel) -> Path:
    """Write a model folder: configuration, safetensors and tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    ends_text = tiny.family == "embedding" if tiny.ends_text is None else tiny.ends_text
    tokenizer = make_tokenizer(ends_text)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "padding_side": "left",
        "model_max_length": tiny.context,
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    config = Qwen3Config(
        vocab_size=tokenizer.get_vocab_size() + 11,
        hidden_size=tiny.hidden,
        intermediate_size=tiny.intermediate,
        num_hidden_layers=tiny.layers,
        num_attention_heads=tiny.heads,
        num_key_value_heads=tiny.key_value_heads,
        head_dim=tiny.head_dim,
        max_position_embeddings=tiny.context,
        tie_word_embeddings=tiny.tied,
        pad_token_id=0,
    )
    values = config.to_dict() | {
        "architectures": [tiny.architecture or "Qwen3ForCausalLM"],
        "dtype": str(tiny.dtype).removeprefix("torch."),
    }
    (folder / "config.json").write_text(json.dumps(values))
    _write_weights(folder, tiny, config, tokenizer)
    return folder


def _write_weights(folder: Path, tiny: TinyModel, config: Qwen3Config, tokenizer: Tokenizer) -> None:
    """Draw random weights lively enough that every part of the model moves the result."""
    torch.manual_seed(tiny.seed)
    model = Qwen3ForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.15) if parameter.ndim == 2 else parameter.normal_(1, 0.1)
    tensors = {key: value.to(tiny.dtype).clone() for key, value in model.state_dict().items()}
    head = tensors.pop("lm_head.weight")
    if tiny.architecture == "Qwen3ForSequenceClassification":
        yes, no = (tokenizer.token_to_id(word) for word in ("yes", "no"))
        tensors["score.weight"] = (head[yes] - head[no])[None].clone()
    elif not tiny.tied and tiny.architecture != "Qwen3Model":
        tensors["lm_head.weight"] = head
    prefixed = tiny.family == "reranker" if tiny.prefixed is None else tiny.prefixed
    if not prefixed:
        tensors = {key.removeprefix("model."): value for key, value in tensors.items()}
    if tiny.shards == 1:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return
    names = sorted(tensors)
    weight_map = {}
    for shard in range(tiny.shards):
        file = f"model-{shard + 1:05d}-of-{tiny.shards:05d}.safetensors"
        chosen = names[shard :: tiny.shards]
        save_file({name: tensors[name] for name in chosen}, folder / file, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(chosen, file)
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": weight_map})
    )

"""Tiny random-weight Qwen3 models, written to real folders as a person would download them."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import Qwen3Config, Qwen3ForCausalLM

from explorer.models.loading import LoadedModel, load_model

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


@pytest.fixture(scope="session", autouse=True)
def fence() -> Iterator[None]:
    """Refuse every connection that would leave this machine, for the whole run."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else "localhost"
        if host not in {"localhost", "127.0.0.1", "::1"}:
            raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_here)
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        yield


# Models this small are slower on many threads than on one.
torch.set_num_threads(1)

ModelFactory = Callable[..., Path]


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> ModelFactory:
    """Write tiny models, each kind once a session: ``make_model(family="reranker", tied=False)``."""
    root = tmp_path_factory.mktemp("models")
    written: dict[TinyModel, Path] = {}

    def make(**fields: object) -> Path:
        tiny = replace(TinyModel(), **fields)
        if tiny not in written:
            written[tiny] = write_model(root / f"tiny-{tiny.family}-{len(written)}", tiny)
        return written[tiny]

    return make


@pytest.fixture(scope="session")
def tiny_embedding(make_model: ModelFactory) -> LoadedModel:
    """A loaded tiny embedding model."""
    return load_model(str(make_model()), "embedding", "cpu")


@pytest.fixture(scope="session")
def tiny_reranker(make_model: ModelFactory) -> LoadedModel:
    """A loaded tiny reranker."""
    return load_model(str(make_model(family="reranker", tied=False)), "reranker", "cpu")

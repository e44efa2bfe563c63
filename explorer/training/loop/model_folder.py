"""Write model folders: what the explorer, transformers and, for embedding models, sentence-transformers load."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from transformers import PreTrainedModel, Qwen3ForCausalLM, Qwen3Model

from explorer.engine.prompts import DEFAULT_INSTRUCTION, embedding_query
from explorer.engine.runner import DEFAULT_MAX_LENGTH
from explorer.errors import InputError, ModelLoadError
from explorer.models.weights import shard_files
from explorer.texts import LANGUAGES, say
from explorer.training.loop.checkpoint import publish, reason, unfinished_name

_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
)
_MODULES = (
    ("", "sentence_transformers.models.Transformer"),
    ("1_Pooling", "sentence_transformers.models.Pooling"),
    ("2_Normalize", "sentence_transformers.models.Normalize"),
)


@dataclass(frozen=True)
class ModelCard:
    """What a trained model's ``README.md`` says.

    Attributes:
        title: The model's name.
        base: Name of the model it was trained from.
        pairs: Number of pairs.
        sources: How many pairs came from where, by name.
        plan: Every setting of the training, by name.
    """

    title: str
    base: str
    pairs: int
    sources: Mapping[str, int] = field(default_factory=dict)
    plan: Mapping[str, object] = field(default_factory=dict)

    def markdown(self) -> str:
        """Write the card, in English and Chinese."""
        parts = [f"---\nbase_model: {json.dumps(self.base)}\n---\n\n# {self.title}"]
        for language in LANGUAGES:
            sources = [f"- {name}: {count}" for name, count in self.sources.items()]
            settings = [f"- `{name}`: {value}" for name, value in self.plan.items()]
            parts += [
                say("trainer.card_about", language, base=self.base, pairs=self.pairs),
                say("trainer.card_sources", language) + "\n\n" + "\n".join(sources),
                say("trainer.card_plan", language) + "\n\n" + "\n".join(settings),
            ]
        return "\n\n".join(parts) + "\n"


def write_embedding(
    model: Qwen3Model,
    tokenizer: Path,
    folder: Path,
    card: ModelCard | None = None,
    dtype: torch.dtype = torch.bfloat16,
    instruction: str = DEFAULT_INSTRUCTION,
) -> Path:
    """Write an embedding model for the explorer and for sentence-transformers.

    Args:
        model: The weights, on any device; they are not changed.
        tokenizer: Folder of the base, whose tokenizer files are copied; it is only read.
        folder: Where to write; a model that is there is replaced once the new one is whole.
        card: What ``README.md`` says; None writes none.
        dtype: Number format of the file.
        instruction: Task of sentence-transformers' prompt named ``query``.

    Returns:
        The folder.

    Raises:
        InputError: The folder is the base itself, or cannot be written.
    """

    def extras(place: Path) -> None:
        _write_sentence_transformers(place, model, instruction)

    return _write(model, tokenizer, folder, card, dtype, extras)


def write_reranker(
    model: Qwen3ForCausalLM,
    tokenizer: Path,
    folder: Path,
    card: ModelCard | None = None,
    dtype: torch.dtype = torch.bfloat16,
) -> Path:
    """Write a reranker, its head tied to the token table or not, as the model has it.

    Args:
        model: The weights, on any device; they are not changed.
        tokenizer: Folder of the base, whose tokenizer files are copied; it is only read.
        folder: Where to write; a model that is there is replaced once the new one is whole.
        card: What ``README.md`` says; None writes none.
        dtype: Number format of the file.

    Returns:
        The folder.

    Raises:
        InputError: The folder is the base itself, or cannot be written.
    """
    return _write(model, tokenizer, folder, card, dtype, lambda place: None)


def stored_dtype(folder: Path) -> torch.dtype:
    """Look up the number format of a model's files.

    Args:
        folder: A model's folder.

    Returns:
        That of its first tensor.

    Raises:
        ModelLoadError: It has no safetensors, or they cannot be read.
    """
    first = shard_files(folder)[0]
    try:
        with safe_open(str(first), framework="pt", device="cpu") as file:
            found: torch.dtype = file.get_tensor(min(file.keys())).dtype
            return found
    except (OSError, SafetensorError) as error:
        raise ModelLoadError("models.weights_corrupt", file=first.name) from error


def refuse_base(base: Path, folder: Path) -> None:
    """Refuse to write a model over the one it was trained from.

    Args:
        base: The base model's folder.
        folder: Where the new one is to go.

    Raises:
        InputError: Both are the same folder, or one lies in the other.
    """
    first, second = base.resolve(), folder.resolve()
    if first == second or first in second.parents or second in first.parents:
        raise InputError("trainer.out_is_base", folder=folder.name)


def _write(
    model: PreTrainedModel,
    tokenizer: Path,
    folder: Path,
    card: ModelCard | None,
    dtype: torch.dtype,
    extras: Callable[[Path], None],
) -> Path:
    """Write everything beside the final place and put it there when it is whole."""
    refuse_base(tokenizer, folder)
    unfinished = folder.with_name(unfinished_name(folder.name))
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _write_weights(unfinished, model, dtype)
        for name in _TOKENIZER_FILES:
            if (tokenizer / name).exists():
                shutil.copyfile(tokenizer / name, unfinished / name)
        extras(unfinished)
        if card is not None:
            (unfinished / "README.md").write_text(card.markdown(), "utf-8")
        publish(unfinished, folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise InputError("trainer.not_written", folder=folder.name, reason=reason(error)) from error
    return folder


def _write_weights(folder: Path, model: PreTrainedModel, dtype: torch.dtype) -> None:
    config = deepcopy(model.config)
    config.architectures = [type(model).__name__]
    config.dtype = dtype
    config.save_pretrained(folder)
    tied = bool(config.tie_word_embeddings)
    tensors = {
        name: tensor.detach().to("cpu", dtype).contiguous()
        for name, tensor in model.state_dict().items()
        if not (tied and name == "lm_head.weight")
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def _write_sentence_transformers(folder: Path, model: Qwen3Model, instruction: str) -> None:
    modules = [
        {"idx": index, "name": str(index), "path": path, "type": kind}
        for index, (path, kind) in enumerate(_MODULES)
    ]
    pooling = {
        "word_embedding_dimension": int(model.config.hidden_size),
        "pooling_mode_mean_tokens": False,  # older readers take a missing one for true
        "pooling_mode_lasttoken": True,
        "include_prompt": True,
    }
    prompts = {
        "prompts": {"query": embedding_query(instruction, ""), "document": ""},
        "default_prompt_name": None,
        "similarity_fn_name": "cosine",
    }
    longest = min(int(model.config.max_position_embeddings), DEFAULT_MAX_LENGTH)
    _write_json(folder / "modules.json", modules)
    _write_json(folder / "1_Pooling" / "config.json", pooling)
    _write_json(folder / "config_sentence_transformers.json", prompts)
    _write_json(folder / "sentence_bert_config.json", {"max_seq_length": longest, "do_lower_case": False})


def _write_json(file: Path, content: object) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

"""A model folder as its parts: configuration, tokenizer and tensors, without running it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from transformers import Qwen3Config, Qwen3ForCausalLM, Qwen3Model

from explorer.engine.prompts import END_OF_TEXT
from explorer.errors import InputError, ModelLoadError
from explorer.models.checks import read_config
from explorer.models.tokenizer import read_tokenizer
from explorer.models.weights import shard_files
from explorer.provenance import Family
from explorer.training.merging.slerp import StateDict

_BACKBONE = "model."
_HEAD = "lm_head.weight"
_OUTSIDE = ("_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version", "use_cache")
"""Entries of a configuration that say nothing about what the weights compute."""


@dataclass(frozen=True)
class ModelState:
    """A model folder's content.

    Attributes:
        folder: Where it was read from.
        family: What the model is used as.
        config: Its shape.
        tokenizer: Its tokenizer, without truncation or padding.
        tokenizer_digest: Tells its ``tokenizer.json`` from any other.
        tensors: The backbone's tensors by their names in ``Qwen3Model``, in the stored number format, and an untied
            head as ``lm_head.weight``.
    """

    folder: Path
    family: Family
    config: Qwen3Config
    tokenizer: Tokenizer
    tokenizer_digest: str
    tensors: StateDict

    def shape(self) -> dict[str, object]:
        """List the entries of the configuration that two models must share to be merged."""
        return {name: value for name, value in self.config.to_dict().items() if name not in _OUTSIDE}


def read_state(folder: Path) -> ModelState:
    """Read a model folder of either family.

    Args:
        folder: The folder. It is an embedding model when it declares the bare architecture, brings
            sentence-transformers' files, or its tokenizer ends texts with ``<|endoftext|>``; else a reranker.

    Returns:
        Its parts, the tensors on the CPU.

    Raises:
        ModelLoadError: A file is missing or damaged, or the folder is no model of the family's architecture.
        InputError: It is a sequence-classification conversion.
    """
    try:
        checked = read_config(folder, "embedding")
    except ModelLoadError as error:
        if error.key != "models.family_not_embedding":
            raise
        raise InputError("merging.classifier", folder=folder.name) from error
    tokenizer, digest = read_tokenizer(folder, checked.config.vocab_size)
    ends = tokenizer.encode("a").ids[-1:] == [tokenizer.token_to_id(END_OF_TEXT)]
    bare = checked.architecture == "Qwen3Model" or (folder / "modules.json").exists()
    family: Family = "embedding" if bare or ends else "reranker"
    return ModelState(
        folder, family, checked.config, tokenizer, digest, _tensors(folder, checked.config, family)
    )


def backbone_of(state: ModelState) -> Qwen3Model:
    """Build an embedding model in float32 on the CPU, in evaluation mode, ready to be given tensors.

    Args:
        state: Whose shape and tensors it gets.

    Returns:
        The model, which shares no memory with the state.
    """
    model = Qwen3Model(state.config)
    model.load_state_dict(state.tensors)
    model.requires_grad_(False)
    model.train(mode=False)
    return model


def model_of(state: ModelState, tensors: StateDict) -> Qwen3Model | Qwen3ForCausalLM:
    """Build a model around tensors without copying them, to be written or trained.

    Args:
        state: Its family and shape.
        tensors: Named as in :class:`ModelState`.

    Returns:
        ``Qwen3Model`` for embedding models, ``Qwen3ForCausalLM`` for rerankers, in the tensors' number format.
    """
    with torch.device("meta"):
        kind = Qwen3Model if state.family == "embedding" else Qwen3ForCausalLM
        model: Qwen3Model | Qwen3ForCausalLM = kind(state.config)
    backbone = model if isinstance(model, Qwen3Model) else model.model
    backbone.load_state_dict({name: part for name, part in tensors.items() if name != _HEAD}, assign=True)
    backbone.rotary_emb = type(backbone.rotary_emb)(config=state.config)
    if isinstance(model, Qwen3ForCausalLM):
        head = tensors.get(_HEAD, backbone.embed_tokens.weight)
        model.lm_head.weight = head if isinstance(head, torch.nn.Parameter) else torch.nn.Parameter(head)
    return model


def _tensors(folder: Path, config: Qwen3Config, family: Family) -> dict[str, Tensor]:
    """Read the tensors that the architecture has a place for."""
    with torch.device("meta"):
        wanted = dict(Qwen3Model(config).state_dict())
    if family == "reranker" and not config.tie_word_embeddings:
        wanted[_HEAD] = wanted["embed_tokens.weight"]
    found: dict[str, Tensor] = {}
    for path in shard_files(folder):
        try:
            stored = load_file(path)
        except (OSError, SafetensorError) as error:
            raise ModelLoadError("models.weights_corrupt", file=path.name) from error
        found |= {name.removeprefix(_BACKBONE): tensor for name, tensor in stored.items()}
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        raise ModelLoadError("models.weights_incomplete", count=len(missing), tensor=missing[0])
    for name, tensor in wanted.items():
        if found[name].shape != tensor.shape:
            raise ModelLoadError("models.weights_shape", tensor=name)
    return {name: found[name] for name in wanted}

"""One set of random weights, shared by every contestant: this project's engine, and plain transformers models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import Qwen3Config, Qwen3ForCausalLM

from explorer.models.catalog import Checkpoint
from explorer.models.checks import read_config
from explorer.models.devices import dtype_name
from explorer.models.loading import LoadedModel
from explorer.models.tokenizer import answer_token, read_tokenizer
from explorer.models.weights import build_backbone
from explorer.provenance import Family, Provenance
from tests.benchmarks.templates import RERANK_TEMPLATE
from tests.tiny_models import make_tokenizer

FAMILIES: tuple[Family, ...] = ("embedding", "reranker")


@dataclass(frozen=True)
class RandomModel:
    """A random decoder as this project loads it, and what plain transformers models are built from.

    Attributes:
        embedding: For this project's embedder.
        reranker: For this project's reranker; its parameters are the same tensors.
        table: The language-model head, [vocabulary, hidden].
        folders: For each family, configuration and tokenizer as on a hub, with no weights.
    """

    embedding: LoadedModel
    reranker: LoadedModel
    table: torch.Tensor
    folders: dict[Family, Path]

    @property
    def checkpoint(self) -> Checkpoint:
        """Its shape."""
        return self.reranker.checkpoint

    @property
    def device(self) -> torch.device:
        """Where it lies."""
        return self.reranker.device

    @property
    def dtype(self) -> torch.dtype:
        """What its weights are."""
        return self.reranker.dtype

    def causal(self, use_cache: bool) -> Qwen3ForCausalLM:
        """Build a transformers model over the same tensors, with stock SDPA.

        Args:
            use_cache: Whether keys and values are kept for later tokens: transformers' default, which
                sentence-transformers switches off.

        Returns:
            The whole language model.
        """
        config = Qwen3Config.from_pretrained(self.folders["reranker"], dtype=self.dtype, use_cache=use_cache)
        with torch.device("meta"):
            causal = Qwen3ForCausalLM(config)
        for name, parameter in self.reranker.backbone.named_parameters():
            place(causal.model, name, parameter)
        place(causal, "lm_head.weight", self.table)
        causal.model.rotary_emb = type(causal.model.rotary_emb)(config=config).to(self.device)
        causal.set_attn_implementation("sdpa")
        return causal.eval()


@contextmanager
def random_model(shape: Checkpoint, device: torch.device, dtype: torch.dtype) -> Iterator[RandomModel]:
    """Build a model on the meta device and draw its weights where they will stay.

    Args:
        shape: Its size.
        device: Where it runs.
        dtype: What its weights are.

    Yields:
        The model; its folders are removed afterwards.
    """
    with TemporaryDirectory() as temporary:
        folders = {family: _write_folder(Path(temporary) / family, shape, family) for family in FAMILIES}
        checked = {family: read_config(folders[family], family) for family in FAMILIES}
        backbone = build_backbone(checked["reranker"], device)
        twin = build_backbone(checked["embedding"], device)
        generator = torch.Generator(device).manual_seed(0)
        for name, parameter in list(backbone.named_parameters()):
            drawn = _draw(parameter.shape, device, dtype, generator)
            for module in (backbone, twin):
                place(module, name, drawn)
        table = backbone.get_parameter("embed_tokens.weight")
        if not shape.tied_head:
            table = _draw(table.shape, device, dtype, generator)
        embedding, reranker = (
            _loaded(module, family, folders[family], table, shape)
            for module, family in ((twin, FAMILIES[0]), (backbone, FAMILIES[1]))
        )
        yield RandomModel(embedding, reranker, table, folders)


def _write_folder(folder: Path, shape: Checkpoint, family: Family) -> Path:
    """Write configuration and tokenizer; the token table may have more rows than the tokenizer uses."""
    folder.mkdir()
    config = Qwen3Config(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.query_heads,
        num_key_value_heads=shape.key_value_heads,
        head_dim=shape.head_dim,
        max_position_embeddings=shape.context,
        tie_word_embeddings=shape.tied_head,
        pad_token_id=0,
    )
    architecture = "Qwen3ForCausalLM" if family == "reranker" else "Qwen3Model"
    (folder / "config.json").write_text(json.dumps(config.to_dict() | {"architectures": [architecture]}))
    make_tokenizer(ends_text=family == "embedding").save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "padding_side": "left",
        "model_max_length": shape.context,
    }
    if family == "reranker":
        settings["chat_template"] = RERANK_TEMPLATE
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


def _draw(
    size: torch.Size, device: torch.device, dtype: torch.dtype, generator: torch.Generator
) -> torch.Tensor:
    """Draw a matrix that keeps the size of what it multiplies, or a norm near one."""
    drawn = torch.empty(size, device=device, dtype=dtype)
    if len(size) == 1:
        return drawn.normal_(1, 0.1, generator=generator)
    return drawn.normal_(0, size[-1] ** -0.5, generator=generator)


def place(module: nn.Module, name: str, tensor: torch.Tensor) -> None:
    """Put a tensor in its place in a module without copying it."""
    owner, _, attribute = name.rpartition(".")
    setattr(module.get_submodule(owner), attribute, nn.Parameter(tensor, requires_grad=False))


def _loaded(
    backbone: nn.Module, family: Family, folder: Path, table: torch.Tensor, shape: Checkpoint
) -> LoadedModel:
    """Describe a model as this project's loader would."""
    tokenizer, _ = read_tokenizer(folder, shape.vocabulary)
    provenance = Provenance(
        model=f"random {shape.size}",
        family=family,
        weights="other",
        fingerprint="random",
        dtype=dtype_name(table.dtype),
        device=str(table.device),
        attention="sdpa",
    )
    head = _head(table, tokenizer) if family == "reranker" else None
    checkpoint = replace(shape, family=family)
    return LoadedModel(backbone, tokenizer, head, provenance, checkpoint, table.device, table.dtype)


def _head(table: torch.Tensor, tokenizer: Tokenizer) -> torch.Tensor:
    """Take the rows of the two answers."""
    return table[[answer_token(tokenizer, word) for word in ("no", "yes")]].float()

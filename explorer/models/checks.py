"""Reading a model's ``config.json`` with care, before anything is built from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import Qwen3Config

from explorer.errors import ModelLoadError
from explorer.models.catalog import LICENCES, Checkpoint
from explorer.provenance import Family, Weights

ARCHITECTURES = ("Qwen3Model", "Qwen3ForCausalLM", "Qwen3ForSequenceClassification")
"""The heads a folder may declare; all share one backbone."""

LONGEST_CONTEXT = 32768
"""Tokens the published models were made for; a larger number in a config is position room, not training."""

_FORBIDDEN = ("auto_map", "quantization_config", "_attn_implementation_internal", "_attn_implementation")


@dataclass(frozen=True)
class CheckedConfig:
    """A configuration that passed every check.

    Attributes:
        config: The transformers configuration of the backbone.
        architecture: One of :data:`ARCHITECTURES`.
        raw: The bytes of ``config.json``, for the fingerprint.
    """

    config: Qwen3Config
    architecture: str
    raw: bytes

    def checkpoint(self, name: str, family: Family, weights: Weights, revision: str | None) -> Checkpoint:
        """Describe the shape as the catalogue does.

        Args:
            name: What a reader sees.
            family: What the model is used as.
            weights: Who made the weights.
            revision: Commit of the repository, or None.

        Returns:
            The checkpoint.
        """
        config = self.config
        return Checkpoint(
            name=name,
            family=family,
            weights=weights,
            size=name.rsplit("-", 1)[-1] if weights == "published" else "",
            layers=config.num_hidden_layers,
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            query_heads=config.num_attention_heads,
            key_value_heads=config.num_key_value_heads or config.num_attention_heads,
            head_dim=config.head_dim,
            vocabulary=config.vocab_size,
            tied_head=bool(config.tie_word_embeddings),
            context=min(config.max_position_embeddings, LONGEST_CONTEXT),
            licence=LICENCES[weights],
            revision=revision,
        )


def read_config(folder: Path, family: Family) -> CheckedConfig:
    """Read ``config.json`` and refuse what the explorer must not or cannot run.

    Args:
        folder: The model's folder.
        family: What the model is to be used as.

    Returns:
        The checked configuration.

    Raises:
        ModelLoadError: The file is missing or unreadable, brings its own code, is quantised, or is another
            architecture or family.
    """
    path = folder / "config.json"
    try:
        raw = path.read_bytes()
        values = json.loads(raw)
    except FileNotFoundError as error:
        raise ModelLoadError("models.config_missing", folder=folder.name) from error
    except (OSError, ValueError) as error:
        raise ModelLoadError("models.config_unreadable", folder=folder.name) from error
    if not isinstance(values, dict):
        raise ModelLoadError("models.config_unreadable", folder=folder.name)
    architecture = _architecture(values, folder)
    _check_family(architecture, family, folder)
    return CheckedConfig(config=_build(values, folder), architecture=architecture, raw=raw)


def _architecture(values: dict[str, Any], folder: Path) -> str:
    """Name the declared architecture after refusing everything outside the family."""
    for key in _FORBIDDEN:
        if values.get(key):
            raise ModelLoadError("models.config_forbidden", folder=folder.name, entry=key)
    declared = values.get("architectures")
    first = declared[0] if isinstance(declared, list) and declared else None
    if values.get("model_type") != "qwen3" or first not in ARCHITECTURES:
        found = f"{first or '?'} ({values.get('model_type') or '?'})"
        raise ModelLoadError("models.architecture_wrong", folder=folder.name, found=found)
    return str(first)


def _check_family(architecture: str, family: Family, folder: Path) -> None:
    """Refuse a reranker offered as an embedding model, and the reverse, where the config tells."""
    if family == "embedding" and architecture == "Qwen3ForSequenceClassification":
        raise ModelLoadError("models.family_not_embedding", folder=folder.name)
    if family == "reranker" and architecture == "Qwen3Model":
        raise ModelLoadError("models.family_not_reranker", folder=folder.name)


def _build(values: dict[str, Any], folder: Path) -> Qwen3Config:
    """Make the transformers configuration and check the numbers it will build from."""
    public = {key: value for key, value in values.items() if not key.startswith("_")}
    try:
        config = Qwen3Config.from_dict(public)
    except Exception as error:  # transformers raises many kinds for a malformed field
        raise ModelLoadError("models.config_unusable", folder=folder.name, entry=str(error)[:200]) from error
    counts = ("num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads", "vocab_size")
    for key in (*counts, "num_key_value_heads", "head_dim", "max_position_embeddings"):
        value = getattr(config, key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ModelLoadError(
                "models.config_unusable", folder=folder.name, entry=f"{key} = {value!r}"[:200]
            )
    if config.num_attention_heads % (config.num_key_value_heads or 1):
        raise ModelLoadError("models.config_unusable", folder=folder.name, entry="num_key_value_heads")
    if any(kind != "full_attention" for kind in config.layer_types or ()):
        raise ModelLoadError("models.config_forbidden", folder=folder.name, entry="use_sliding_window")
    return config

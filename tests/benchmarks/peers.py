"""The others: the model cards' own code, and sentence-transformers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.base.modules import Transformer
from sentence_transformers.cross_encoder.modules import LogitScore
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
from torch.nn.functional import normalize
from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM, Qwen3Model

from explorer.provenance import Family
from tests.benchmarks.weights import RandomModel
from tests.engine.qwen3_reference import PREFIX, SUFFIX, TASK

Array = NDArray[np.float32]
Run = Callable[[Sequence[str]], Array]

CARD_BATCH = 8
"""Texts in a batch of the model card's code, as in the official evaluation."""

CARD = f"model card, batch {CARD_BATCH}"

PEER_BATCHES = {"cpu": (8, 32), "cuda": (32, 128), "mps": (8, 32)}
"""Batch sizes that sentence-transformers is given; 32 is its own default."""

_MAX_LENGTH = 8192


def card_reranker(model: RandomModel, query: str) -> Run:
    """The model card's transformers code in arrival order: left padding, logits at every position.

    Args:
        model: The weights.
        query: What is searched for.

    Returns:
        Documents to log-odds.
    """
    tokenizer = AutoTokenizer.from_pretrained(model.folders["reranker"], padding_side="left")
    yes, no = (tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    prefix, suffix = (tokenizer.encode(part, add_special_tokens=False) for part in (PREFIX, SUFFIX))
    causal = model.causal(use_cache=True)

    def inputs(documents: Sequence[str]) -> dict[str, torch.Tensor]:
        bodies = tokenizer(
            [f"<Instruct>: {TASK}\n<Query>: {query}\n<Document>: {document}" for document in documents],
            padding=False,
            truncation="longest_first",
            return_attention_mask=False,
            max_length=_MAX_LENGTH - len(prefix) - len(suffix),
        )
        bodies["input_ids"] = [prefix + body + suffix for body in bodies["input_ids"]]
        padded = tokenizer.pad(bodies, padding=True, return_tensors="pt")
        return {key: value.to(model.device) for key, value in padded.items()}

    @torch.no_grad()
    def run(documents: Sequence[str]) -> Array:
        scores: list[torch.Tensor] = []
        for first in range(0, len(documents), CARD_BATCH):
            logits = causal(**inputs(documents[first : first + CARD_BATCH])).logits[:, -1, :].float()
            scores.append((logits[:, yes] - logits[:, no]).cpu())
        return torch.cat(scores).numpy()

    return run


def card_embedder(model: RandomModel) -> Run:
    """The model card's transformers code in arrival order, padded on the left, last position taken.

    Args:
        model: The weights.

    Returns:
        Texts to unit rows.
    """
    tokenizer = AutoTokenizer.from_pretrained(model.folders["embedding"], padding_side="left")
    decoder = model.causal(use_cache=True).model

    @torch.no_grad()
    def run(texts: Sequence[str]) -> Array:
        rows: list[torch.Tensor] = []
        for first in range(0, len(texts), CARD_BATCH):
            batch = tokenizer(
                list(texts[first : first + CARD_BATCH]),
                padding=True,
                truncation=True,
                max_length=_MAX_LENGTH,
                return_tensors="pt",
            ).to(model.device)
            states = decoder(**batch).last_hidden_state[:, -1]
            rows.append(normalize(states, p=2, dim=1).float().cpu())
        return torch.cat(rows).numpy()

    return run


def peer_reranker(model: RandomModel, query: str, batch_size: int) -> Run:
    """sentence-transformers' CrossEncoder with its LogitScore, built as its documentation says.

    Args:
        model: The weights.
        query: What is searched for.
        batch_size: Pairs in a batch.

    Returns:
        Documents to log-odds.
    """
    transformer = _transformer(model, "reranker")
    yes, no = (transformer.tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    encoder = CrossEncoder(
        modules=[transformer, LogitScore(true_token_id=yes, false_token_id=no)],
        device=str(model.device),
        activation_fn=torch.nn.Identity(),
    )

    def run(documents: Sequence[str]) -> Array:
        pairs = [(query, document) for document in documents]
        return np.asarray(encoder.predict(pairs, batch_size=batch_size, show_progress_bar=False), np.float32)

    return run


def peer_embedder(model: RandomModel, batch_size: int) -> Run:
    """SentenceTransformer with last-token pooling and unit length, as the published models are configured.

    Args:
        model: The weights.
        batch_size: Texts in a batch.

    Returns:
        Texts to unit rows.
    """
    pooling = Pooling(model.checkpoint.hidden_size, pooling_mode="lasttoken")
    encoder = SentenceTransformer(
        modules=[_transformer(model, "embedding"), pooling, Normalize()], device=str(model.device)
    )

    def run(texts: Sequence[str]) -> Array:
        vectors = encoder.encode(list(texts), batch_size=batch_size, show_progress_bar=False)
        return np.asarray(vectors, np.float32)

    return run


def _transformer(model: RandomModel, family: Family) -> Transformer:
    """Load a very small model with the folder's tokenizer, then put the shared weights in its place.

    So sentence-transformers configures itself as for files on a disk, and no weights are written or held twice.
    """
    folder = model.folders[family]
    stand_in = folder / "stand-in"
    if not stand_in.exists():
        _write_stand_in(model, family)
    task = "text-generation" if family == "reranker" else "feature-extraction"
    transformer = Transformer(str(stand_in), transformer_task=task)
    causal = model.causal(use_cache=False)
    transformer.model = causal if family == "reranker" else causal.model
    return transformer


def _write_stand_in(model: RandomModel, family: Family) -> None:
    """Write the small model."""
    folder = model.folders[family]
    config = Qwen3Config.from_pretrained(folder)
    config.num_hidden_layers, config.layer_types = 1, ["full_attention"]
    config.hidden_size = config.intermediate_size = config.head_dim = 8
    config.num_attention_heads = config.num_key_value_heads = 1
    kind = Qwen3ForCausalLM if family == "reranker" else Qwen3Model
    kind(config).save_pretrained(folder / "stand-in")
    AutoTokenizer.from_pretrained(folder).save_pretrained(folder / "stand-in")

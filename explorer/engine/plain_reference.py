"""The official way to compute, written a second time and as plainly as possible, to check the fast way against.

Nothing here uses :mod:`explorer.engine.prompts`, the packed forwards or the cache. Strings are those of the model
cards of Qwen3-Embedding and Qwen3-Reranker.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any, Literal

import torch
from tokenizers import Tokenizer

from explorer.engine.forward.paths import attention_path, use_path
from explorer.engine.tokens import TokenIds
from explorer.errors import ModelLoadError
from explorer.models.devices import device_lock
from explorer.models.loading import LoadedModel

Padding = Literal["none", "left", "right"]

TASK = "Given a web search query, retrieve relevant passages that answer the query"

_PREFIX = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct "
    'provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
)
SUFFIX = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"

CARD_QUERIES = ("What is the capital of China?", "Explain gravity")
CARD_DOCUMENTS = (
    "The capital of China is Beijing.",
    "Gravity is a force that attracts two bodies towards each other. It gives weight to physical objects and is "
    "responsible for the movement of planets around the sun.",
)
"""The example of the model cards."""

CARD_COSINES: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "Qwen/Qwen3-Embedding-0.6B": ((0.7646, 0.1414), (0.1355, 0.6000)),
    "Qwen/Qwen3-Embedding-4B": ((0.7534, 0.1147), (0.0320, 0.6258)),
    "Qwen/Qwen3-Embedding-8B": ((0.7493, 0.0751), (0.0880, 0.6318)),
}
"""Cosines of the example, queries by documents, as the model cards state them. Those of the rerankers state none."""

TEXTS = (
    *CARD_DOCUMENTS,
    "a",
    "北京是中华人民共和国的首都。",
    "import numpy as np  # float16 gave NaN for texts that begin like this",
    "No.",
    "Der Mond kreist um die Erde 🌍. " * 12,
    "yes",
)
"""Texts of very different lengths, for which padding and packing have most to do."""

_MARKERS = re.compile(r"(<\|endoftext\|>|<\|im_start\|>|<\|im_end\|>|<think>|</think>)")


def query_ids(tokenizer: Tokenizer, query: str) -> list[int]:
    """Build an embedding model's query, with the card's default task and the end token.

    Args:
        tokenizer: The model's tokenizer.
        query: What is searched for.

    Returns:
        Token ids.
    """
    return marked_ids(tokenizer, f"Instruct: {TASK}\nQuery:{query}<|endoftext|>")


def document_ids(tokenizer: Tokenizer, document: str) -> list[int]:
    """Build an embedding model's document with the end token.

    Args:
        tokenizer: The model's tokenizer.
        document: The text.

    Returns:
        Token ids.
    """
    return marked_ids(tokenizer, f"{document}<|endoftext|>")


def card_pair_ids(tokenizer: Tokenizer, query: str, document: str) -> list[int]:
    """Build a reranker's prompt as the transformers code of its model card does: three parts tokenised apart.

    Args:
        tokenizer: The model's tokenizer.
        query: What is searched for.
        document: What is judged.

    Returns:
        Token ids.
    """
    body = f"<Instruct>: {TASK}\n<Query>: {query}\n<Document>: {document}"
    return [token for part in (_PREFIX, body, SUFFIX) for token in marked_ids(tokenizer, part)]


def evaluation_pair_ids(tokenizer: Tokenizer, query: str, document: str) -> list[int]:
    """Build a reranker's prompt as the vLLM code of its model card does: the rendered chat, then the suffix.

    Args:
        tokenizer: The model's tokenizer.
        query: What is searched for.
        document: What is judged.

    Returns:
        Token ids.
    """
    body = f"<Instruct>: {TASK}\n\n<Query>: {query}\n\n<Document>: {document}"
    return marked_ids(tokenizer, f"{_PREFIX}{body}<|im_end|>\n") + marked_ids(tokenizer, SUFFIX)


def marked_ids(tokenizer: Tokenizer, text: str) -> list[int]:
    """Tokenise what lies between control tokens, and give each control token the id of its name.

    Args:
        tokenizer: The model's tokenizer.
        text: A rendered prompt.

    Returns:
        Token ids; -1 for a control token that the tokenizer does not know.
    """
    ids: list[int] = []
    for piece in _MARKERS.split(text):
        if _MARKERS.fullmatch(piece):
            known = tokenizer.token_to_id(piece)
            ids.append(-1 if known is None else known)
        elif piece:
            ids.extend(tokenizer.encode(piece, add_special_tokens=False).ids)
    return ids


def plain_states(loaded: LoadedModel, sequences: Sequence[TokenIds], padding: Padding) -> torch.Tensor:
    """Run the model through transformers' own attention and take each text's last state.

    Args:
        loaded: The model.
        sequences: Token ids, each [tokens].
        padding: ``"none"`` gives each text a forward of its own; the others pad all to the longest, with a mask.

    Returns:
        float32 tensor [texts, hidden] on the device, after the final norm.

    Raises:
        ModelLoadError: The model was unloaded.
    """
    with device_lock(loaded.device), torch.inference_mode():
        if loaded.released:
            raise ModelLoadError("engine.model_released", model=loaded.provenance.model)
        use_path(loaded.backbone, "padded")
        try:
            groups = [[ids] for ids in sequences] if padding == "none" else [list(sequences)]
            side: Padding = "right" if padding == "none" else padding
            return torch.cat([_padded(loaded, group, side) for group in groups])
        finally:
            use_path(loaded.backbone, attention_path(loaded.device, loaded.dtype))


def float32_states(loaded: LoadedModel, sequences: Sequence[TokenIds]) -> torch.Tensor:
    """Run the same weights in float32, one copied layer at a time, and take each text's last state.

    Args:
        loaded: The model, in whatever number format.
        sequences: Token ids, each [tokens].

    Returns:
        float32 tensor [texts, hidden] on the device, after the final norm.

    Raises:
        ModelLoadError: The model was unloaded.
    """
    with device_lock(loaded.device), torch.inference_mode():
        if loaded.released:
            raise ModelLoadError("engine.model_released", model=loaded.provenance.model)
        use_path(loaded.backbone, "padded")
        try:
            return _layer_by_layer(loaded, sequences)
        finally:
            use_path(loaded.backbone, attention_path(loaded.device, loaded.dtype))


def _layer_by_layer(loaded: LoadedModel, sequences: Sequence[TokenIds]) -> torch.Tensor:
    """Carry all texts through each layer, so that only one layer lies in memory twice."""
    backbone: Any = loaded.backbone
    rows = [torch.from_numpy(ids)[None].to(loaded.device) for ids in sequences]
    places = [torch.arange(row.shape[1], device=loaded.device)[None] for row in rows]
    hidden = [backbone.embed_tokens(row).float() for row in rows]
    turns = [backbone.rotary_emb(states, place) for states, place in zip(hidden, places, strict=True)]
    for layer in backbone.layers:
        exact = copy.deepcopy(layer).float()
        hidden = [
            exact(states, attention_mask=None, position_ids=place, position_embeddings=turn)
            for states, place, turn in zip(hidden, places, turns, strict=True)
        ]
    norm = copy.deepcopy(backbone.norm).float()
    return torch.cat([norm(states[:, -1]) for states in hidden])


def _padded(loaded: LoadedModel, sequences: Sequence[TokenIds], side: Padding) -> torch.Tensor:
    """Run one padded batch with its mask."""
    backbone: Any = loaded.backbone
    longest = max(len(ids) for ids in sequences)
    ids = torch.zeros((len(sequences), longest), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, sequence in enumerate(sequences):
        place = slice(longest - len(sequence), longest) if side == "left" else slice(0, len(sequence))
        ids[row, place], mask[row, place] = torch.from_numpy(sequence), 1
    positions = (mask.cumsum(dim=1) - 1).clamp_min(0)
    output = backbone(
        input_ids=ids.to(loaded.device),
        attention_mask=mask.to(loaded.device),
        position_ids=positions.to(loaded.device),
        use_cache=False,
    )
    last = torch.full((len(sequences),), longest - 1) if side == "left" else mask.sum(dim=1) - 1
    states: torch.Tensor = output.last_hidden_state
    return states[torch.arange(len(sequences)), last.to(states.device)].float()

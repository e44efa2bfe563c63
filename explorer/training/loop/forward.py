"""Texts to vectors with gradients, exactly as the engine embeds them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from itertools import groupby
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from explorer.engine.forward.attention import packed_attention
from explorer.engine.forward.packing import pack
from explorer.engine.tokens import TokenIds, embedding_tokens, shared_prefix
from explorer.training.pairs.batches import IntArray, Text

TRAINED = "explorer_packed_training"
"""Name under which the attention is registered with transformers."""

Chunk = list[list[TokenIds]]
"""Texts whose activations are kept at once, in packs of one instruction each."""


def token_ids(tokenizer: Tokenizer, texts: Sequence[Text], longest: int) -> list[TokenIds]:
    """Tokenise queries and documents as the engine does.

    Args:
        tokenizer: The model's.
        texts: With or without instruction.
        longest: Longest input in tokens, the end token included.

    Returns:
        Token ids of each text, in the same order.

    Raises:
        InputError: An instruction alone fills ``longest``.
    """
    found: dict[int, TokenIds] = {}
    for instruction in dict.fromkeys(text.instruction for text in texts):
        rows = [row for row, text in enumerate(texts) if text.instruction == instruction]
        sequences = embedding_tokens(tokenizer, [texts[row].text for row in rows], instruction, longest)
        found |= {row: sequence.ids for row, sequence in zip(rows, sequences, strict=True)}
    return [found[row] for row in range(len(texts))]


def similar_chunks(
    texts: Sequence[Text], sequences: Sequence[TokenIds], size: int
) -> tuple[list[Chunk], IntArray]:
    """Cut a batch into chunks of texts that are cheap to compute together: of one instruction and of similar length.

    Args:
        texts: The batch's texts.
        sequences: Token ids of each.
        size: Texts a chunk.

    Returns:
        The chunks, and for each text its place among all chunks' texts, int64 [texts].
    """
    tasks = {task: number for number, task in enumerate(dict.fromkeys(text.instruction for text in texts))}
    order = sorted(range(len(texts)), key=lambda row: (tasks[texts[row].instruction], len(sequences[row])))
    chunks = []
    for first in range(0, len(order), size):
        alike = groupby(order[first : first + size], key=lambda row: texts[row].instruction)
        chunks.append([[sequences[row] for row in rows] for _, rows in alike])
    return chunks, np.argsort(order)


def chunk_vectors(model: nn.Module, chunk: Chunk, device: torch.device) -> Tensor:
    """Run the model over a chunk.

    Args:
        model: ``Qwen3Model`` whose attention is :data:`TRAINED`, perhaps wrapped.
        chunk: From :func:`similar_chunks`.
        device: Where the model lies.

    Returns:
        float32 [texts, hidden], as :func:`last_token_vectors` gives it for each pack.
    """
    return torch.cat([last_token_vectors(model, sequences, device) for sequences in chunk])


def last_token_vectors(
    model: nn.Module, sequences: Sequence[TokenIds], device: torch.device, shared: int | None = None
) -> Tensor:
    """Run the model over texts packed end to end; nothing is padded in its linear layers.

    Args:
        model: ``Qwen3Model`` whose attention is :data:`TRAINED`, perhaps wrapped.
        sequences: Token ids of each text; neighbours of similar length make it faster.
        device: Where the model lies.
        shared: How many tokens all of them begin with and compute once; None finds out, as with queries that share
            their instruction.

    Returns:
        float32 [texts, hidden], the state after the final norm at each text's last token, with gradients.
    """
    beginning = shared_prefix(sequences) if shared is None else shared
    ids, positions, layout = pack(sequences, beginning, device)
    # On the CPU the flash kernel's backward is made for long texts; on short ones plain products take half its time.
    with sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext():
        output = model(input_ids=ids, position_ids=positions, use_cache=False, packed_layout=layout)
    states: Tensor = output.last_hidden_state[0]
    return states.index_select(0, layout.last).float()


def trained_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **rest: Any,  # noqa: ANN401
) -> tuple[Tensor, None]:
    """Attend as :func:`explorer.engine.forward.attention.packed_attention` does, in autocast's number format.

    Autocast itself would convert only after the texts have been cut apart, piece by piece and in twice the bytes.

    Args:
        module: The calling layer.
        query: [1, query heads, tokens, head_dim].
        key: [1, key-value heads, tokens, head_dim].
        value: [1, key-value heads, tokens, head_dim].
        attention_mask: None.
        **rest: The layout and the scores' factor.

    Returns:
        [1, tokens, query heads, head_dim], and None for the weights.
    """
    kind = query.device.type
    if torch.is_autocast_enabled(kind):
        query, key, value = (part.to(torch.get_autocast_dtype(kind)) for part in (query, key, value))
    return packed_attention(module, query, key, value, attention_mask, **rest)


def _no_mask(*_: object, **__: object) -> None:
    """Tell transformers to build no mask; the layout takes its place."""


AttentionInterface.register(TRAINED, trained_attention)
AttentionMaskInterface.register(TRAINED, _no_mask)

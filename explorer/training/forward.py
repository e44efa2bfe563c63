"""Texts to vectors with gradients, exactly as the engine embeds them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from explorer.engine.attention import pack
from explorer.engine.tokens import TokenIds, embedding_tokens
from explorer.training.batches import IntArray, Text


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


def length_chunks(sequences: Sequence[TokenIds], size: int) -> tuple[list[list[TokenIds]], IntArray]:
    """Cut a batch into chunks of texts of similar length.

    Args:
        sequences: Token ids of each text.
        size: Texts a chunk.

    Returns:
        The chunks, shortest texts first, and for each text its place among all chunks' texts, int64 [texts].
    """
    order = np.argsort([len(ids) for ids in sequences], kind="stable")
    chunks = [[sequences[row] for row in order[first : first + size]] for first in range(0, len(order), size)]
    return chunks, np.argsort(order)


def last_token_vectors(
    model: nn.Module, sequences: Sequence[TokenIds], device: torch.device, shared: int = 0
) -> Tensor:
    """Run the model over texts packed end to end; nothing is padded in its linear layers.

    Args:
        model: ``Qwen3Model`` whose attention is :data:`explorer.engine.attention.PACKED`, perhaps wrapped.
        sequences: Token ids of each text; neighbours of similar length make it faster.
        device: Where the model lies.
        shared: How many tokens all of them begin with and compute once; 0 for none.

    Returns:
        float32 [texts, hidden], the state after the final norm at each text's last token, with gradients.
    """
    ids, positions, layout = pack(sequences, shared, device)
    # On the CPU the flash kernel's backward is made for long texts; on short ones plain products take half its time.
    plain = sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()
    with plain:
        output = model(input_ids=ids, position_ids=positions, use_cache=False, packed_layout=layout)
    states: Tensor = output.last_hidden_state[0]
    return states.index_select(0, layout.last).float()

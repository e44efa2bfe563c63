"""Which words of a query and of a document met in a cosine.

Source: Moeller, Nikolaev and Padó, An Attribution Method for Siamese Encoders, arXiv 2310.05703. With the way from a
baseline r to an input x, the embedding e of unit length changes by the integral of its Jacobian along the way, word by
word: e(x) - e(r) = sum_i g_i, where g_i [dimensions] belongs to word i. So::

    sum_ij g_i(query) . g_j(document)
        = cos(query, document) - cos(query, r_d) - cos(r_q, document) + cos(r_q, r_d)

The paper trains its encoders to put the baseline at a cosine of zero to everything, so that the three last terms
vanish. Qwen3 is not so trained: they are computed and reported, and the pairs explain the left side only. That is why
the result is called approximate.

The g_i come from directional derivatives of the whole forward (forward-mode differentiation), one a word and node.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.autograd import forward_ad
from torch.nn.attention import SDPBackend, sdpa_kernel

from explorer.engine.attribution.differentiable import (
    all_states,
    differentiable,
    input_embeddings,
    last_states,
)
from explorer.engine.attribution.words import Word, WordedInput
from explorer.engine.prompts import END_OF_TEXT
from explorer.models.loading import LoadedModel

NODES = 12
"""Gauss-Legendre nodes of the way; the error that is left is reported."""

BATCH_TOKENS = {"cpu": 2048, "mps": 4096, "cuda": 16384}
"""Tokens of one forward, by kind of device."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class WordVectors:
    """How the words of one text make up its embedding.

    Attributes:
        parts: g_i of each word, float32 [words, dimensions].
        vector: Embedding of the text, float32 [dimensions].
        baseline: Embedding of the text with padding in place of its words, float32 [dimensions].
    """

    parts: Vectors
    vector: Vectors
    baseline: Vectors


def word_vectors(
    loaded: LoadedModel, worded: WordedInput, words: Sequence[Word]
) -> Iterator[tuple[int, int, WordVectors]]:
    """Divide an embedding among words.

    Args:
        loaded: An embedding model.
        worded: The input.
        words: The words that are weighed, at least one; the rest of the input stays as it is.

    Yields:
        (nodes finished, nodes in all, the vectors so far), the last complete.

    Raises:
        OutOfMemoryError: The device had no room.
    """
    embeddings = input_embeddings(loaded, worded.sequence.ids)
    padding = input_embeddings(loaded, np.array([loaded.tokenizer.token_to_id(END_OF_TEXT)]))
    directions = torch.zeros(len(words), *embeddings.shape, device=embeddings.device)
    for row, word in enumerate(words):
        directions[row, word.start : word.stop] = embeddings[word.start : word.stop] - padding
    way = directions.sum(0)
    with differentiable(loaded, len(embeddings)), torch.no_grad():
        ends = _unit(last_states(loaded, torch.stack([embeddings, embeddings - way]))).cpu().numpy()
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    parts = torch.zeros(len(words), ends.shape[1], device=embeddings.device)
    for done, (node, weight) in enumerate(zip((nodes + 1) / 2, weights / 2, strict=True), start=1):
        parts += float(weight) * _slopes(loaded, embeddings - (1 - float(node)) * way, directions)
        yield done, NODES, WordVectors(parts.cpu().numpy(), ends[0], ends[1])


def word_states(loaded: LoadedModel, worded: WordedInput, words: Sequence[Word]) -> Vectors:
    """Average the last layer's states over the tokens of each word.

    Args:
        loaded: An embedding model.
        worded: The input.
        words: Words of it.

    Returns:
        Unit rows, float32 [words, dimensions]. Attention is causal: a state knows what stands before it only.
    """
    embeddings = input_embeddings(loaded, worded.sequence.ids)
    with differentiable(loaded, len(embeddings)), torch.no_grad():
        states = all_states(loaded, embeddings[None])[0]
    rows: Vectors = (
        _unit(torch.stack([states[word.start : word.stop].mean(0) for word in words])).cpu().numpy()
    )
    return rows


def _slopes(loaded: LoadedModel, at: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
    """Give the derivative of the embedding at a place in many directions, float32 [directions, dimensions]."""
    size = max(1, BATCH_TOKENS[loaded.device.type] // len(at))
    found = []
    for some in torch.split(directions, size):
        # Only the plain matrix products of attention have forward-mode derivatives.
        with (
            differentiable(loaded, len(at)),
            torch.no_grad(),
            forward_ad.dual_level(),
            sdpa_kernel(SDPBackend.MATH),
        ):
            dual = forward_ad.make_dual(at.expand_as(some).contiguous(), some.contiguous())  # type: ignore[no-untyped-call]
            pushed = forward_ad.unpack_dual(_unit(last_states(loaded, dual)))  # type: ignore[no-untyped-call]
            slope: torch.Tensor = pushed.tangent
            found.append(slope.clone())
    return torch.cat(found)


def _unit(rows: torch.Tensor) -> torch.Tensor:
    """Scale rows to length one."""
    return torch.nn.functional.normalize(rows, dim=-1)

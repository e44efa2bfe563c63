"""Gradient x input and integrated gradients of a reranker's log-odds with respect to its input embeddings.

Sources: gradient x input, Shrikumar et al., arXiv 1605.01713; integrated gradients, Sundararajan, Taly and Yan,
arXiv 1703.01365.

The baseline of a field (instruction, query or document) puts the embedding of ``<|endoftext|>`` in place of its
tokens and leaves the rest of the prompt as it is. That is the padding token: it never carries content, and its
embedding is about as long as any other. Two other choices would mislead:

- The zero vector. The first thing a layer does is to divide by the length (RMSNorm), so all the change on the way from
  zero happens in one jump at its beginning, which no quadrature catches, and the bundled reranker answers a document
  of zeros with log-odds of +20. For the same reason the bare product of gradient and embedding misleads, since the
  model hardly feels an embedding's length; here the gradient is multiplied with the difference to the baseline.
- One baseline for all fields at once. Padding matches padding: the bundled reranker answers such a prompt with +9, and
  with -4 where only the document is padding. So each field has a way of its own, with the other fields in place, and
  its values say what it does given them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from explorer.engine.attribution.differentiable import differentiable, input_embeddings, last_states
from explorer.engine.attribution.words import FIELDS, Field, Word
from explorer.engine.prompts import END_OF_TEXT
from explorer.engine.tokens import TokenIds
from explorer.models.loading import LoadedModel

NODES = 6
"""Gauss-Legendre nodes of one piece of a way."""

TOLERANCE = 0.01
"""Ways are cut finer until the pieces' errors together are below this share of the differences to the baselines."""

MOST_GRADIENTS = 40 * NODES
"""Gradients after which nothing is cut finer; the error that is left is reported."""

BATCH_TOKENS = {"cpu": 1024, "mps": 2048, "cuda": 8192}
"""Tokens whose activations are kept at once for one backward pass, by kind of device."""


@dataclass(frozen=True)
class FieldEffect:
    """What one field does to the log-odds, given the others.

    Attributes:
        name: The field.
        difference: Log-odds of the input less those of the field's baseline.
        added: What its tokens' values add up to; by the completeness axiom the same, if the integral is exact.
    """

    name: Field
    difference: float
    added: float


@dataclass(frozen=True)
class Attribution:
    """How much each token moved the log-odds.

    Attributes:
        values: float32 [tokens]; positive speaks for yes; 0 for the tokens of the recipe.
        log_odds: Of the input.
        fields: What each field does; empty for gradient x input, whose values need not add up to anything.
        gradients: How many gradients were computed.
    """

    values: NDArray[np.float32]
    log_odds: float
    fields: tuple[FieldEffect, ...]
    gradients: int

    @property
    def completeness_error(self) -> float | None:
        """Share by which the fields' values together miss the differences to the baselines."""
        if not self.fields:
            return None
        missed = sum(abs(effect.added - effect.difference) for effect in self.fields)
        return missed / max(sum(abs(effect.difference) for effect in self.fields), 1e-6)


def gradient_x_input(loaded: LoadedModel, ids: TokenIds, words: Sequence[Word]) -> Attribution:
    """Multiply the gradient at the input with the difference to the baseline: one pass there and one back.

    Args:
        loaded: A reranker.
        ids: A prompt's token ids [tokens].
        words: The words that are weighed.

    Returns:
        The attribution.

    Raises:
        OutOfMemoryError: The device had no room.
    """
    way = _Way.to_input(loaded, ids, words)
    with differentiable(loaded, len(ids)):
        values, gradients = _values_and_gradients(loaded, way.at(np.ones(1)))
    products = (gradients[0] * way.difference).sum(-1)
    return Attribution(products.cpu().numpy(), float(values[0]), (), 1)


def integrated_gradients(loaded: LoadedModel, ids: TokenIds, words: Sequence[Word]) -> Iterator[Attribution]:
    """Follow the gradient from each field's baseline to the input.

    Each piece of a way has Gauss-Legendre nodes. Since the log-odds at both its ends are known, so is its error; the
    worst piece of all is halved until the errors together are below :data:`TOLERANCE`.

    Args:
        loaded: A reranker.
        ids: A prompt's token ids [tokens].
        words: The words that are weighed.

    Yields:
        The attribution so far, after each piece; the last is the best.

    Raises:
        OutOfMemoryError: The device had no room.
    """
    groups = [(name, [word for word in words if word.field == name]) for name in FIELDS]
    ways = {name: _Way.to_input(loaded, ids, group) for name, group in groups if group}
    pieces: list[_Piece] = []
    waiting = [(name, 0.0, 1.0) for name in ways]
    while waiting:
        for name, start, stop in waiting:
            pieces.append(ways[name].piece(name, start, stop))
            yield _added(ways, pieces)
        waiting = []
        enough = TOLERANCE * sum(abs(way.value(1.0) - way.value(0.0)) for way in ways.values())
        if sum(abs(piece.error) for piece in pieces) > enough and NODES * (len(pieces) + 1) < MOST_GRADIENTS:
            worst = max(pieces, key=lambda piece: abs(piece.error))
            pieces.remove(worst)
            middle = (worst.start + worst.stop) / 2
            waiting = [(worst.name, worst.start, middle), (worst.name, middle, worst.stop)]


@dataclass(frozen=True)
class _Piece:
    """Part of a field's way: the gradients' integral along it, float32 [tokens], and by how much that is wrong."""

    name: Field
    start: float
    stop: float
    values: torch.Tensor
    error: float


@dataclass
class _Way:
    """The straight line from a baseline to an input, float32 [tokens, hidden], and log-odds at places on it."""

    loaded: LoadedModel
    baseline: torch.Tensor
    difference: torch.Tensor
    known: dict[float, float] = field(default_factory=dict)

    @classmethod
    def to_input(cls, loaded: LoadedModel, ids: TokenIds, words: Sequence[Word]) -> _Way:
        """Put padding in place of words."""
        embeddings = input_embeddings(loaded, ids)
        padding = input_embeddings(loaded, np.array([loaded.tokenizer.token_to_id(END_OF_TEXT)]))
        baseline = embeddings.clone()
        for word in words:
            baseline[word.start : word.stop] = padding
        return cls(loaded, baseline, embeddings - baseline)

    def at(self, places: NDArray[np.float64]) -> torch.Tensor:
        """Give the embeddings at places between 0, the baseline, and 1, the input: float32 [n, tokens, hidden]."""
        shares = torch.tensor(places, dtype=torch.float32, device=self.difference.device)
        return self.baseline + shares[:, None, None] * self.difference

    def value(self, place: float) -> float:
        """Give the log-odds at a place."""
        if place not in self.known:
            with differentiable(self.loaded, len(self.baseline)), torch.no_grad():
                self.known[place] = float(_log_odds(self.loaded, self.at(np.array([place])))[0])
        return self.known[place]

    def piece(self, name: Field, start: float, stop: float) -> _Piece:
        """Integrate over a part of the line."""
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        places, weights = start + (stop - start) * (nodes + 1) / 2, weights * (stop - start) / 2
        gradient = torch.zeros_like(self.difference)
        size = max(1, BATCH_TOKENS[self.loaded.device.type] // len(self.baseline))
        for first in range(0, NODES, size):
            embeddings = self.at(places[first : first + size])
            with differentiable(self.loaded, len(self.baseline)):
                _, found = _values_and_gradients(self.loaded, embeddings)
            for weight, one in zip(weights[first : first + size], found, strict=True):
                gradient += float(weight) * one
        values = (gradient * self.difference).sum(-1)
        error = float(values.double().sum()) - (self.value(stop) - self.value(start))
        return _Piece(name, start, stop, values, error)


def _added(ways: dict[Field, _Way], pieces: list[_Piece]) -> Attribution:
    """Add up the pieces."""
    effects = []
    for name, way in ways.items():
        added = sum(float(piece.values.double().sum()) for piece in pieces if piece.name == name)
        effects.append(FieldEffect(name, way.value(1.0) - way.value(0.0), added))
    values = torch.stack([piece.values for piece in pieces]).sum(0).cpu().numpy()
    log_odds = next(iter(ways.values())).value(1.0)
    return Attribution(values, log_odds, tuple(effects), NODES * len(pieces))


def _values_and_gradients(loaded: LoadedModel, embeddings: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Compute log-odds [n] and gradients float32 [n, tokens, hidden], within :func:`differentiable`."""
    with torch.enable_grad():
        wanted = embeddings.detach().requires_grad_(True)
        values = _log_odds(loaded, wanted)
        (gradients,) = torch.autograd.grad(values.sum(), wanted)
    return values.detach(), gradients.float()


def _log_odds(loaded: LoadedModel, embeddings: torch.Tensor) -> torch.Tensor:
    """Compute logit(yes) - logit(no) in float32, [n]."""
    if loaded.head is None:
        raise TypeError("only a reranker has log-odds")
    no, yes = loaded.head.float()
    log_odds: torch.Tensor = last_states(loaded, embeddings) @ (yes - no)
    return log_odds

"""Whether a loaded model gives the numbers it should, check by check, each with its number and its bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from explorer.engine.embedder import Embedder
from explorer.engine.plain_reference import (
    CARD_COSINES,
    CARD_DOCUMENTS,
    CARD_QUERIES,
    TASK,
    TEXTS,
    Padding,
    card_pair_ids,
    document_ids,
    float32_states,
    plain_states,
)
from explorer.engine.reranker import Reranker
from explorer.engine.token_checks import differing_inputs, wrong_endings
from explorer.engine.tokens import TokenIds
from explorer.errors import ExplorerError
from explorer.models.catalog import INT8_WEIGHTS, PUBLISHED
from explorer.models.devices import device_lock
from explorer.models.loading import LoadedModel
from explorer.notices import Notice
from explorer.provenance import Family

CheckName = Literal[
    "number_format",
    "weights",
    "tokens",
    "ending",
    "finite",
    "last_token",
    "batch",
    "padding",
    "precision",
    "norms",
    "probability",
    "reference",
]

_SHARED: tuple[CheckName, ...] = (
    "number_format",
    "weights",
    "tokens",
    "ending",
    "finite",
    "last_token",
    "batch",
    "padding",
    "precision",
)

NAMES: dict[Family, tuple[CheckName, ...]] = {
    "embedding": (*_SHARED, "norms", "reference"),
    "reranker": (*_SHARED, "probability", "reference"),
}
"""The checks of each family, in the order in which they run."""

EXACT = 1e-5
"""How far a length may be from one and a probability from its definition; both are computed in float32."""


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: Which.
        value: What was measured; None when nothing was.
        bound: The most that is right; None when nothing was measured.
        reason: Why nothing was measured.
    """

    name: CheckName
    value: float | None
    bound: float | None
    reason: Notice | None = None

    @property
    def failed(self) -> bool:
        """Whether it was measured and is too large, or no number at all."""
        return self.value is not None and self.bound is not None and not self.value <= self.bound


@dataclass(frozen=True)
class _Bounds:
    """How far the same number may lie apart on two ways.

    Attributes:
        score: Of a cosine, or of a log-odds.
        precision: The same, between a coarser number format and float32.
        reference: Of a cosine from the model card's.
    """

    score: float
    precision: float
    reference: float


def checks(loaded: LoadedModel) -> Iterator[Check]:
    """Check a model. Nothing is taken from a cache.

    Args:
        loaded: The model; it must not be unloaded meanwhile.

    Yields:
        The checks of :data:`NAMES`, each as soon as it is done.

    Raises:
        ModelLoadError: The model was unloaded.
    """
    desk = _Desk(loaded)
    for name in NAMES[loaded.provenance.family]:
        try:
            yield desk.measured(name)
        except ExplorerError as error:
            if error.key == "engine.model_released":
                raise
            yield Check(name, None, None, Notice(error.key, error.values))


class _Desk:
    """One model under examination."""

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded
        self.embeds = loaded.provenance.family == "embedding"
        self.bounds = _bounds(loaded)
        self._alone: NDArray[np.float64] | None = None
        self._unpadded: NDArray[np.float64] | None = None

    def measured(self, name: CheckName) -> Check:
        """Do one check."""
        if name == "reference":
            return self.reference()
        if name == "precision":
            return self.precision()
        loaded = self.loaded
        tokenised = (loaded.tokenizer, loaded.provenance.family, loaded.max_length)
        exact: dict[CheckName, Callable[[], float]] = {
            "number_format": self.number_format,
            "weights": self.weights,
            "tokens": lambda: float(differing_inputs(*tokenised)),
            "ending": lambda: float(wrong_endings(*tokenised)),
            "finite": self.finite,
        }
        if name in exact:
            return Check(name, exact[name](), 0)
        if name in ("norms", "probability"):
            return Check(name, self.norms() if name == "norms" else self.probability(), EXACT)
        ways: dict[CheckName, Callable[[], float]] = {
            "last_token": lambda: self.apart(self.alone(), self.unpadded()),
            "batch": lambda: self.apart(self.fast(TEXTS), self.alone()),
            "padding": self.padding,
        }
        return Check(name, ways[name](), self.bounds.score)

    def number_format(self) -> float:
        """Count the tensors that are not in the format provenance says; int8 weights count as said."""
        int8 = self.loaded.dtype_name.endswith(INT8_WEIGHTS)
        allowed = {self.loaded.dtype, torch.int8} if int8 else {self.loaded.dtype}
        wrong = sum(parameter.dtype not in allowed for parameter in self.loaded.backbone.parameters())
        stated = self.loaded.dtype_name.partition(",")[0] == str(self.loaded.dtype).removeprefix("torch.")
        refused = self.loaded.dtype == torch.float16
        return float(wrong + (not stated) + refused)

    def weights(self) -> float:
        """Count the tensors that hold something that is not finite, by their sums, which need no memory."""
        broken = 0
        for parameter in self.loaded.backbone.parameters():
            with device_lock(self.loaded.device), torch.inference_mode():
                if parameter.is_floating_point():
                    broken += not bool(parameter.sum(dtype=torch.float32).isfinite())
        head = self.loaded.head
        return float(broken + (head is not None and not bool(head.sum().isfinite())))

    def finite(self) -> float:
        """Count the texts that come out as something that is not finite."""
        try:
            return float((~np.isfinite(self.fast(TEXTS)).reshape(len(TEXTS), -1).all(axis=1)).sum())
        except ExplorerError as error:
            if error.key != "engine.not_finite":
                raise
            return float(str(error.values["count"]))

    def norms(self) -> float:
        """Measure how far lengths are from one, in full and cut to half the dimensions."""
        found = (self.fast(TEXTS), self.fast(TEXTS, self.loaded.dimensions // 2))
        return max(float(np.abs(np.linalg.norm(rows, axis=1) - 1).max()) for rows in found)

    def probability(self) -> float:
        """Measure how far P(yes) is from the softmax over the logits of no and yes."""
        scores = Reranker(self.loaded).score(CARD_QUERIES[0], TEXTS)
        odds = scores.log_odds.astype(np.float64)
        softmax = np.exp(-np.logaddexp(0, -odds))
        return float(np.abs(scores.probability - softmax).max())

    def padding(self) -> float:
        """Compare padding at the left and at the right with none, all in plain transformers."""
        sides: tuple[Padding, Padding] = ("left", "right")
        return max(self.apart(self.plain(side), self.unpadded()) for side in sides)

    def precision(self) -> Check:
        """Compare a coarser number format with the same weights in float32."""
        if self.loaded.dtype == torch.float32:
            return Check("precision", None, None, Notice("self_check.already_exact"))
        exact = self._scored(float32_states(self.loaded, self._plain_ids()))
        return Check("precision", self.apart(self.unpadded(), exact), self.bounds.precision)

    def reference(self) -> Check:
        """Compare the model card's example with what the card says about it."""
        revision = self.loaded.checkpoint.revision
        card = next((entry.name for entry in PUBLISHED if revision and entry.revision == revision), None)
        if card is None:
            return Check("reference", None, None, Notice("self_check.not_published"))
        if self.embeds:
            queries = Embedder(self.loaded).encode(CARD_QUERIES, TASK)
            found = queries @ Embedder(self.loaded).encode(CARD_DOCUMENTS).T
            return Check("reference", float(np.abs(found - CARD_COSINES[card]).max()), self.bounds.reference)
        reranker = Reranker(self.loaded)
        odds = np.array([reranker.score(query, CARD_DOCUMENTS, TASK).log_odds for query in CARD_QUERIES])
        wrong = (odds > 0) != np.eye(2, dtype=bool)
        return Check("reference", float(wrong.sum()), 0)

    def fast(self, texts: Sequence[str], dimensions: int | None = None) -> NDArray[np.float64]:
        """Compute by the explorer's own way: vectors [n, d] or log-odds [n]."""
        if self.embeds:
            return Embedder(self.loaded).encode(texts, None, dimensions).astype(np.float64)
        return Reranker(self.loaded).score(CARD_QUERIES[0], texts).log_odds.astype(np.float64)

    def alone(self) -> NDArray[np.float64]:
        """Compute each text by itself, once."""
        if self._alone is None:
            self._alone = np.concatenate([self.fast([text]) for text in TEXTS])
        return self._alone

    def unpadded(self) -> NDArray[np.float64]:
        """Compute each text by itself in plain transformers, once."""
        if self._unpadded is None:
            self._unpadded = self.plain("none")
        return self._unpadded

    def plain(self, padding: Padding) -> NDArray[np.float64]:
        """Compute by the plain way: vectors [n, d] or log-odds [n]."""
        return self._scored(plain_states(self.loaded, self._plain_ids(), padding))

    def _plain_ids(self) -> list[TokenIds]:
        tokenizer = self.loaded.tokenizer
        if self.embeds:
            return [np.array(document_ids(tokenizer, text)) for text in TEXTS]
        return [np.array(card_pair_ids(tokenizer, CARD_QUERIES[0], text)) for text in TEXTS]

    def _scored(self, states: torch.Tensor) -> NDArray[np.float64]:
        head = self.loaded.head
        if head is None:
            rows = self._finite(states)
            return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
        logits = self._finite(states @ head.T)
        return np.asarray(logits[:, 1] - logits[:, 0])

    def _finite(self, rows: torch.Tensor) -> NDArray[np.float64]:
        """Refuse to compare what is not finite, which the check of that name reports."""
        broken = int((~rows.isfinite().all(dim=1)).sum())
        if broken:
            raise ExplorerError("engine.not_finite", count=broken, dtype=self.loaded.dtype_name)
        return np.asarray(rows.double().cpu().numpy())

    def apart(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
        """Measure the largest difference of a cosine or of a log-odds."""
        if not self.embeds:
            return float(np.abs(first - second).max())
        fixed = second.T
        return float(np.abs(first @ fixed - second @ fixed).max())


def _bounds(loaded: LoadedModel) -> _Bounds:
    """Choose bounds by number format; rounding of bfloat16 alone moves cosines by thousandths."""
    coarse = loaded.dtype != torch.float32
    int8 = loaded.dtype_name.endswith(INT8_WEIGHTS)
    if loaded.provenance.family == "reranker":
        return _Bounds(score=0.25 if coarse else 1e-3, precision=0.5, reference=0)
    reference = 3e-2 if int8 else 1e-2 if coarse else 1e-3
    return _Bounds(score=1e-2 if coarse else 1e-4, precision=2e-2, reference=reference)

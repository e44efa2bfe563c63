"""One model on one device, giving rows of numbers for token sequences, each computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from explorer.engine.attention import PACKED, last_hidden_states
from explorer.engine.batching import TokenBudget, run_packs
from explorer.engine.cache import VectorCache, cache_key
from explorer.engine.tokens import TokenIds, shared_prefix
from explorer.errors import ExplorerError, ModelLoadError
from explorer.models.devices import device_lock
from explorer.models.loading import LoadedModel
from explorer.progress import CancelToken

DEFAULT_MAX_LENGTH = 8192
"""Tokens an input may have, as in the official examples; the models themselves go to 32,768."""

ATTENTION = "packed sdpa"
"""Name of the attention path in provenance."""

_BUDGETS: WeakKeyDictionary[LoadedModel, TokenBudget] = WeakKeyDictionary()
_BUDGETS_LOCK = Lock()

Rows = NDArray[np.float32]
Head = Callable[[torch.Tensor], torch.Tensor]


class Runner:
    """Runs a loaded model over token sequences.

    Args:
        loaded: The model.
        head: Turns float32 states [n, hidden] into rows [n, d].
        cache: Where finished rows are kept; a new one when None.
    """

    def __init__(self, loaded: LoadedModel, head: Head, cache: VectorCache | None = None) -> None:
        """Switch the model to packed attention."""
        self.loaded = loaded
        self.provenance = replace(loaded.provenance, attention=ATTENTION)
        self.cache = VectorCache() if cache is None else cache
        self.budget = _budget_of(loaded)
        self.forwards = 0
        self._head = head
        backbone: Any = loaded.backbone
        if backbone.config._attn_implementation != PACKED:
            with device_lock(loaded.device):
                backbone.set_attn_implementation(PACKED)

    def run(
        self, sequences: Sequence[TokenIds], cancel: CancelToken | None = None
    ) -> Iterator[tuple[NDArray[np.int64], Rows]]:
        """Compute rows for token sequences: first those in the cache, then the others pack by pack.

        Args:
            sequences: Token ids, each [tokens]; equal ones are computed once.
            cancel: Stops before the next pack; finished packs stay in the cache.

        Yields:
            (indices into ``sequences`` int64 [m], rows float32 [m, d]).

        Raises:
            OutOfMemoryError: One sequence alone does not fit the device.
            ExplorerError: The model gave numbers that are not finite.
            Cancelled: The person asked to stop.
        """
        if cancel:
            cancel.raise_if_cancelled()
        places: dict[bytes, list[int]] = {}
        for index, ids in enumerate(sequences):
            places.setdefault(cache_key(self.provenance, ids), []).append(index)
        known = {key: row for key in places if (row := self.cache.get(key)) is not None}
        if known:
            yield _spread([places[key] for key in known], np.stack(list(known.values())))
        missing = [key for key in places if key not in known]
        wanted = [sequences[places[key][0]] for key in missing]
        shared = shared_prefix(wanted)
        packs = run_packs(
            [len(ids) for ids in wanted],
            lambda taken: self._forward([wanted[index] for index in taken], shared),
            self.budget,
            self.loaded.device,
            shared=shared,
            cancel=cancel,
        )
        for taken, rows in packs:
            keys = [missing[index] for index in taken]
            self.cache.put(keys, rows)
            yield _spread([places[key] for key in keys], rows)

    def _forward(self, sequences: Sequence[TokenIds], shared: int) -> Rows:
        """Compute one pack while holding the device."""
        shared = shared if len(sequences) > 1 else 0
        with device_lock(self.loaded.device), torch.inference_mode():
            if self.loaded.released:
                raise ModelLoadError("engine.model_released", model=self.provenance.model)
            self.forwards += 1
            states = last_hidden_states(self.loaded.backbone, sequences, shared, self.loaded.device)
            rows: Rows = self._head(states).cpu().numpy()
        if not np.isfinite(rows).all():
            count = int((~np.isfinite(rows)).any(axis=1).sum())
            raise ExplorerError("engine.not_finite", count=count, dtype=self.provenance.dtype)
        return rows


def _budget_of(loaded: LoadedModel) -> TokenBudget:
    """Give a model its one budget, so that no job runs out of memory where an earlier one did."""
    with _BUDGETS_LOCK:
        return _BUDGETS.setdefault(loaded, TokenBudget.of(loaded.device, loaded.checkpoint.parameters))


def _spread(places: Sequence[Sequence[int]], rows: Rows) -> tuple[NDArray[np.int64], Rows]:
    """Give every occurrence of an equal input its row."""
    indices = np.array([index for group in places for index in group], dtype=np.int64)
    return indices, np.repeat(rows, [len(group) for group in places], axis=0)

"""One model on one device, giving rows of numbers for token sequences, each computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from explorer.engine.batching import run_packs
from explorer.engine.budget import TokenBudget
from explorer.engine.forward.paths import AttentionPath, attention_path, last_hidden_states, use_path
from explorer.engine.store.cache import VectorCache, cache_key
from explorer.engine.tokens import TokenIds, shared_prefix
from explorer.errors import ExplorerError, ModelLoadError
from explorer.models.devices import device_lock, processor
from explorer.models.loading import LoadedModel
from explorer.progress import CancelToken

DEFAULT_MAX_LENGTH = 8192
"""Tokens an input may have, as in the official examples; the models themselves go to 32,768."""

ATTENTION: dict[AttentionPath, str] = {
    "varlen": "packed varlen",
    "segments": "packed sdpa",
    "padded": "padded sdpa",
}
"""Names of the attention paths in provenance."""

FIXED_TOKENS = 8192
"""In reproducible mode every packed forward on a GPU has this many tokens, or a multiple for a longer text."""

TRIAL_TEXT = 64
"""Tokens of the texts that a device's pack size is measured with."""

_BUDGETS: WeakKeyDictionary[LoadedModel, TokenBudget] = WeakKeyDictionary()

Rows = NDArray[np.float32]
Head = Callable[[torch.Tensor], torch.Tensor]
Pack = tuple[list[int], "_Launched"]


@dataclass(frozen=True)
class _Launched:
    """Rows on their way from the device."""

    rows: torch.Tensor
    arrived: torch.cuda.Event | None

    def wait(self) -> Rows:
        """Wait until they are here."""
        if self.arrived is not None:
            self.arrived.synchronize()
        rows: Rows = self.rows.numpy()
        return rows


class Runner:
    """Runs a loaded model over token sequences.

    Args:
        loaded: The model.
        head: Turns float32 states [n, hidden] into rows [n, d].
        cache: Where finished rows are kept; a new one when None.
        reproducible: Whether a row must not depend on what else is computed with it, to the last bit. On a CPU each
            sequence then has a forward to itself. On a GPU with packed attention every forward has the same number of
            tokens, so that the matrix products do not change their shape, and attention does not split its keys;
            rows are equal as far as the matrix library treats all rows of one shape alike. Nothing is promised
            between devices, numbers of threads or versions of torch.
    """

    def __init__(
        self, loaded: LoadedModel, head: Head, cache: VectorCache | None = None, reproducible: bool = False
    ) -> None:
        """Switch the model to the device's attention and measure its pack size, once a model."""
        self.loaded = loaded
        self.path = attention_path(loaded.device, loaded.dtype)
        self.reproducible = reproducible
        name = ATTENTION[self.path] + (", reproducible" if reproducible else "")
        self.provenance = replace(loaded.provenance, attention=name)
        # To the last bit a number also depends on the processor, which may have changed since it was stored.
        machine = f", {processor(loaded.device)}" if reproducible else ""
        self._keyed = replace(self.provenance, attention=name + machine)
        self.cache = VectorCache() if cache is None else cache
        self.forwards = 0
        self._head = head
        self.budget = self._prepared()

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
            places.setdefault(cache_key(self._keyed, ids), []).append(index)
        known = self.cache.get_many(list(places))
        if known:
            yield _spread([places[key] for key in known], np.stack(list(known.values())))
        missing = [key for key in places if key not in known]
        for keys, rows in self._computed(missing, [sequences[places[key][0]] for key in missing], cancel):
            self.cache.put(keys, rows)
            yield _spread([places[key] for key in keys], rows)

    def _computed(
        self, keys: list[bytes], sequences: list[TokenIds], cancel: CancelToken | None
    ) -> Iterator[tuple[list[bytes], Rows]]:
        """Compute what was not in the cache."""
        shared = 0 if self.reproducible or self.path == "padded" else shared_prefix(sequences)
        packs = run_packs(
            [len(ids) for ids in sequences],
            lambda taken: self._launch([sequences[index] for index in taken], shared),
            self._pack_budget(),
            self.loaded.device,
            shared=shared,
            cancel=cancel,
        )
        for taken, launched in _one_behind(packs) if self.loaded.device.type == "cuda" else packs:
            rows = launched.wait()
            if not np.isfinite(rows).all():
                count = int((~np.isfinite(rows)).any(axis=1).sum())
                raise ExplorerError("engine.not_finite", count=count, dtype=self.provenance.dtype)
            yield [keys[index] for index in taken], rows

    def _prepared(self) -> TokenBudget:
        """Switch the attention and measure the pack size; only the first runner of a model has to.

        All runners of a model share its budget, so that no job runs out of memory where another did.
        """
        budget = _BUDGETS.get(self.loaded)
        if budget is not None:
            return budget
        with device_lock(self.loaded.device):
            if self.loaded not in _BUDGETS:
                use_path(self.loaded.backbone, self.path)
                _BUDGETS[self.loaded] = self._measured()
            return _BUDGETS[self.loaded]

    def _measured(self) -> TokenBudget:
        parameters = self.loaded.checkpoint.parameters
        if self.loaded.released:
            return TokenBudget.of(self.loaded.device, parameters)
        return TokenBudget.measured(self.loaded.device, parameters, self._trial)

    def _pack_budget(self) -> TokenBudget:
        """Take the measured budget, or, in reproducible mode, one that never changes."""
        if not self.reproducible:
            return self.budget
        return TokenBudget(FIXED_TOKENS if self.path == "varlen" else 1)

    def _launch(self, sequences: Sequence[TokenIds], shared: int) -> _Launched:
        """Start one pack while holding the device; on a GPU its rows arrive later."""
        with device_lock(self.loaded.device), torch.inference_mode():
            if self.loaded.released:
                raise ModelLoadError("engine.model_released", model=self.provenance.model)
            self.forwards += 1
            states = self._states(sequences, shared if len(sequences) > 1 else 0)
            # One row at a time: a head's matrix product may round differently for different numbers of rows.
            parts = [row[None] for row in states] if self.reproducible else [states]
            rows = torch.cat([self._head(part) for part in parts]).to("cpu", non_blocking=True)
            arrived = torch.cuda.current_stream(self.loaded.device).record_event() if states.is_cuda else None
        return _Launched(rows, arrived)

    def _states(self, sequences: Sequence[TokenIds], shared: int) -> torch.Tensor:
        fixed = 0
        if self.reproducible and self.path == "varlen":
            fixed = FIXED_TOKENS * -(-sum(map(len, sequences)) // FIXED_TOKENS)
        return last_hidden_states(
            self.loaded.backbone,
            sequences,
            shared,
            self.loaded.device,
            self.path,
            reproducible=self.reproducible,
            fixed_tokens=fixed,
        )

    def _trial(self, tokens: int) -> None:
        """Run a pack of made-up texts to its end."""
        draw = np.random.default_rng(0)
        vocabulary = self.loaded.checkpoint.vocabulary
        texts = [draw.integers(0, vocabulary, TRIAL_TEXT) for _ in range(tokens // TRIAL_TEXT)]
        last_hidden_states(self.loaded.backbone, texts, 0, self.loaded.device, self.path).cpu()


def _one_behind(packs: Iterable[Pack]) -> Iterator[Pack]:
    """Hand each pack on after the next was started, so that the device never waits for the host."""
    held = None
    for pack in packs:
        if held is not None:
            yield held
        held = pack
    if held is not None:
        yield held


def _spread(places: Sequence[Sequence[int]], rows: Rows) -> tuple[NDArray[np.int64], Rows]:
    """Give every occurrence of an equal input its row."""
    indices = np.array([index for group in places for index in group], dtype=np.int64)
    return indices, np.repeat(rows, [len(group) for group in places], axis=0)

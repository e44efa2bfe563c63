"""What is loaded now: one place for an embedding model, one for a reranker."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Never

from explorer.errors import ModelLoadError
from explorer.models.acceleration import accelerated_dtype, accelerated_name
from explorer.models.background import Background, waited_for
from explorer.models.catalog import find
from explorer.models.devices import resolve_device
from explorer.models.loading import LOAD, LoadedModel, load_prepared, out_of_memory
from explorer.models.memory import MemoryPlan, give_back, memory_on, plan, used_bytes
from explorer.models.preparing import Prepared, prepare
from explorer.models.sources import resolve_source
from explorer.progress import CancelToken, LoadProgress, Progress
from explorer.provenance import Acceleration, Family

WAITING = "models.stage_waiting"
SEARCH = "models.stage_search"
CHECK = "models.stage_check"
RESTORE = "models.stage_restore"
DONE = "models.stage_done"

PATIENCE_SECONDS = 1.0
"""How long a stopped download may take to notice; one that waits for the network is left behind."""

log = logging.getLogger("explorer")


@dataclass(frozen=True)
class Freed:
    """Proof that a model's memory came back.

    Attributes:
        bytes_before: What this process held on the device before.
        bytes_after: What it holds now.
    """

    bytes_before: int
    bytes_after: int

    @property
    def returned(self) -> int:
        """Bytes that came back."""
        return self.bytes_before - self.bytes_after


class Shelf:
    """The models in memory, at most one of each family.

    Args:
        budget: Bytes that weights may take on one device together; None for whatever is free.
        accelerate: What is done to every model, see :mod:`explorer.models.acceleration`.
    """

    def __init__(self, budget: int | None = None, accelerate: Acceleration = "none") -> None:
        """Start empty."""
        self._budget = budget
        self._accelerate = accelerate
        self._models: dict[Family, LoadedModel] = {}
        self._recipes: dict[Family, Prepared] = {}
        # Not re-entrant, because the steps of one swap may run on different threads.
        self._changing: dict[Family, Lock] = {"embedding": Lock(), "reranker": Lock()}
        self._placing = Lock()
        self._slots = Lock()

    @property
    def embedder(self) -> LoadedModel | None:
        """The embedding model, or None."""
        return self.get("embedding")

    @property
    def reranker(self) -> LoadedModel | None:
        """The reranker, or None."""
        return self.get("reranker")

    def get(self, family: Family) -> LoadedModel | None:
        """Give the loaded model of a family.

        Args:
            family: ``"embedding"`` or ``"reranker"``.

        Returns:
            The model, or None when nothing is loaded.
        """
        return self._models.get(family)

    def plan(self, source: str, family: Family, device: str = "auto", dtype: str = "auto") -> MemoryPlan:
        """Compare what a model would need with what is free, counting what it would replace.

        A published checkpoint needs no download for this; anything else must be on this computer.

        Args:
            source: ``"bundled"``, a catalogue name, a local folder or a cached repository.
            family: What it is to be used as.
            device: ``"auto"``, ``"cpu"``, ``"mps"``, ``"cuda"`` or ``"cuda:N"``.
            dtype: ``"auto"``, ``"float32"`` or ``"bfloat16"``.

        Returns:
            Needed and free bytes, with a verdict.

        Raises:
            ModelLoadError: There is no such model, device or format.
        """
        target = resolve_device(device)
        weights = resolve_source(source, family).weights
        computed_in = accelerated_dtype(dtype, self._accelerate, target, weights)
        checkpoint = find(source, family)
        if checkpoint is None or checkpoint.family != family:
            checkpoint = prepare(source, family, device, offline=True).checkpoint
        wanted = accelerated_name(computed_in, self._accelerate)
        old = self._old_on(family, str(target))
        return plan(checkpoint, wanted, target, reclaimable=old, free=self._free(str(target)))

    def swap(
        self,
        family: Family,
        source: str = "bundled",
        device: str = "auto",
        dtype: str = "auto",
        *,
        offline: bool = False,
        cancel: CancelToken | None = None,
    ) -> Generator[Progress[LoadedModel], None, None]:
        """Load a model in place of the one of its family.

        The new model is loaded beside the old one when both fit. When only one fits, the old one makes room first,
        and is loaded again should the new one fail. When the new one would not fit even then, nothing is touched.

        One swap of a family runs at a time, and over both families only one reads weights; others wait, and say so.

        Args:
            family: ``"embedding"`` or ``"reranker"``.
            source: ``"bundled"``, a catalogue name, a local folder or a hub repository.
            device: ``"auto"``, ``"cpu"``, ``"mps"``, ``"cuda"`` or ``"cuda:N"``.
            dtype: ``"auto"``, ``"float32"`` or ``"bfloat16"``.
            offline: Never reach for the hub.
            cancel: Stops between two tensors; the old model stays.

        Yields:
            Steps in bytes; the last carries the loaded model.

        Raises:
            ModelLoadError: It cannot be found, read or used. The old model still works, unless the message says that
                it could not be loaded again.
            OutOfMemoryError: It does not fit; the message says what would. The old model still works.
            Cancelled: The person asked to stop. The old model still works.
        """
        token = cancel or CancelToken()
        with ExitStack() as held:
            yield from _hold(self._changing[family], token, held)
            way = self._accelerate
            look_up = partial(
                prepare, source, family, device, dtype, accelerate=way, offline=offline, cancel=token
            )
            looked_up = Background(lambda told: look_up(progress=told), SEARCH)
            prepared = yield from looked_up.steps(token, PATIENCE_SECONDS)
            loaded = yield from self._place(family, prepared, token, held)
        yield Progress(loaded.weight_bytes, loaded.weight_bytes, DONE, loaded)

    def unload(self, family: Family) -> Freed:
        """Let a model go and give its memory back to the system.

        It does not wait for a swap; a model that is on its way still comes.

        Args:
            family: ``"embedding"`` or ``"reranker"``.

        Returns:
            Bytes held before and after.

        Raises:
            ModelLoadError: Nothing is loaded.
        """
        loaded, _ = self._take_out(family)
        if loaded is None:
            raise ModelLoadError("models.nothing_loaded", family=family)
        return _released(loaded)

    def _place(
        self, family: Family, prepared: Prepared, token: CancelToken, held: ExitStack
    ) -> Generator[Progress[LoadedModel], None, LoadedModel]:
        """Read the weights, while nobody else does, and take the new model into use."""
        yield from _hold(self._placing, token, held)
        yield Progress(0, 0, CHECK)
        if self._must_make_room(prepared):
            loaded = yield from self._in_place(family, prepared, token, held)
        else:
            loaded = yield from _loading(prepared, token).steps(token)
        self._put(family, loaded, prepared)
        return loaded

    def _put(self, family: Family, loaded: LoadedModel, prepared: Prepared) -> None:
        """Take the new model into use and let the old one go."""
        with self._slots:
            old = self._models.get(family)
            self._models[family], self._recipes[family] = loaded, prepared
        if old is not None:
            _released(old)

    def _take_out(self, family: Family) -> tuple[LoadedModel | None, Prepared | None]:
        """Empty a family's place."""
        with self._slots:
            return self._models.pop(family, None), self._recipes.pop(family, None)

    def _in_place(
        self, family: Family, prepared: Prepared, token: CancelToken, held: ExitStack
    ) -> Generator[Progress[LoadedModel], None, LoadedModel]:
        """Unload the old model, load the new one, and bring the old one back if that fails.

        The locks go with the return of the old model, which takes its time even when nobody waits for it.
        """
        old, recipe = self._take_out(family)
        if old is not None:
            _released(old)
            del old
        try:
            return (yield from _loading(prepared, token).steps(token))
        except BaseException as error:
            if recipe is None:
                raise
            locks = held.pop_all()
            restoring = Background(lambda report: self._restore(family, recipe, locks, report), RESTORE)
            if not isinstance(error, GeneratorExit):
                yield from restoring.steps(CancelToken(), patience=0)
            raise

    def _restore(self, family: Family, recipe: Prepared, locks: ExitStack, report: LoadProgress) -> None:
        """Load the old model again, and only then let others change the shelf."""
        with locks:
            try:
                loaded = load_prepared(recipe, progress=lambda _, done, total: report(RESTORE, done, total))
            except Exception as error:
                log.error("%s could not be loaded again: %s", recipe.checkpoint.name, error)
                raise ModelLoadError("models.old_not_restored", model=recipe.checkpoint.name) from error
            self._put(family, loaded, recipe)

    def _must_make_room(self, prepared: Prepared) -> bool:
        """Decide whether the old model has to go first; refuse what fits in neither way."""
        device, dtype = prepared.device, prepared.dtype_name
        free = self._free(str(device))
        if plan(prepared.checkpoint, dtype, device, free=free).verdict != "too_large":
            return False
        old = self._old_on(prepared.checkpoint.family, str(device))
        with_room = plan(prepared.checkpoint, dtype, device, free=free, reclaimable=old)
        if with_room.verdict == "too_large":
            raise out_of_memory(prepared.checkpoint, dtype, device, with_room.free)
        return True

    def _old_on(self, family: Family, device: str) -> int:
        """Bytes that unloading this family's model would give back on a device."""
        old = self.get(family)
        return old.weight_bytes if old is not None and old.device_name == device else 0

    def _free(self, device: str) -> int:
        """Measure a device's free bytes, within the budget."""
        free = memory_on(device).free
        if self._budget is None:
            return free
        with self._slots:
            held = sum(model.weight_bytes for model in self._models.values() if model.device_name == device)
        return min(free, max(0, self._budget - held))


def _released(loaded: LoadedModel) -> Freed:
    """Release a model's weights even if somebody still holds the object."""
    before = used_bytes(loaded.device)
    loaded.release()
    give_back(loaded.device)
    return Freed(before, used_bytes(loaded.device))


def _loading(prepared: Prepared, token: CancelToken) -> Background[LoadedModel]:
    """Start to read weights."""
    return Background(lambda report: load_prepared(prepared, progress=report, cancel=token), LOAD)


def _hold(lock: Lock, token: CancelToken, held: ExitStack) -> Generator[Progress[Never], None, None]:
    """Wait for a lock and leave its release to the stack."""
    yield from waited_for(lock, WAITING, token)
    held.callback(lock.release)

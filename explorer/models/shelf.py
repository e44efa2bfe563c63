"""What is loaded now: one place for an embedding model, one for a reranker."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

from explorer.errors import ModelLoadError
from explorer.models.catalog import find
from explorer.models.devices import dtype_name, resolve_device, resolve_dtype
from explorer.models.loading import (
    LoadedModel,
    LoadProgress,
    Prepared,
    load_prepared,
    out_of_memory,
    prepare,
)
from explorer.models.memory import MemoryPlan, give_back, memory, plan, used_bytes, weight_bytes
from explorer.progress import CancelToken, Progress
from explorer.provenance import Family

Result = TypeVar("Result")

CHECK = "models.stage_check"
DONE = "models.stage_done"


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
    """

    def __init__(self, budget: int | None = None) -> None:
        """Start empty."""
        self._budget = budget
        self._models: dict[Family, LoadedModel] = {}
        self._recipes: dict[Family, Prepared] = {}
        # Not re-entrant, because the steps of one swap may run on different threads.
        self._changing = threading.Lock()

    @property
    def embedder(self) -> LoadedModel | None:
        """The embedding model, or None."""
        return self._models.get("embedding")

    @property
    def reranker(self) -> LoadedModel | None:
        """The reranker, or None."""
        return self._models.get("reranker")

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
        number_format = resolve_dtype(dtype, target)
        checkpoint = find(source, family)
        if checkpoint is None or checkpoint.family != family:
            checkpoint = prepare(source, family, device, dtype, offline=True).checkpoint
        wanted = dtype_name(number_format)
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
            ModelLoadError: It cannot be found, read or used. The old model still works.
            OutOfMemoryError: It does not fit; the message says what would. The old model still works.
            Cancelled: The person asked to stop. The old model still works.
        """
        token = cancel or CancelToken()
        with self._changing:
            prepared = yield from _steps(
                lambda report: prepare(
                    source, family, device, dtype, offline=offline, progress=report, cancel=token
                ),
                token,
            )
            yield Progress(0, 0, CHECK)
            if self._must_make_room(prepared):
                loaded = yield from self._in_place(family, prepared, token)
            else:
                loaded = yield from _steps(
                    lambda report: load_prepared(prepared, progress=report, cancel=token), token
                )
            self._put(family, loaded, prepared)
            size = weight_bytes(loaded.checkpoint, dtype_name(loaded.dtype))
            yield Progress(size, size, DONE, loaded)

    def unload(self, family: Family) -> Freed:
        """Let a model go and give its memory back to the system.

        Args:
            family: ``"embedding"`` or ``"reranker"``.

        Returns:
            Bytes held before and after.

        Raises:
            ModelLoadError: Nothing is loaded.
        """
        with self._changing:
            if family not in self._models:
                raise ModelLoadError("models.nothing_loaded", family=family)
            return self._drop(family)

    def _put(self, family: Family, loaded: LoadedModel, prepared: Prepared) -> None:
        """Take the new model into use and let the old one go."""
        old = self._models.get(family)
        self._models[family], self._recipes[family] = loaded, prepared
        if old is not None:
            old.release()
            device = old.device
            del old
            give_back(device)

    def _drop(self, family: Family) -> Freed:
        """Release a model's weights even if somebody still holds the object."""
        loaded = self._models.pop(family)
        self._recipes.pop(family)
        device = loaded.device
        before = used_bytes(device)
        loaded.release()
        del loaded
        give_back(device)
        return Freed(before, used_bytes(device))

    def _in_place(
        self, family: Family, prepared: Prepared, token: CancelToken
    ) -> Generator[Progress[LoadedModel], None, LoadedModel]:
        """Unload the old model, load the new one, and bring the old one back if that fails."""
        recipe = self._recipes[family]
        self._drop(family)
        try:
            return (
                yield from _steps(
                    lambda report: load_prepared(prepared, progress=report, cancel=token), token
                )
            )
        except BaseException:
            self._models[family] = load_prepared(recipe)
            self._recipes[family] = recipe
            raise

    def _must_make_room(self, prepared: Prepared) -> bool:
        """Decide whether the old model has to go first; refuse what fits in neither way."""
        device, dtype = prepared.device, dtype_name(prepared.dtype)
        free = self._free(str(device))
        if plan(prepared.checkpoint, dtype, device, free=free).verdict != "too_large":
            return False
        old = self._old_on(prepared.checkpoint.family, str(device))
        with_room = plan(prepared.checkpoint, dtype, device, free=free, reclaimable=old)
        if with_room.verdict == "too_large":
            raise out_of_memory(prepared.checkpoint, prepared.dtype, device, with_room.free)
        return True

    def _old_on(self, family: Family, device: str) -> int:
        """Bytes that unloading this family's model would give back on a device."""
        old = self._models.get(family)
        return _resident(old) if old is not None and str(old.device) == device else 0

    def _free(self, device: str) -> int:
        """Measure a device's free bytes, within the budget."""
        target = resolve_device(device)
        free = memory(target).free
        if self._budget is None:
            return free
        held = sum(_resident(model) for model in self._models.values() if str(model.device) == device)
        return min(free, max(0, self._budget - held))


def _resident(loaded: LoadedModel) -> int:
    """Bytes of a loaded model's weights."""
    return weight_bytes(loaded.checkpoint, dtype_name(loaded.dtype))


def _steps(
    work: Callable[[LoadProgress], Result], cancel: CancelToken
) -> Generator[Progress[LoadedModel], None, Result]:
    """Run work that reports by callback on another thread, and give its reports as steps.

    Leaving the generator early raises the token and waits for the work to stop.
    """
    reports: queue.SimpleQueue[tuple[str, int, int] | None] = queue.SimpleQueue()
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work(lambda stage, done, total: reports.put((stage, done, total))))
        except BaseException as error:
            failure.append(error)
        finally:
            reports.put(None)

    thread = threading.Thread(target=run, name="load-model", daemon=True)
    thread.start()
    try:
        while (report := reports.get()) is not None:
            stage, done, total = report
            yield Progress(done, total, stage)
    except GeneratorExit:
        cancel.cancel()
        raise
    finally:
        thread.join()
    if failure:
        # Popped, so that the traceback does not keep the half-loaded weights alive.
        raise failure.pop()
    return outcome[0]

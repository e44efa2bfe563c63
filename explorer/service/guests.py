"""Models that are loaded for a while and leave again, one at a time, without the loaded ones ever being mistaken."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Never

from explorer.errors import ExplorerError, OutOfMemoryError
from explorer.models.acceleration import accelerated_dtype
from explorer.models.background import Background
from explorer.models.catalog import find
from explorer.models.devices import resolve_device
from explorer.models.loading import LOAD, LoadedModel, load_prepared
from explorer.models.memory import give_back, readable_bytes
from explorer.models.preparing import Prepared, prepare
from explorer.models.shelf import SEARCH
from explorer.models.sources import resolve_source
from explorer.progress import CancelToken, Progress
from explorer.provenance import Family
from explorer.service.models import ModelRequest, check_source
from explorer.service.workspace import Workspace


class Guests:
    """One family's guests: the next is loaded after the one before has left.

    A guest stands beside the loaded models when it fits there. When it fits only in the place of its family's loaded
    one, that one makes room, and :meth:`restored` brings it back. Two models that do not fit together are never in
    memory at once, and no other job is ever answered by a guest.

    Args:
        workspace: Where the loaded models are.
        family: What the guests are used as.
    """

    def __init__(self, workspace: Workspace, family: Family) -> None:
        """Invite nobody yet."""
        self._workspace = workspace
        self._family = family
        self._guest: LoadedModel | None = None
        self._made_room: ModelRequest | None = None

    def welcome(
        self, source: str, device: str = "auto", dtype: str = "auto", *, offline: bool = True
    ) -> Generator[Progress[Never], None, LoadedModel]:
        """Load a guest; when the very model is loaded already, that one is given and stays.

        Args:
            source: ``"bundled"``, a catalogue name, a local folder or a hub repository.
            device: A device or ``"auto"``.
            dtype: A number format or ``"auto"``.
            offline: Never download it.

        Yields:
            Steps in bytes.

        Returns:
            The model. It is released by :meth:`leave` or the next :meth:`welcome`.

        Raises:
            ModelLoadError: It cannot be found, read or used.
            OutOfMemoryError: It fits in neither way; the message says what would.
            InputError: The model may not be loaded from this page.
        """
        self.leave()
        yield from self._settled()
        check_source(self._workspace, ModelRequest(self._family, source, device, dtype))
        present = self._present(source, device, dtype)
        if present is not None:
            return present
        needs_room = self._needs_room(source, device, dtype)
        token = CancelToken()
        prepared = yield from self._prepared(source, device, dtype, offline, token)
        if needs_room:
            self._make_room()
        reading = Background(lambda told: load_prepared(prepared, progress=told, cancel=token), LOAD)
        self._guest = yield from reading.steps(token)
        return self._guest

    def leave(self) -> None:
        """Release the guest that is here, if any."""
        guest, self._guest = self._guest, None
        if guest is not None:
            guest.release()
            give_back(guest.device)

    def restored(self) -> Generator[Progress[Never], None, None]:
        """Release the guest and load the model again that made room; whoever loaded another since keeps that.

        Yields:
            Steps in bytes.

        Raises:
            ExplorerError: The old model could not be loaded again.
        """
        self.leave()
        old = self._made_room
        if old is not None and self._workspace.shelf.get(self._family) is None:
            for step in self._workspace.swap(old.family, old.source, old.device, old.dtype):
                yield Progress(step.done, step.total, step.stage)
        self._made_room = None

    def _settled(self) -> Generator[Progress[Never], None, None]:
        """Wait for the models that the explorer was started with, whether or not they come."""
        try:
            yield from (
                self._workspace.embedder() if self._family == "embedding" else self._workspace.reranker()
            )
        except ExplorerError:
            return

    def _present(self, source: str, device: str, dtype: str) -> LoadedModel | None:
        """Find the very model among the loaded ones."""
        loaded = self._workspace.shelf.get(self._family)
        if loaded is None or self._name(source) != self._name(self._workspace.chosen[self._family]):
            return None
        target, accelerate = resolve_device(device), self._workspace.settings.accelerate
        wanted = accelerated_dtype(dtype, accelerate, target, resolve_source(source, self._family).weights)
        return loaded if (loaded.device, loaded.dtype) == (target, wanted) else None

    def _name(self, source: str) -> str:
        """Give a published model one name, however it is typed."""
        published = find(source, self._family)
        return source if published is None else published.name

    def _needs_room(self, source: str, device: str, dtype: str) -> bool:
        """Tell whether the loaded model has to go first; refuse what fits in neither way."""
        shelf, target = self._workspace.shelf, str(resolve_device(device))
        plan = shelf.plan(source, self._family, device, dtype)
        if plan.verdict == "too_large":
            raise OutOfMemoryError(
                "models.out_of_memory" if plan.suggestion else "models.out_of_memory_nothing_fits",
                model=self._name(source),
                device=target,
                needed=readable_bytes(plan.needed),
                free=readable_bytes(plan.free),
                suggestion=plan.suggestion or "",
            )
        old = shelf.get(self._family)
        return old is not None and old.device_name == target and plan.needed > plan.free - old.weight_bytes

    def _prepared(
        self, source: str, device: str, dtype: str, offline: bool, token: CancelToken
    ) -> Generator[Progress[Never], None, Prepared]:
        """Find the model's files."""
        settings = self._workspace.settings
        look_up = partial(
            prepare,
            source,
            self._family,
            device,
            dtype,
            accelerate=settings.accelerate,
            offline=offline or settings.offline,
            cancel=token,
        )
        return (yield from Background(lambda told: look_up(progress=told), SEARCH).steps(token))

    def _make_room(self) -> None:
        """Unload the family's model and remember how to load it again."""
        old = self._workspace.shelf.get(self._family)
        if old is None:
            return
        number_format = old.dtype_name.partition(",")[0]
        source = self._workspace.chosen[self._family]
        self._made_room = ModelRequest(self._family, source, old.device_name, number_format)
        self._workspace.shelf.unload(self._family)

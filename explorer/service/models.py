"""Models: what exists, whether it fits, loading and unloading, and what is loaded now."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import get_args

from explorer.errors import InputError
from explorer.models.catalog import Checkpoint, find, published
from explorer.models.devices import available_devices, resolve_device, resolve_dtype
from explorer.models.memory import MemoryPlan, memory_on, readable_bytes, used_bytes_on
from explorer.models.preparing import prepare
from explorer.models.sources import local_kind
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Family, Provenance
from explorer.service.workspace import Workspace

__all__ = [
    "FAMILIES",
    "CatalogueRow",
    "LoadedNow",
    "ModelRequest",
    "available_devices",
    "catalogue",
    "load",
    "loaded_now",
    "names",
    "readable_bytes",
    "unload",
    "would_fit",
]

FAMILIES: tuple[Family, ...] = get_args(Family)


@dataclass(frozen=True)
class ModelRequest:
    """Which model to load, and where.

    Attributes:
        family: ``"embedding"`` or ``"reranker"``.
        source: ``"bundled"``, a catalogue name, a local folder or a hub repository.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:N"`` or ``"mps"``.
        dtype: ``"auto"``, ``"bfloat16"`` or ``"float32"``.
    """

    family: Family
    source: str
    device: str = "auto"
    dtype: str = "auto"


@dataclass(frozen=True)
class CatalogueRow:
    """One published model and whether it would fit."""

    checkpoint: Checkpoint
    plan: MemoryPlan


@dataclass(frozen=True)
class LoadedNow:
    """What answers at the moment.

    Attributes:
        models: Provenance by family, of those that are loaded.
        loading: Whether the first models are still on their way.
        memory_used: Bytes that are taken on the device the embedding model uses.
        memory_total: Bytes that device has.
    """

    models: Mapping[Family, Provenance]
    loading: bool
    memory_used: int
    memory_total: int


def names(family: Family) -> list[str]:
    """List what can be loaded without typing: the bundled model, then the published ones."""
    return ["bundled", *(checkpoint.name for checkpoint in published(family))]


def catalogue(workspace: Workspace, device: str, dtype: str) -> tuple[CatalogueRow, ...]:
    """List the bundled and the published models with a verdict for a device.

    Args:
        workspace: Where the models are.
        device: A device or ``"auto"``.
        dtype: A number format or ``"auto"``.

    Returns:
        The bundled pair, then the six published checkpoints.

    Raises:
        ModelLoadError: There is no such device or number format.
    """
    bundled = [prepare("bundled", family, device, dtype, offline=True).checkpoint for family in FAMILIES]
    listed = [checkpoint for family in FAMILIES for checkpoint in published(family)]
    plan = workspace.shelf.plan
    return (
        *(CatalogueRow(entry, plan("bundled", entry.family, device, dtype)) for entry in bundled),
        *(CatalogueRow(entry, plan(entry.name, entry.family, device, dtype)) for entry in listed),
    )


def would_fit(workspace: Workspace, request: ModelRequest) -> Notice:
    """Compare what a model needs with what is free, before anything is loaded.

    Args:
        workspace: Where the models are.
        request: Which model, and where.

    Returns:
        The verdict as a sentence.

    Raises:
        ModelLoadError: There is no such model, device or number format.
        InputError: The model may not be loaded from this page.
    """
    check_source(workspace, request)
    plan = workspace.shelf.plan(request.source, request.family, request.device, request.dtype)
    values = {
        "model": request.source,
        "needed": readable_bytes(plan.needed),
        "free": readable_bytes(plan.free),
        "suggestion": plan.suggestion or "bundled",
    }
    return Notice(f"loading.would_{plan.verdict}", values)


def load(workspace: Workspace, request: ModelRequest) -> Generator[Progress[Notice], None, None]:
    """Load a model in place of the one of its family. On any error the old one still answers.

    Args:
        workspace: Where the models are.
        request: Which model, and where.

    Yields:
        Bytes downloaded and read; the last step with a sentence that tells what came.

    Raises:
        ModelLoadError: It cannot be found, read or used.
        OutOfMemoryError: It does not fit; the message says what would.
        InputError: The model may not be loaded from this page.
    """
    check_source(workspace, request)
    before = used_bytes_on(request.device)
    for step in workspace.swap(request.family, request.source, request.device, request.dtype):
        if step.partial is None:
            yield Progress(step.done, step.total, step.stage)
            continue
        loaded = step.partial
        values = {
            "model": loaded.provenance.model,
            "needed": readable_bytes(loaded.weight_bytes),
            "dtype": loaded.dtype_name,
            "device": loaded.device_name,
            "before": readable_bytes(before),
            "after": readable_bytes(used_bytes_on(request.device)),
        }
        workspace.chosen[request.family] = request.source
        yield Progress(step.done, step.total, step.stage, Notice("loading.loaded", values))


def unload(workspace: Workspace, family: Family) -> Notice:
    """Let a model go, and show by numbers that its memory came back.

    Args:
        workspace: Where the models are.
        family: ``"embedding"`` or ``"reranker"``.

    Returns:
        The numbers as a sentence.

    Raises:
        ModelLoadError: Nothing is loaded.
        InputError: Everybody shares this explorer.
    """
    if workspace.settings.open_to_network and workspace.settings.auth is None:
        raise InputError("loading.not_for_everybody")
    freed = workspace.shelf.unload(family)
    values = {
        "before": readable_bytes(freed.bytes_before),
        "after": readable_bytes(freed.bytes_after),
        "returned": readable_bytes(max(0, freed.returned)),
    }
    return Notice("loading.unloaded", values)


def loaded_now(workspace: Workspace) -> LoadedNow:
    """Tell what answers at the moment, and how full its device is."""
    loaded = {family: workspace.shelf.get(family) for family in FAMILIES}
    device = next((model.device_name for model in loaded.values() if model is not None), "cpu")
    room = memory_on(device)
    return LoadedNow(
        models={family: model.provenance for family, model in loaded.items() if model is not None},
        loading=workspace.loading,
        memory_used=room.used,
        memory_total=room.total,
    )


def check_source(workspace: Workspace, request: ModelRequest) -> None:
    """Refuse what a visitor from another machine must not reach: folders here, and downloads nobody listed."""
    settings = workspace.settings
    resolve_dtype(request.dtype, resolve_device(request.device))
    if not request.source.strip():
        raise InputError("loading.no_model")
    started_with = request.source in ("bundled", settings.embedding, settings.reranker)
    if settings.open_to_network and not started_with:
        if settings.auth is None:
            raise InputError("loading.not_for_everybody")
        if find(request.source, request.family) is None:
            raise InputError("loading.not_from_afar")
    if local_kind(request.source) == "file":
        raise InputError("loading.a_file")

"""Taking a trained model into use for every view, and going back."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from explorer.errors import InputError
from explorer.models.catalog import BUNDLED_NAME
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service import training_store as store
from explorer.service.training_store import RunRecord
from explorer.service.workspace import Workspace
from explorer.training.loop.watched import Measured


@dataclass(frozen=True)
class Change:
    """What a result is better and worse at than the model that it was made from.

    Attributes:
        model: Name of the result.
        before: Quality of the model before, on the pairs that the run held out.
        after: Quality of the result on the same pairs.
        record: The run that made it.
    """

    model: str
    before: Measured
    after: Measured
    record: RunRecord


def change(workspace: Workspace, name: str) -> Change | None:
    """Compare a result with the model that it was made from.

    Args:
        workspace: Where the runs are.
        name: From :func:`explorer.service.training.models`.

    Returns:
        Both measurements; None for the bundled model, and for a merge that was not measured.

    Raises:
        InputError: There is no such result.
    """
    model = workspace.training.model_folder(name)
    record = None if name == "bundled" else store.read_record(model.parent)
    if record is None:
        return None
    merged = store.read_merge(model.parent, name)
    if merged is not None:
        return Change(name, *merged, record)
    points = [event for event in store.read_history(model.parent) if isinstance(event, Measured)]
    whole = model == store.trained_folder(model.parent) and len(points) > 1
    return Change(name, points[0], points[-1], record) if whole else None


def visible_folder(workspace: Workspace, name: str) -> str:
    """Tell where a result lies, for use elsewhere; empty where strangers must not learn of this machine's folders.

    Args:
        workspace: Where the runs are.
        name: From :func:`explorer.service.training.models`.
    """
    hidden = name == "bundled" or hides_folders(workspace)
    return "" if hidden else str(workspace.training.model_folder(name))


def hides_folders(workspace: Workspace) -> bool:
    """Tell whether strangers use this explorer, who must not learn of this machine's folders."""
    return workspace.settings.open_to_network and workspace.settings.auth is None


def current_model(workspace: Workspace) -> Provenance | None:
    """Tell which embedding model answers in every view; None while none is loaded."""
    loaded = workspace.shelf.embedder
    return None if loaded is None else loaded.provenance


def previous_model(workspace: Workspace) -> str | None:
    """Name the model that answered before a trained one was taken into use; None when there is none."""
    source = workspace.training.previous_model
    if source is None:
        return None
    return BUNDLED_NAME if source == "bundled" else Path(source).name


def use_model(workspace: Workspace, name: str) -> Generator[Progress[Provenance], None, None]:
    """Load a result as the embedding model, so that every view answers with it.

    Args:
        workspace: Where models are.
        name: From :func:`explorer.service.training.models`; never a path.

    Yields:
        Bytes read; the last step with the model's provenance.

    Raises:
        InputError: There is no such result, or everybody shares this explorer.
        ModelLoadError: It cannot be read; the model from before still answers.
        OutOfMemoryError: It does not fit; the model from before still answers.
    """
    folder = workspace.training.model_folder(name)
    source = "bundled" if name == "bundled" else str(folder)
    before = workspace.chosen["embedding"]
    for step in _load(workspace, source):
        if step.partial is not None and source != before:
            workspace.training.previous_model = before
        yield step


def use_previous(workspace: Workspace) -> Generator[Progress[Provenance], None, None]:
    """Load the model that answered before :func:`use_model`.

    Args:
        workspace: Where models are.

    Yields:
        Bytes read; the last step with the model's provenance.

    Raises:
        InputError: There was none before, or everybody shares this explorer.
    """
    source = workspace.training.previous_model
    if source is None:
        raise InputError("training.no_previous")
    for step in _load(workspace, source):
        if step.partial is not None:
            workspace.training.previous_model = None
        yield step


def _load(workspace: Workspace, source: str) -> Generator[Progress[Provenance], None, None]:
    """Swap the embedding model, on the device and in the number format of the settings."""
    settings = workspace.settings
    if hides_folders(workspace):
        raise InputError("loading.not_for_everybody")
    for step in workspace.swap("embedding", source, settings.device, settings.dtype):
        if step.partial is None:
            yield Progress(step.done, step.total, step.stage)
            continue
        workspace.chosen["embedding"] = source
        yield Progress(step.done, step.total, step.stage, step.partial.provenance)

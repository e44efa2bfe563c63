"""Where the numbers of a bundle came from: models, versions and machine."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from explorer.errors import InputError
from explorer.models.devices import processor
from explorer.models.loading import LoadedModel
from explorer.models.sources import resolve_source
from explorer.provenance import Provenance
from explorer.service.workspace import Workspace

FORMAT = 1
"""Raised when ``repro.py`` of an older bundle could not read a newer one."""

SEED = 0
"""What ``repro.py`` sets torch's generator to. Nothing behind these numbers is drawn at random."""

_PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "pandas", "pyarrow", "pillow")


def still_loaded(workspace: Workspace, made: Provenance) -> LoadedModel:
    """Find the model that made the numbers on screen.

    Args:
        workspace: Where the models are.
        made: What the numbers say of their model.

    Returns:
        The model.

    Raises:
        InputError: Another model, number format or device has taken its place since.
    """
    loaded = workspace.shelf.get(made.family)
    if loaded is None or _identity(loaded.provenance) != _identity(made):
        now = "-" if loaded is None else loaded.provenance.line
        raise InputError("evidence.other_model", made=made.line, loaded=now)
    return loaded


def model_record(
    workspace: Workspace, loaded: LoadedModel, made: Provenance, max_length: int
) -> dict[str, object]:
    """Describe a model so that somebody else can load the same one.

    Args:
        workspace: Where the model is loaded.
        loaded: The model.
        made: What the numbers on screen say of it.
        max_length: Longest input in tokens that the explorer gave it.

    Returns:
        Plain JSON.
    """
    return {
        "name": made.model,
        "family": made.family,
        "weights": made.weights,
        **_place(workspace, loaded),
        "fingerprint": made.fingerprint,
        "dtype": made.dtype,
        "device": made.device,
        "processor": processor(loaded.device),
        "attention": made.attention,
        "max_length": max_length,
        "dimensions": loaded.dimensions,
    }


def _identity(provenance: Provenance) -> tuple[str, str, str]:
    """Tell models apart; the engine names the attention path later than the loader."""
    return provenance.fingerprint, provenance.dtype, provenance.device


def _place(workspace: Workspace, loaded: LoadedModel) -> Mapping[str, str | None]:
    """Name the repository and commit, or the folder.

    Others who visit the page must not learn where this computer keeps its files.
    """
    source = resolve_source(workspace.chosen[loaded.provenance.family], loaded.provenance.family)
    if source.repository is not None:
        return {"repository": source.repository, "revision": loaded.checkpoint.revision}
    others_visit = workspace.settings.in_space or workspace.settings.open_to_network
    if source.folder is None or others_visit:
        return {}
    folder = source.folder.resolve()
    home = Path.home()
    shown = Path("~") / folder.relative_to(home) if folder.is_relative_to(home) else folder
    return {"folder": str(shown)}


def environment() -> dict[str, object]:
    """Name the versions and the machine.

    Returns:
        Plain JSON, without a name of the computer or its user, and without a date.
    """
    return {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        "machine": {"system": platform.system(), "architecture": platform.machine()},
    }

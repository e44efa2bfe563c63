"""From what a person typed to the folder that holds the model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from explorer.errors import ModelLoadError
from explorer.models.catalog import BUNDLED_FOLDERS, BUNDLED_NAME, Checkpoint, find
from explorer.provenance import Family, Weights

_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Source:
    """Where a model is to come from.

    Attributes:
        name: What a reader sees.
        weights: Who made the weights.
        folder: The local folder, or None when it must come from the hub.
        repository: The hub repository, or None for a folder.
        revision: The commit to fetch, or None for a repository's main branch.
        checkpoint: The catalogue's entry, when it has one.
    """

    name: str
    weights: Weights
    folder: Path | None = None
    repository: str | None = None
    revision: str | None = None
    checkpoint: Checkpoint | None = None


def resolve_source(source: str, family: Family) -> Source:
    """Understand what a person typed.

    Args:
        source: ``"bundled"``, a catalogue name (``"Qwen/Qwen3-Embedding-4B"`` or ``"4B"``), a local folder, or
            a hub repository (``"owner/name"``).
        family: What the model is to be used as.

    Returns:
        Where it comes from; nothing has been downloaded yet.

    Raises:
        ModelLoadError: It is none of these, or a published model of the other family.
    """
    typed = source.strip()
    if typed == "bundled":
        return _bundled(family)
    folder = typed_path(typed)
    if local_kind(typed) == "folder":
        return Source(name=folder.resolve().name, weights="other", folder=folder, revision=_commit(folder))
    checkpoint = find(typed, family)
    if checkpoint is not None:
        return _from_catalogue(checkpoint, family)
    looks_local = typed.startswith(("/", ".", "~", "\\")) or len(folder.parts) > 2
    if looks_local or not _is_repository(typed):
        raise _missing(typed)
    return Source(name=typed, weights="other", repository=typed)


def typed_path(typed: str) -> Path:
    """Read a path as a person types it, with ``~`` for a home folder.

    Args:
        typed: What was typed.

    Returns:
        The path, whether or not there is anything.

    Raises:
        ModelLoadError: The path is too long or cannot be read, or names a person whom this computer does not know.
    """
    try:
        path = Path(typed).expanduser()
        path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise _missing(typed) from error
    return path


def local_kind(typed: str) -> Literal["folder", "file", "nothing"]:
    """Tell what lies at a typed path.

    Args:
        typed: What was typed.

    Returns:
        ``"folder"``, ``"file"`` or ``"nothing"``; an empty text is nothing.

    Raises:
        ModelLoadError: It cannot be a path at all.
    """
    path = typed_path(typed)
    if not typed:
        return "nothing"
    return "folder" if path.is_dir() else "file" if path.is_file() else "nothing"


def _is_repository(typed: str) -> bool:
    """Tell whether the hub would take this as ``"owner/name"``."""
    try:
        validate_repo_id(typed)
    except HFValidationError:
        return False
    return typed.count("/") == 1


def _missing(typed: str) -> ModelLoadError:
    """Say that there is no such model, without repeating more of it than a reader can use."""
    return ModelLoadError("models.source_missing", source=typed[:80])


def _bundled(family: Family) -> Source:
    """Point at the model that comes with the explorer."""
    folder = BUNDLED_FOLDERS[family]
    if not folder.is_dir():
        raise ModelLoadError("models.bundled_missing", folder=folder.name)
    return Source(name=BUNDLED_NAME, weights="bundled", folder=folder)


def _from_catalogue(checkpoint: Checkpoint, family: Family) -> Source:
    """Point at a published checkpoint, at its pinned commit."""
    if checkpoint.family != family:
        wrong = "models.family_not_embedding" if family == "embedding" else "models.family_not_reranker"
        raise ModelLoadError(wrong, folder=checkpoint.name)
    return Source(
        name=checkpoint.name,
        weights="published",
        repository=checkpoint.name,
        revision=checkpoint.revision,
        checkpoint=checkpoint,
    )


def _commit(folder: Path) -> str | None:
    """Read the commit from a folder laid out as the hub's cache (``snapshots/<commit>``)."""
    resolved = folder.resolve()
    in_cache = resolved.parent.name == "snapshots" and _COMMIT.fullmatch(resolved.name)
    return resolved.name if in_cache else None

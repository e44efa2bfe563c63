"""Fetching a repository's safetensors, configuration and tokenizer from the Hugging Face hub, and nothing else."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import huggingface_hub.constants
from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled, RepositoryNotFoundError
from huggingface_hub.utils.tqdm import tqdm as hub_tqdm

from explorer.errors import ExplorerError, ModelLoadError
from explorer.models.memory import readable_bytes
from explorer.models.weights import shard_files
from explorer.progress import CancelToken, ProgressCallback

ALLOWED = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "*.safetensors",
    "*.safetensors.index.json",
)
"""Every file that is ever fetched: no pickled weights, no code."""


def fetch(
    repository: str,
    revision: str | None,
    *,
    offline: bool = False,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> Path:
    """Make a repository's model files available locally.

    Args:
        repository: ``"owner/name"``.
        revision: The commit, or None for the main branch.
        offline: Use only what is in the local cache.
        progress: Called with (bytes done, bytes in all) while downloading.
        cancel: Stops the download between chunks; the hub's cache resumes it another time.

    Returns:
        The folder of the snapshot; its name is the commit.

    Raises:
        ModelLoadError: It is not cached and cannot be fetched, or the disk is full.
        Cancelled: The person asked to stop.
    """
    cached = _cached(repository, revision)
    if cached is not None:
        return cached
    if offline:
        raise ModelLoadError("models.offline_not_cached", repository=repository)
    try:
        return _download(repository, revision, progress, cancel or CancelToken())
    except ExplorerError:
        raise
    except Exception as error:  # the hub client lets its transport's own errors through
        raise _explained(error, repository) from error


def _cached(repository: str, revision: str | None) -> Path | None:
    """Find a complete snapshot in the local cache."""
    try:
        folder = Path(
            huggingface_hub.snapshot_download(
                repository,
                revision=revision,
                cache_dir=huggingface_hub.constants.HF_HUB_CACHE,
                local_files_only=True,
                allow_patterns=list(ALLOWED),
            )
        )
        complete = (folder / "config.json").exists() and (folder / "tokenizer.json").exists()
        return folder if complete and all(path.exists() for path in shard_files(folder)) else None
    except (LocalEntryNotFoundError, ModelLoadError):
        return None


def _download(
    repository: str, revision: str | None, progress: ProgressCallback | None, cancel: CancelToken
) -> Path:
    """Fetch the allowed files one after another, so that the bytes can be counted and stopped."""
    listing = huggingface_hub.snapshot_download(
        repository, revision=revision, allow_patterns=list(ALLOWED), dry_run=True
    )
    wanted = [file for file in listing if "/" not in file.filename]
    total = sum(file.file_size or 0 for file in wanted)
    missing = sum(file.file_size or 0 for file in wanted if not file.is_cached)
    _check_disk(missing, repository)
    done, folder = 0, None
    for file in wanted:
        cancel.raise_if_cancelled()
        meter = _meter(progress, done, total, cancel)
        path = huggingface_hub.hf_hub_download(
            repository, file.filename, revision=file.commit_hash, tqdm_class=meter
        )
        folder, done = Path(path).parent, done + (file.file_size or 0)
        if progress:
            progress(done, total)
    if folder is None:
        raise ModelLoadError("models.weights_missing", folder=repository)
    return folder


def _meter(progress: ProgressCallback | None, before: int, total: int, cancel: CancelToken) -> type[hub_tqdm]:
    """Make a silent progress bar that reports bytes and lets a person stop the download."""

    class Meter(hub_tqdm):
        def __init__(self, *args: object, **options: Any) -> None:  # noqa: ANN401 - tqdm's own signature
            self.count = int(options.get("initial") or 0)
            super().__init__(*args, **{**options, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            cancel.raise_if_cancelled()
            self.count += int(n or 0)
            if progress:
                progress(before + self.count, total)

    return Meter


def _check_disk(missing: int, repository: str) -> None:
    """Refuse a download the disk has no room for, before it starts."""
    place = Path(huggingface_hub.constants.HF_HUB_CACHE)
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if missing > free:
        raise ModelLoadError(
            "models.disk_full",
            repository=repository,
            needed=readable_bytes(missing),
            free=readable_bytes(free),
        )


def _explained(error: Exception, repository: str) -> ModelLoadError:
    """Turn a failed download into a sentence with a cure."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        free = shutil.disk_usage(Path.home()).free
        return ModelLoadError(
            "models.disk_full", repository=repository, needed="?", free=readable_bytes(free)
        )
    if isinstance(error, OfflineModeIsEnabled):
        return ModelLoadError("models.offline_not_cached", repository=repository)
    if isinstance(error, RepositoryNotFoundError):
        return ModelLoadError("models.repository_missing", repository=repository)
    return ModelLoadError("models.download_failed", repository=repository, reason=type(error).__name__)

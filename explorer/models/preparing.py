"""Finding a model's files and checking what they are, before any weight is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from explorer.models.acceleration import accelerated_dtype, accelerated_name, check_compiler
from explorer.models.catalog import Checkpoint
from explorer.models.checks import CheckedConfig, read_config
from explorer.models.devices import resolve_device
from explorer.models.download import fetch
from explorer.models.sources import Source, resolve_source
from explorer.progress import CancelToken, LoadProgress
from explorer.provenance import Acceleration, Family

DOWNLOAD = "models.stage_download"


@dataclass(frozen=True)
class Prepared:
    """A model that lies on the disk and passed the checks of its configuration.

    Attributes:
        folder: Where its files are.
        checked: Its configuration.
        checkpoint: Its shape.
        device: Where it is to run.
        dtype: What it is to compute in.
        accelerate: What is to be done to it.
    """

    folder: Path
    checked: CheckedConfig
    checkpoint: Checkpoint
    device: torch.device
    dtype: torch.dtype
    accelerate: Acceleration = "none"

    @property
    def dtype_name(self) -> str:
        """What it is to compute in, as provenance will say it."""
        return accelerated_name(self.dtype, self.accelerate)


def prepare(
    source: str,
    family: Family,
    device: str = "auto",
    dtype: str = "auto",
    *,
    accelerate: Acceleration = "none",
    offline: bool = False,
    progress: LoadProgress | None = None,
    cancel: CancelToken | None = None,
) -> Prepared:
    """Find a model, download it when it must come from the hub, and check it, without loading weights.

    Args:
        source: ``"bundled"``, a catalogue name, a local folder or a hub repository.
        family: What it is to be used as.
        device: ``"auto"``, ``"cpu"``, ``"mps"``, ``"cuda"`` or ``"cuda:N"``.
        dtype: ``"auto"``, ``"float32"`` or ``"bfloat16"``.
        accelerate: What is to be done to it.
        offline: Never reach for the hub.
        progress: Called with (stage, bytes done, bytes in all) while downloading.
        cancel: Stops the download.

    Returns:
        What :func:`explorer.models.loading.load_prepared` needs.

    Raises:
        ModelLoadError: It cannot be found, used or accelerated; the message says what to do.
        Cancelled: The person asked to stop.
    """
    found = resolve_source(source, family)
    target = resolve_device(device)
    number_format = accelerated_dtype(dtype, accelerate, target, found.weights)
    if accelerate == "compile":
        check_compiler(target)
    folder, revision = _locate(found, offline=offline, progress=progress, cancel=cancel)
    checked = read_config(folder, family)
    checkpoint = checked.checkpoint(found.name, family, found.weights, revision)
    return Prepared(folder, checked, checkpoint, target, number_format, accelerate)


def _locate(
    found: Source, *, offline: bool, progress: LoadProgress | None, cancel: CancelToken | None
) -> tuple[Path, str | None]:
    """Make a source's files available locally, and name the commit they are of."""
    if found.folder is not None:
        return found.folder, found.revision
    assert found.repository is not None  # noqa: S101 - a source has a folder or a repository
    report = (lambda done, total: progress(DOWNLOAD, done, total)) if progress else None
    folder = fetch(found.repository, found.revision, offline=offline, progress=report, cancel=cancel)
    return folder, found.revision or folder.name

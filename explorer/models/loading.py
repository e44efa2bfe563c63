"""Files to a module on a device, with progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn

from explorer.errors import ModelLoadError, OutOfMemoryError
from explorer.models.catalog import Checkpoint
from explorer.models.checks import CheckedConfig, read_config
from explorer.models.devices import device_lock, dtype_name, is_out_of_memory, resolve_device, resolve_dtype
from explorer.models.download import fetch
from explorer.models.memory import give_back, largest_that_fits, memory, needed_bytes, readable_bytes
from explorer.models.sources import Source, resolve_source
from explorer.models.tokenizer import answer_token, read_tokenizer
from explorer.models.weights import WeightReader, build_backbone
from explorer.progress import CancelToken
from explorer.provenance import Family, Provenance

LoadProgress = Callable[[str, int, int], None]
"""Called with (stage, bytes done, bytes in all); the stage is a key of :mod:`explorer.texts`."""

DOWNLOAD = "models.stage_download"
LOAD = "models.stage_load"


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model in memory.

    Attributes:
        backbone: ``Qwen3Model`` in evaluation mode, without its language-model head.
        tokenizer: The folder's own tokenizer, without truncation or padding.
        head: float32 tensor [2, hidden_size] on the device, the rows for "no" and "yes"; None for embedding
            models.
        provenance: What must stand beside its numbers.
        checkpoint: Its shape, as its own configuration says.
        device: Where it lies.
        dtype: What its weights are.
    """

    backbone: nn.Module
    tokenizer: Tokenizer
    head: torch.Tensor | None
    provenance: Provenance
    checkpoint: Checkpoint
    device: torch.device
    dtype: torch.dtype

    @property
    def dimensions(self) -> int:
        """Full embedding dimension."""
        return self.checkpoint.dimensions

    @property
    def max_length(self) -> int:
        """Longest input in tokens."""
        return self.checkpoint.context

    @property
    def dtype_name(self) -> str:
        """What its weights are, as provenance says it, for instance ``"bfloat16"``."""
        return dtype_name(self.dtype)

    @property
    def device_name(self) -> str:
        """Where it lies, for instance ``"cuda:0"``."""
        return str(self.device)

    @property
    def weight_bytes(self) -> int:
        """Bytes of its weights."""
        return self.checkpoint.bytes(self.dtype_name)

    @property
    def released(self) -> bool:
        """Whether the weights were given back and nothing can be computed any more."""
        return next(self.backbone.parameters()).is_meta

    def release(self) -> None:
        """Give the weights' memory back, even if somebody still holds this object."""
        with device_lock(self.device):
            self.backbone.to("meta")


def load_model(
    source: str,
    family: Family,
    device: str = "auto",
    dtype: str = "auto",
    *,
    offline: bool = False,
    progress: LoadProgress | None = None,
    cancel: CancelToken | None = None,
) -> LoadedModel:
    """Load a model of the Qwen3 architecture.

    Args:
        source: ``"bundled"``, a catalogue name, a local folder or a hub repository.
        family: What it is to be used as.
        device: ``"auto"``, ``"cpu"``, ``"mps"``, ``"cuda"`` or ``"cuda:N"``.
        dtype: ``"auto"``, ``"float32"`` or ``"bfloat16"``.
        offline: Never reach for the hub.
        progress: Called with (stage, bytes done, bytes in all).
        cancel: Stops between two tensors, or between two chunks of a download.

    Returns:
        The model, ready to compute.

    Raises:
        ModelLoadError: It cannot be found, read or used; the message says what to do.
        OutOfMemoryError: The device has no room; the message says what would fit.
        Cancelled: The person asked to stop.
    """
    prepared = prepare(source, family, device, dtype, offline=offline, progress=progress, cancel=cancel)
    return load_prepared(prepared, progress=progress, cancel=cancel)


@dataclass(frozen=True)
class Prepared:
    """A model that lies on the disk and passed the checks of its configuration.

    Attributes:
        folder: Where its files are.
        checked: Its configuration.
        checkpoint: Its shape.
        device: Where it is to run.
        dtype: What its weights are to become.
    """

    folder: Path
    checked: CheckedConfig
    checkpoint: Checkpoint
    device: torch.device
    dtype: torch.dtype


def prepare(
    source: str,
    family: Family,
    device: str = "auto",
    dtype: str = "auto",
    *,
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
        offline: Never reach for the hub.
        progress: Called with (stage, bytes done, bytes in all) while downloading.
        cancel: Stops the download.

    Returns:
        What :func:`load_prepared` needs.

    Raises:
        ModelLoadError: It cannot be found or used; the message says what to do.
        Cancelled: The person asked to stop.
    """
    found = resolve_source(source, family)
    target = resolve_device(device)
    number_format = resolve_dtype(dtype, target)
    folder, revision = _locate(found, offline=offline, progress=progress, cancel=cancel)
    checked = read_config(folder, family)
    checkpoint = checked.checkpoint(found.name, family, found.weights, revision)
    return Prepared(folder, checked, checkpoint, target, number_format)


def load_prepared(
    prepared: Prepared, *, progress: LoadProgress | None = None, cancel: CancelToken | None = None
) -> LoadedModel:
    """Read the weights of a prepared model.

    Args:
        prepared: From :func:`prepare`.
        progress: Called with (stage, bytes done, bytes in all).
        cancel: Stops between two tensors.

    Returns:
        The model, ready to compute.

    Raises:
        ModelLoadError: Weights or tokenizer are damaged or do not belong together.
        OutOfMemoryError: The device has no room; the message says what would fit.
        Cancelled: The person asked to stop.
    """
    try:
        return _load(prepared, _step(progress, cancel or CancelToken()))
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    # Outside the handler, so that the traceback no longer keeps the half-filled module alive.
    give_back(prepared.device)
    raise out_of_memory(prepared.checkpoint, prepared.dtype, prepared.device)


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


def out_of_memory(
    checkpoint: Checkpoint, dtype: torch.dtype, device: torch.device, free: int | None = None
) -> OutOfMemoryError:
    """Say that a model did not fit, and what would.

    Args:
        checkpoint: The model that did not fit.
        dtype: The format asked for.
        device: The device asked for.
        free: Bytes available, when already known.

    Returns:
        The error to raise.
    """
    free = memory(device).free if free is None else free
    name = dtype_name(dtype)
    needed = needed_bytes(checkpoint, name, device.type)
    best = largest_that_fits(checkpoint.family, device, name, free)
    key = "models.out_of_memory" if best else "models.out_of_memory_nothing_fits"
    return OutOfMemoryError(
        key,
        model=checkpoint.name,
        device=str(device),
        needed=readable_bytes(needed),
        free=readable_bytes(free),
        suggestion=best.name if best else "",
    )


def _step(progress: LoadProgress | None, cancel: CancelToken) -> Callable[[int, int], None]:
    """Report progress and notice a wish to stop."""

    def step(done: int, total: int) -> None:
        cancel.raise_if_cancelled()
        if progress:
            progress(LOAD, done, total)

    return step


def _load(prepared: Prepared, step: Callable[[int, int], None]) -> LoadedModel:
    """Read tokenizer, head and weights from a folder whose configuration was checked."""
    checked, checkpoint, device = prepared.checked, prepared.checkpoint, prepared.device
    tokenizer, tokenizer_digest = read_tokenizer(prepared.folder, checked.config.vocab_size)
    reader = WeightReader(prepared.folder, checked)
    head = _read_head(reader, checked, tokenizer) if checkpoint.family == "reranker" else None
    backbone = build_backbone(checked, device)
    reader.into(backbone, device, prepared.dtype, step)
    provenance = Provenance(
        model=checkpoint.name,
        family=checkpoint.family,
        weights=checkpoint.weights,
        fingerprint=f"{reader.digest}{tokenizer_digest}",
        dtype=dtype_name(prepared.dtype),
        device=str(device),
        attention="sdpa",
    )
    placed_head = None if head is None else head.to(device)
    return LoadedModel(backbone, tokenizer, placed_head, provenance, checkpoint, device, prepared.dtype)


def _read_head(reader: WeightReader, checked: CheckedConfig, tokenizer: Tokenizer) -> torch.Tensor:
    """Read the two rows, "no" then "yes", whose difference is the score.

    A sequence-classification conversion keeps that difference itself as one row, so its rows are (0, w).
    """
    if checked.architecture == "Qwen3ForSequenceClassification":
        if reader.shape("score.weight")[:1] != (1,):
            raise ModelLoadError("models.head_not_one_row")
        score = reader.rows("score.weight", [0])
        return torch.cat([torch.zeros_like(score), score])
    table = "embed_tokens.weight" if checked.config.tie_word_embeddings else "lm_head.weight"
    return reader.rows(table, [answer_token(tokenizer, word) for word in ("no", "yes")])

"""Files to a module on a device, with progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import nn

from explorer.errors import ModelLoadError, OutOfMemoryError
from explorer.models.acceleration import compile_layers
from explorer.models.catalog import Checkpoint
from explorer.models.checks import CheckedConfig
from explorer.models.devices import device_lock, is_out_of_memory
from explorer.models.memory import give_back, largest_that_fits, memory, needed_bytes, readable_bytes
from explorer.models.preparing import Prepared, prepare
from explorer.models.tokenizer import answer_token, read_tokenizer
from explorer.models.weights import WeightReader, build_backbone
from explorer.progress import CancelToken, LoadProgress
from explorer.provenance import Acceleration, Family, Provenance

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
        dtype: What it computes in.
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
        """What it computes in, as provenance says it, for instance ``"bfloat16"``."""
        return self.provenance.dtype

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
    accelerate: Acceleration = "none",
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
        accelerate: ``"none"``, ``"compile"``, ``"int8"`` or ``"bf16"``, see :mod:`explorer.models.acceleration`.
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
    prepared = prepare(
        source,
        family,
        device,
        dtype,
        accelerate=accelerate,
        offline=offline,
        progress=progress,
        cancel=cancel,
    )
    return load_prepared(prepared, progress=progress, cancel=cancel)


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
    raise out_of_memory(prepared.checkpoint, prepared.dtype_name, prepared.device)


def out_of_memory(
    checkpoint: Checkpoint, dtype: str, device: torch.device, free: int | None = None
) -> OutOfMemoryError:
    """Say that a model did not fit, and what would.

    Args:
        checkpoint: The model that did not fit.
        dtype: The format asked for, as provenance says it.
        device: The device asked for.
        free: Bytes available, when already known.

    Returns:
        The error to raise.
    """
    free = memory(device).free if free is None else free
    needed = needed_bytes(checkpoint, dtype, device.type)
    best = largest_that_fits(checkpoint.family, device, dtype, free)
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
    reader.into(backbone, device, prepared.dtype, step, int8=prepared.accelerate == "int8")
    if prepared.accelerate == "compile":
        compile_layers(backbone)
    provenance = Provenance(
        model=checkpoint.name,
        family=checkpoint.family,
        weights=checkpoint.weights,
        fingerprint=f"{reader.digest}{tokenizer_digest}",
        dtype=prepared.dtype_name,
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

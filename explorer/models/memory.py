"""Bytes needed, bytes free, verdict."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import psutil

from explorer.models.catalog import Checkpoint, bytes_per_parameter, published
from explorer.models.devices import resolve_device
from explorer.provenance import Family

if TYPE_CHECKING:
    import torch

Verdict = Literal["fits", "tight", "too_large"]

COMFORT = 1.15
"""A plan fits when this many times the bytes needed are free; between one and this it is tight."""

WORKING_TOKENS = {"cpu": 4096, "mps": 8192, "cuda": 16384}
"""Tokens computed at once on each kind of device, which decides the room for activations."""

RUNTIME_BYTES = {"cpu": 0, "mps": 0, "cuda": 600 << 20}
"""What the device's libraries take before the first tensor: a CUDA context and its workspaces."""

ROUNDS_UP = 0.9995
"""From this part of a unit on the larger unit is used, so that nobody reads 1000 kB."""

_CGROUP_PAIRS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
    ),
)


@dataclass(frozen=True)
class Memory:
    """The memory of one device, in bytes."""

    total: int
    free: int

    @property
    def used(self) -> int:
        """Bytes that all programs together have taken."""
        return self.total - self.free


@dataclass(frozen=True)
class MemoryPlan:
    """Whether a model would fit.

    Attributes:
        needed: Bytes for weights, activations and the device's libraries.
        weights: Bytes of the weights alone.
        free: Bytes that are free now, with what an old model would give back.
        verdict: ``"fits"``, ``"tight"`` or ``"too_large"``.
        suggestion: Name of the largest published checkpoint of the family that would fit, or None.
    """

    needed: int
    weights: int
    free: int
    verdict: Verdict
    suggestion: str | None


def weight_bytes(checkpoint: Checkpoint, dtype: str) -> int:
    """Size of a checkpoint's weights in memory.

    Args:
        checkpoint: The model's shape.
        dtype: As in provenance, for instance ``"bfloat16"`` or ``"float32, int8 weights"``.

    Returns:
        Bytes.
    """
    return checkpoint.bytes(dtype)


def activation_bytes(checkpoint: Checkpoint, dtype: str, device_type: str) -> int:
    """Estimate the room one batch of text needs beside the weights.

    Args:
        checkpoint: The model's shape.
        dtype: As in provenance, for instance ``"bfloat16"`` or ``"float32, int8 weights"``.
        device_type: ``"cpu"``, ``"cuda"`` or ``"mps"``.

    Returns:
        Bytes: per token the residual stream and its copies, the feed-forward layer, and the attention
        projections, of the one layer that is alive at a time.
    """
    heads = checkpoint.head_dim * (2 * checkpoint.query_heads + 2 * checkpoint.key_value_heads)
    per_token = 6 * checkpoint.hidden_size + 3 * checkpoint.intermediate_size + 3 * heads
    return WORKING_TOKENS[device_type] * per_token * bytes_per_parameter(dtype)


def memory(device: torch.device) -> Memory:
    """Measure a device's memory.

    Args:
        device: CPU, a CUDA device or MPS.

    Returns:
        Total and free bytes; on Linux the smaller of the machine's and the control group's.
    """
    if device.type == "cpu":
        return _host_memory()
    import torch

    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return Memory(total=total, free=free + cached)
    total = torch.mps.recommended_max_memory()
    return Memory(total=total, free=max(0, total - torch.mps.driver_allocated_memory()))


def memory_on(device: str = "cpu") -> Memory:
    """Measure the memory of a device that is known by name.

    Args:
        device: ``"auto"``, ``"cpu"``, ``"mps"``, ``"cuda"`` or ``"cuda:N"``.

    Returns:
        Total and free bytes.

    Raises:
        ModelLoadError: There is no such device here.
    """
    return memory(resolve_device(device))


def plan(
    checkpoint: Checkpoint, dtype: str, device: torch.device, *, reclaimable: int = 0, free: int | None = None
) -> MemoryPlan:
    """Compare what a model needs with what is free.

    Args:
        checkpoint: The model's shape.
        dtype: As in provenance, for instance ``"bfloat16"`` or ``"float32, int8 weights"``.
        device: Where it would run.
        reclaimable: Bytes that unloading another model would give back.
        free: Free bytes, when already measured or limited by a budget.

    Returns:
        The plan with its verdict.
    """
    available = (memory(device).free if free is None else free) + reclaimable
    needed = needed_bytes(checkpoint, dtype, device.type)
    verdict: Verdict = (
        "too_large" if needed > available else "tight" if needed * COMFORT > available else "fits"
    )
    best = largest_that_fits(checkpoint.family, device, dtype, available)
    return MemoryPlan(
        needed=needed,
        weights=weight_bytes(checkpoint, dtype),
        free=available,
        verdict=verdict,
        suggestion=best.name if best else None,
    )


def needed_bytes(checkpoint: Checkpoint, dtype: str, device_type: str) -> int:
    """Bytes for weights, activations and the device's libraries together.

    Args:
        checkpoint: The model's shape.
        dtype: As in provenance, for instance ``"bfloat16"`` or ``"float32, int8 weights"``.
        device_type: ``"cpu"``, ``"cuda"`` or ``"mps"``.

    Returns:
        Bytes.
    """
    working = activation_bytes(checkpoint, dtype, device_type)
    return weight_bytes(checkpoint, dtype) + working + RUNTIME_BYTES[device_type]


def largest_that_fits(family: Family, device: torch.device, dtype: str, free: int) -> Checkpoint | None:
    """Find the largest published checkpoint that a device has room for.

    Args:
        family: ``"embedding"`` or ``"reranker"``.
        device: Where it would run.
        dtype: As in provenance, for instance ``"bfloat16"`` or ``"float32, int8 weights"``.
        free: Bytes available.

    Returns:
        The checkpoint, or None when not even the smallest fits.
    """
    fitting = [item for item in published(family) if needed_bytes(item, dtype, device.type) <= free]
    return fitting[-1] if fitting else None


def give_back(device: torch.device) -> None:
    """Return freed memory to the system, so that other programs can have it.

    Args:
        device: The device whose caches to empty. The host's heap is trimmed too, where the C library can.
    """
    gc.collect()
    if device.type != "cpu":
        import torch

        empty = torch.cuda.empty_cache if device.type == "cuda" else torch.mps.empty_cache
        empty()
    if sys.platform == "linux":
        import ctypes

        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def used_bytes(device: torch.device) -> int:
    """Measure what this process holds on a device.

    Args:
        device: CPU, a CUDA device or MPS.

    Returns:
        Resident bytes on the host, allocated bytes on a GPU.
    """
    if device.type == "cpu":
        return int(psutil.Process().memory_info().rss)
    import torch

    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    return torch.mps.current_allocated_memory()


def used_bytes_on(device: str = "cpu") -> int:
    """Measure what this process holds on a device that is known by name.

    Args:
        device: ``"auto"``, ``"cpu"``, ``"mps"``, ``"cuda"`` or ``"cuda:N"``.

    Returns:
        Resident bytes on the host, allocated bytes on a GPU.

    Raises:
        ModelLoadError: There is no such device here.
    """
    return used_bytes(resolve_device(device))


def readable_bytes(count: int) -> str:
    """Say a number of bytes for a reader.

    Args:
        count: Bytes; a difference may be negative.

    Returns:
        For instance ``"1.2 GB"``, ``"16.5 MB"`` or ``"12 kB"``; a gigabyte is 10**9 bytes.
    """
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if abs(count) >= ROUNDS_UP * size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 10**3:.0f} kB"


def _host_memory() -> Memory:
    """Measure the machine's memory and any limit of a container around this process."""
    machine = psutil.virtual_memory()
    total, free = int(machine.total), int(machine.available)
    for limit, used in _cgroup_limits():
        if limit < total:
            total, free = limit, min(free, max(0, limit - used))
    return Memory(total=total, free=free)


def _cgroup_limits() -> Iterator[tuple[int, int]]:
    """Read (limit, used) of this process's control group, without page cache that can be dropped."""
    for limit_file, used_file, stat_file in _CGROUP_PAIRS:
        try:
            limit = int(Path(limit_file).read_text())
            used = int(Path(used_file).read_text())
            stats = dict(line.split() for line in Path(stat_file).read_text().splitlines())
        except (OSError, ValueError):
            continue
        yield limit, used - int(stats.get("inactive_file", 0))

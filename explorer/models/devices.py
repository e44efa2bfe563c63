"""Which device and which number format a model runs on, and one lock for each device."""

from __future__ import annotations

import re
import threading
from functools import cache

import torch

from explorer.errors import ModelLoadError

_DEVICE = re.compile(r"(cpu|mps|cuda(:\d+)?)")


def available_devices() -> list[str]:
    """List the devices of this machine by the names :func:`resolve_device` takes.

    Returns:
        ``"auto"`` and ``"cpu"`` first, then every CUDA device and MPS where there are any.
    """
    cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    found = ["auto", "cpu", *(f"cuda:{index}" for index in range(cuda))]
    return [*found, "mps"] if _has_mps() else found


def resolve_device(device: str = "auto") -> torch.device:
    """Choose the device.

    Args:
        device: ``"auto"`` (CUDA, else Apple's MPS, else CPU), ``"cpu"``, ``"mps"``, ``"cuda"`` or ``"cuda:1"``.

    Returns:
        The device, with its index when it is a CUDA device.

    Raises:
        ModelLoadError: There is no such device here.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu"
    if not _DEVICE.fullmatch(device):
        raise ModelLoadError("models.device_unknown", device=device)
    chosen = torch.device(device)
    if chosen.type == "cuda":
        index = chosen.index if chosen.index is not None else 0
        if not torch.cuda.is_available() or index >= torch.cuda.device_count():
            raise ModelLoadError("models.device_missing", device=device)
        return torch.device("cuda", index)
    if chosen.type == "mps" and not _has_mps():
        raise ModelLoadError("models.device_missing", device=device)
    return chosen


def resolve_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """Choose the number format of the weights.

    Half precision (float16) is refused: its range is too small for this family, and published reports show NaN
    for ordinary texts (QwenLM/Qwen3-Embedding issue 164). bfloat16 has the range of float32.

    Args:
        dtype: ``"auto"`` (bfloat16 on CUDA where it is supported, float32 elsewhere), ``"float32"`` or
            ``"bfloat16"``.
        device: The device it will run on.

    Returns:
        The torch dtype.

    Raises:
        ModelLoadError: The format is float16 or unknown.
    """
    if dtype == "auto":
        fast = device.type == "cuda" and torch.cuda.is_bf16_supported()
        return torch.bfloat16 if fast else torch.float32
    if dtype in ("float16", "fp16", "half"):
        raise ModelLoadError("models.float16_refused")
    if dtype not in ("float32", "bfloat16"):
        raise ModelLoadError("models.dtype_unknown", dtype=dtype)
    return torch.bfloat16 if dtype == "bfloat16" else torch.float32


def computes_bfloat16(device: torch.device) -> bool:
    """Tell whether a device multiplies bfloat16 matrices faster than float32 ones.

    Args:
        device: CPU, CUDA or MPS.

    Returns:
        True on CUDA devices with bfloat16 units, on x86 processors with AVX-512 BF16 or AMX, and on Arm processors
        with the bf16 extension.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    able = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def processor(device: torch.device) -> str:
    """Tell processors apart that may round differently.

    Args:
        device: The device.

    Returns:
        A GPU's model; of a CPU its instruction set and the number of threads, among which sums are divided.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads"


def dtype_name(dtype: torch.dtype) -> str:
    """Name a dtype as provenance does, for instance ``"bfloat16"``."""
    return str(dtype).removeprefix("torch.")


def device_lock(device: torch.device) -> threading.RLock:
    """Give the one lock of a device, which is held while a batch runs or weights move.

    Args:
        device: The device.

    Returns:
        A re-entrant lock, the same for every caller that names this device.
    """
    return _lock(str(device))


@cache
def _lock(device: str) -> threading.RLock:
    """Make the lock of a device once."""
    return threading.RLock()


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that the device had no room.

    Args:
        error: What was raised.

    Returns:
        True for CUDA, MPS and host allocation failures.
    """
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        phrase in said for phrase in ("out of memory", "can't allocate memory", "not enough memory")
    )


def _has_mps() -> bool:
    """Whether this is an Apple machine whose GPU torch can use."""
    return torch.backends.mps.is_available()

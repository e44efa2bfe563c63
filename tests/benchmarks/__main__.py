"""Measure and print one table.

``python -m tests.benchmarks --quick`` takes a minute or two on two cores, the default about twenty, ``--full`` also
compiles umap-learn's defaults. On a GPU ``python -m tests.benchmarks --device cuda --shape 8B`` (or 0.6B, 4B) measures
what a GPU is for; it needs torch, transformers, sentence-transformers and psutil, and nothing else of this project's
requirements.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

import torch
import transformers

from explorer.models.devices import dtype_name, resolve_device, resolve_dtype
from tests.benchmarks import shapes
from tests.benchmarks.rates import matrix_rate
from tests.benchmarks.setting import Setting, setting_for
from tests.benchmarks.table import Row, written
from tests.benchmarks.weights import random_model

MODEL_PARTS = ("rerank", "instructions", "attribution", "embed", "stored", "reproducible", "accelerations")
"""What is measured with a model of the shape that was asked for."""

OTHER_PARTS = ("search", "growth", "umap_map", "startup")
GPU_PARTS = (*MODEL_PARTS, "search")


def main(arguments: Sequence[str]) -> int:
    """Measure what was asked for.

    Args:
        arguments: Command line without the program's name.

    Returns:
        Exit status.
    """
    given = _parser().parse_args(arguments)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=UserWarning)
    if given.threads:
        torch.set_num_threads(given.threads)
    device = resolve_device(given.device)
    dtype = resolve_dtype(given.dtype, device)
    asked = {name: getattr(given, name) for name in ("repetitions", "documents", "texts")}
    asked = {name: value for name, value in asked.items() if value} | {"against_umap": given.full}
    setting = setting_for(device, given.quick, asked)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    heading = _heading(device, dtype)
    begun = time.perf_counter()
    rows = []
    try:
        for row in _measured(given, setting, dtype):
            rows.append(row)
            print(row.measure, row.way, row.note, sep=" | ", file=sys.stderr, flush=True)
    finally:
        # What was measured before something failed, or before the time was over, is worth its table.
        print(
            heading,
            f"{time.perf_counter() - begun:.0f} s in all; medians over turns taken one after another\n",
        )
        print(written(rows))
    return 0


def _parser() -> argparse.ArgumentParser:
    """Say what can be asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto", choices=("auto", "float32", "bfloat16"))
    parser.add_argument("--shape", choices=shapes.NAMES, help="default: bench on a CPU, 0.6B elsewhere")
    parser.add_argument("--only", nargs="+", choices=(*MODEL_PARTS, *OTHER_PARTS))
    parser.add_argument("--repetitions", type=int, help="turns of each contestant")
    parser.add_argument("--documents", type=int, nargs="+", help="documents to rerank")
    parser.add_argument("--texts", type=int, help="texts to embed")
    parser.add_argument("--threads", type=int, help="threads of torch on the CPU")
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("--quick", action="store_true", help="less of everything, in a minute or two")
    amount.add_argument("--full", action="store_true", help="umap-learn's defaults too")
    return parser


def _measured(given: argparse.Namespace, setting: Setting, dtype: torch.dtype) -> Iterator[Row]:
    """Measure part after part; a part's libraries are imported when its turn comes."""
    on_cpu = setting.device.type == "cpu"
    name = given.shape or ("small" if given.quick and on_cpu else "bench" if on_cpu else "0.6B")
    wanted = given.only or ((*MODEL_PARTS, *OTHER_PARTS) if on_cpu else GPU_PARTS)
    model_parts = [part for part in MODEL_PARTS if part in wanted]
    if model_parts:
        rate = matrix_rate(setting.device, dtype)
        yield Row(f"{dtype_name(dtype)} matrix product", "torch", note=f"{rate / 1e12:,.3f} TFLOP/s")
        with random_model(shapes.shape(name), setting.device, dtype) as model:
            for part in model_parts:
                yield from import_module(f"tests.benchmarks.{part}").measure(model, setting, rate)
    for part in OTHER_PARTS:
        if part in wanted:
            yield from import_module(f"tests.benchmarks.{part}").measure(setting)


def _heading(device: torch.device, dtype: torch.dtype) -> str:
    """Say what the numbers were measured on."""
    cuda = device.type == "cuda"
    machine = (
        torch.cuda.get_device_name(device)
        if cuda
        else f"{platform.machine()}, {torch.get_num_threads()} threads"
    )
    load = f", load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    libraries = ", ".join(
        f"{name} {_version(name)}" for name in ("torch", "transformers", "sentence-transformers")
    )
    return f"{libraries}, {device} ({machine}), {dtype_name(dtype)}{load},"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Measure and print one table.

``python -m tests.benchmarks --quick`` takes less than a minute on two cores, the default some minutes, ``--full`` also
compiles umap-learn's defaults. On a GPU: ``python -m tests.benchmarks --device cuda --shape 8B --only rerank embed``.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
import warnings
from collections.abc import Iterator, Sequence

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

import torch
import transformers

from explorer.models.devices import dtype_name, resolve_device, resolve_dtype
from tests.benchmarks import embed, growth, rates, rerank, shapes, startup, umap_map
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import Row, written
from tests.benchmarks.weights import random_model

PARTS = ("rerank", "embed", "growth", "map", "start")


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
    setting = _setting(given)
    dtype = resolve_dtype(given.dtype, setting.device)
    begun = time.perf_counter()
    rows = []
    for row in _measured(given, setting, dtype):
        rows.append(row)
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(_heading(setting.device, dtype, time.perf_counter() - begun))
    print(written(rows))
    return 0


def _parser() -> argparse.ArgumentParser:
    """Say what can be asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto", choices=("auto", "float32", "bfloat16"))
    parser.add_argument("--shape", choices=shapes.NAMES, help="default: bench on a CPU, 0.6B elsewhere")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--repetitions", type=int, help="turns of each contestant")
    parser.add_argument("--documents", type=int, help="documents to rerank")
    parser.add_argument("--texts", type=int, help="texts to embed")
    parser.add_argument("--threads", type=int, help="threads of torch on the CPU")
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("--quick", action="store_true", help="less of everything, in under a minute")
    amount.add_argument("--full", action="store_true", help="umap-learn's defaults too")
    return parser


def _setting(given: argparse.Namespace) -> Setting:
    """Decide how much to measure."""
    quick = given.quick
    return Setting(
        device=resolve_device(given.device),
        repetitions=given.repetitions or (2 if quick else 5),
        documents=given.documents or (24 if quick else 100),
        texts=given.texts or (100 if quick else 2_000),
        growth=(200, 400, 800) if quick else (1_000, 4_000, 16_000),
        map_rows=1_000 if quick else 10_000,
        against_umap=given.full,
        starts=1 if quick else 5,
    )


def _measured(given: argparse.Namespace, setting: Setting, dtype: torch.dtype) -> Iterator[Row]:
    """Measure part after part."""
    on_cpu = setting.device.type == "cpu"
    name = given.shape or ("small" if given.quick else "bench" if on_cpu else "0.6B")
    if {"rerank", "embed"} & set(given.only):
        rate = rates.matrix_rate(setting.device, dtype)
        yield Row(f"{dtype_name(dtype)} matrix product", "torch", note=f"{rate / 1e12:,.3f} TFLOP/s")
        with random_model(shapes.shape(name), setting.device, dtype) as model:
            for part in (rerank, embed):
                if part.__name__.rpartition(".")[2] in given.only:
                    yield from part.measure(model, setting, rate)
    if "growth" in given.only:
        with random_model(shapes.shape("small" if on_cpu else name), setting.device, dtype) as model:
            yield from growth.measure(model, setting)
    if "map" in given.only:
        yield from umap_map.measure(setting)
    if "start" in given.only:
        yield from startup.measure(setting)


def _heading(device: torch.device, dtype: torch.dtype, seconds: float) -> str:
    """Say what the numbers were measured on."""
    cuda = device.type == "cuda"
    machine = (
        torch.cuda.get_device_name(device)
        if cuda
        else f"{platform.machine()}, {torch.get_num_threads()} threads"
    )
    load = f", load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    return (
        f"torch {torch.__version__}, transformers {transformers.__version__}, {device} ({machine}), "
        f"{dtype_name(dtype)}{load}, {seconds:.0f} s in all; medians over turns taken one after another\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

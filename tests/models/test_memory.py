"""Verdicts follow from bytes needed and bytes free."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from explorer.errors import ModelLoadError
from explorer.models import memory as module
from explorer.models.catalog import published
from explorer.models.devices import available_devices
from explorer.models.memory import (
    COMFORT,
    largest_that_fits,
    memory,
    memory_on,
    needed_bytes,
    plan,
    readable_bytes,
    used_bytes,
    used_bytes_on,
    weight_bytes,
)

CPU = torch.device("cpu")
SMALL, MIDDLE, LARGE = published("embedding")


def test_the_verdict_changes_where_the_bytes_say() -> None:
    needed = needed_bytes(SMALL, "float32", "cpu")
    assert needed > weight_bytes(SMALL, "float32") == 4 * SMALL.parameters
    assert plan(SMALL, "float32", CPU, free=needed - 1).verdict == "too_large"
    assert plan(SMALL, "float32", CPU, free=needed).verdict == "tight"
    assert plan(SMALL, "float32", CPU, free=int(needed * COMFORT) + 1).verdict == "fits"


def test_an_old_model_counts_as_free() -> None:
    needed = needed_bytes(SMALL, "float32", "cpu")
    assert plan(SMALL, "float32", CPU, free=0, reclaimable=needed).verdict == "tight"


def test_the_suggestion_is_the_largest_that_fits() -> None:
    free = needed_bytes(MIDDLE, "bfloat16", "cpu")
    assert plan(LARGE, "bfloat16", CPU, free=free).suggestion == MIDDLE.name
    assert largest_that_fits("embedding", CPU, "bfloat16", free - 1) == SMALL
    assert largest_that_fits("embedding", CPU, "bfloat16", 1) is None
    assert plan(LARGE, "bfloat16", CPU, free=1).suggestion is None


def test_the_host_is_measured() -> None:
    found = memory(CPU)
    assert 0 < found.free <= found.total
    assert 0 < used_bytes(CPU) < found.total
    assert found.used == found.total - found.free


def test_a_device_is_measured_by_name() -> None:
    assert memory_on("cpu").total == memory_on().total == memory(CPU).total
    assert 0 < used_bytes_on("cpu") < memory_on("cpu").total
    with pytest.raises(ModelLoadError):
        memory_on("cuda:99")
    with pytest.raises(ModelLoadError):
        used_bytes_on("tpu")


def test_every_listed_device_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert available_devices()[:2] == ["auto", "cpu"]
    assert all(memory_on(name).total > 0 for name in available_devices())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert available_devices() == ["auto", "cpu", "cuda:0", "cuda:1", "mps"]


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 kB"),
        (999, "1 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (16_541_832, "16.5 MB"),
        (999_950_000, "1.0 GB"),
        (7_500_000_000, "7.5 GB"),
        (-1_200_000_000, "-1.2 GB"),
    ],
)
def test_bytes_are_said_for_readers(count: int, said: str) -> None:
    assert readable_bytes(count) == said


def test_a_containers_limit_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit, used, stat = (tmp_path / name for name in ("max", "current", "stat"))
    limit.write_text("1000000\n")
    used.write_text("700000\n")
    stat.write_text("anon 1\ninactive_file 200000\n")
    monkeypatch.setattr(module, "_CGROUP_PAIRS", ((str(limit), str(used), str(stat)),))
    assert memory(CPU) == module.Memory(total=1_000_000, free=500_000)
    limit.write_text("max\n")
    assert memory(CPU).total > 1_000_000

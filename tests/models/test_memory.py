"""Verdicts follow from bytes needed and bytes free."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from explorer.models import memory as module
from explorer.models.catalog import published
from explorer.models.memory import (
    COMFORT,
    largest_that_fits,
    memory,
    needed_bytes,
    plan,
    used_bytes,
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


def test_a_containers_limit_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit, used, stat = (tmp_path / name for name in ("max", "current", "stat"))
    limit.write_text("1000000\n")
    used.write_text("700000\n")
    stat.write_text("anon 1\ninactive_file 200000\n")
    monkeypatch.setattr(module, "_CGROUP_PAIRS", ((str(limit), str(used), str(stat)),))
    assert memory(CPU) == module.Memory(total=1_000_000, free=500_000)
    limit.write_text("max\n")
    assert memory(CPU).total > 1_000_000

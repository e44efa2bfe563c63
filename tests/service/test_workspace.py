"""Results outlive a workspace, unless others share the machine or somebody said no."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from explorer.service.workspace import Workspace, waited_for
from explorer.settings import Settings

FILE = "results.sqlite"


@pytest.fixture
def begin(make_model: Callable[..., Path], tmp_path: Path) -> Callable[..., Workspace]:
    """Start a workspace over the same folder."""
    return lambda **settings: Workspace(
        Settings(embedding=str(make_model()), data_dir=tmp_path / "data", offline=True, **settings)
    )


def test_a_restarted_workspace_computes_nothing_again(
    begin: Callable[..., Workspace], tmp_path: Path
) -> None:
    first = begin()
    assert not (tmp_path / "data").exists(), "starting must not wait for a disk"
    vectors = waited_for(first.embedder()).encode(["a", "b"])
    first.cache.close()
    assert (tmp_path / "data" / FILE).is_file()
    again = waited_for(begin().embedder())
    assert (again.encode(["a", "b"]) == vectors).all()
    assert again.forwards == 0


@pytest.mark.parametrize("settings", [{"in_space": True}, {"cache_gigabytes": 0.0}])
def test_in_a_space_or_with_no_room_results_stay_in_memory(
    begin: Callable[..., Workspace], tmp_path: Path, settings: dict[str, object]
) -> None:
    workspace = begin(**settings)
    embedder = waited_for(workspace.embedder())
    embedder.encode(["a", "b"])
    workspace.cache.close()
    assert len(workspace.cache) == 2
    assert not list(tmp_path.rglob(f"{FILE}*"))

"""Results outlive a workspace, unless others share the machine or somebody said no."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from explorer.service.workspace import Workspace, waited_for
from explorer.settings import Settings

FILE = "results.sqlite"
ROOT = Path(__file__).resolve().parents[2]


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


@pytest.mark.parametrize("seconds", [0.0, 0.4, 1.0])
def test_a_program_may_end_while_models_are_still_being_loaded(tmp_path: Path, seconds: float) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom explorer.service.workspace import Workspace\n"
        "from explorer.settings import Settings\n"
        "Workspace(Settings(data_dir=Path(sys.argv[1]))).start()\ntime.sleep(float(sys.argv[2]))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), str(seconds)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, "")

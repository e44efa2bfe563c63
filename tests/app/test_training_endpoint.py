"""A training beside everybody else's work: no endpoint of its own, and the others keep answering."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client

from explorer.service import training
from explorer.service.training import TrainingRequest
from explorer.service.workspace import Workspace

SECONDS = 120
QUERY = "How long do fresh eggs keep?"


@pytest.fixture
def busy(workspace: Workspace) -> Iterator[Workspace]:
    """The explorer while a real training of the bundled model runs."""
    pairs = training.bundled_pairs(workspace)
    training.start(workspace, TrainingRequest(pairs.name, steps=1_000, batch_pairs=4))
    yield workspace
    state = training.state(workspace)
    if state is not None and state.alive:
        training.pause(workspace)
        workspace.training.wait(SECONDS)


def test_no_event_of_the_view_is_a_public_endpoint(client: Client) -> None:
    names = client.view_api(return_format="dict")["named_endpoints"]
    assert [name for name in names if "train" in name] == []


def test_rerank_answers_while_a_training_runs(client: Client, busy: Workspace) -> None:
    first = client.predict(QUERY, ["Eggs keep three weeks.", "Owls hunt at night."], api_name="/rerank")
    for number in range(3):
        answer = client.predict(
            QUERY, ["Eggs keep three weeks.", f"Owls hunt {number} mice a night."], api_name="/rerank"
        )
        assert answer["log_odds"][0] == pytest.approx(first["log_odds"][0], abs=1e-3)
    state = training.state(busy)
    assert state is not None and state.alive and state.error is None


def test_a_run_keeps_its_files_below_the_data_folder(busy: Workspace) -> None:
    state = training.state(busy)
    assert state is not None
    folder = busy.settings.data_dir / "training" / state.name
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert record["request"] == dataclasses.asdict(state.record.request)
    assert [path for path in Path(folder).rglob("*.pkl")] == []

"""A recorded training, so that the Training view has something to show before anybody has trained.

``python -m explorer record-demo-training`` makes it with the bundled model and pairs; it is shown, and said to be
recorded, until the first run of one's own.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from explorer.service import training_store as store
from explorer.service.examples import DEMO
from explorer.service.training_desk import MergePath, TrainingDesk
from explorer.service.training_run import RunState
from explorer.service.workspace import Workspace, finished
from explorer.training.loop.watched import Measured

FOLDER = DEMO / "training"
STEPS = 120


@dataclass(frozen=True)
class RecordedTraining:
    """A run and a merge of long ago.

    Attributes:
        run: The run as it ended.
        path: Quality on the way from the model before to the model after.
        date: When it was recorded, ``YYYY-MM-DD``.
    """

    run: RunState
    path: MergePath
    date: str


@cache
def recorded_training() -> RecordedTraining | None:
    """Read the recorded training; None when there is none."""
    record, file = store.read_record(FOLDER), FOLDER / "path.json"
    if record is None or not file.is_file():
        return None
    fields = json.loads(file.read_text(encoding="utf-8"))
    date = fields.pop("date")
    points = tuple(store.measured_from(point) for point in fields.pop("points"))
    path = MergePath(**{**fields, "weights": tuple(fields["weights"]), "points": points})
    steps = [event for event in store.read_history(FOLDER) if not isinstance(event, Measured)]
    quality = [event for event in store.read_history(FOLDER) if isinstance(event, Measured)]
    run = RunState(
        name=FOLDER.name,
        phase="finished",
        record=record,
        done=len(steps),
        steps=tuple(steps),
        quality=tuple(quality),
        seconds_left=None,
        error=None,
        model=None,
        version=0,
    )
    return RecordedTraining(run, path, date)


def record(workspace: Workspace, steps: int = STEPS, folder: Path = FOLDER) -> None:
    """Train the bundled model on the bundled pairs, measure the way back, and store the figures.

    Args:
        workspace: Where models are; its training desk is replaced by one in a temporary folder.
        steps: Steps of the run.
        folder: Where the figures go.

    Raises:
        ExplorerError: The training could not go on.
    """
    from explorer.service import training

    with tempfile.TemporaryDirectory() as place:
        desk = workspace.training
        workspace.training = TrainingDesk(Path(place), workspace.settings.device, desk.limits)
        pairs = training.bundled_pairs(workspace)
        training.start(
            workspace,
            training.TrainingRequest(pairs.name, steps=steps, batch_pairs=16, learning_rate=1e-4),
        )
        workspace.training.wait()
        state = training.state(workspace)
        if state is None or state.error is not None or state.model is None:
            raise state.error if state is not None and state.error is not None else RuntimeError("no model")
        path = finished(training.merge_path(workspace, "bundled", state.model.name))
        folder.mkdir(parents=True, exist_ok=True)
        made = state.model.parent
        for name in ("run.json", "history.jsonl"):
            (folder / name).write_bytes((made / name).read_bytes())
        fields = {
            **dataclasses.asdict(path),
            "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        }
        (folder / "path.json").write_text(json.dumps(fields) + "\n", encoding="utf-8")
        workspace.training = desk

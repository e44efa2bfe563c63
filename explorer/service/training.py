"""Training: pairs, their filter, a run in the background, a merge along the way back, and the result in use.

Every function takes the workspace; a run goes on when nobody asks about it, one at a time in a process::

    pairs = training.bundled_pairs(workspace)
    finished(training.filter_cosines(workspace, pairs.name))
    training.start(workspace, TrainingRequest(pairs.name, steps=100))
    state = training.state(workspace)
"""

from __future__ import annotations

from pathlib import Path

from explorer.errors import InputError
from explorer.service import training_pairs
from explorer.service.training_compare import (
    Change,
    change,
    current_model,
    hides_folders,
    previous_model,
    use_model,
    use_previous,
    visible_folder,
)
from explorer.service.training_desk import MergePath
from explorer.service.training_filter import Filtered, filter_cosines
from explorer.service.training_merge import keep_merge, merge_path
from explorer.service.training_pairs import PairSet
from explorer.service.training_request import DEFAULT_THRESHOLD, TrainingLimits, TrainingRequest
from explorer.service.training_run import RunState
from explorer.service.workspace import Workspace
from explorer.training.loop.watched import Measured

__all__ = [
    "DEFAULT_THRESHOLD",
    "Change",
    "Filtered",
    "Measured",
    "MergePath",
    "PairSet",
    "RunState",
    "TrainingLimits",
    "TrainingRequest",
    "bundled_pairs",
    "change",
    "current_model",
    "filter_cosines",
    "hides_folders",
    "keep_merge",
    "kept_by",
    "known_cosines",
    "merge_path",
    "models",
    "pause",
    "previous_model",
    "resume",
    "start",
    "state",
    "stop",
    "uploaded_pairs",
    "use_model",
    "use_previous",
    "visible_folder",
]


def bundled_pairs(workspace: Workspace) -> PairSet:
    """Give the pairs that are made of the demo corpus by rule."""
    return training_pairs.bundled_pairs(workspace.training.pairs)


def uploaded_pairs(workspace: Workspace, path: Path) -> PairSet:
    """Read uploaded pairs.

    Args:
        workspace: Where they are kept.
        path: Where the upload was stored by us.

    Returns:
        The set.

    Raises:
        InputError: The file holds no pairs that can be trained on; the message names the line.
        LimitError: There are too many.
    """
    return training_pairs.uploaded_pairs(workspace.training.pairs, path, workspace.training.limits)


def kept_by(
    workspace: Workspace, pairs: str | None, threshold: float | None
) -> tuple[PairSet | None, int | None]:
    """Count the pairs that a cut leaves, without an error where nothing is known.

    Args:
        workspace: Where pairs and their cosines are.
        pairs: Name of the pair set.
        threshold: The cut, or None.

    Returns:
        The set, or None when it is not in memory; and the count, or None when its cosines were not computed.
    """
    desk = workspace.training
    try:
        pair_set = desk.pairs.get(pairs)
    except InputError:
        return None, None
    filtered = desk.filters.get(pair_set.name)
    if filtered is None or threshold is None:
        return pair_set, None
    return pair_set, int(filtered.report.at(threshold).kept.sum())


def known_cosines(workspace: Workspace, pairs: str) -> Filtered | None:
    """Give the cosines of a pair set where the model in use has computed them before; nothing is computed."""
    found, loaded = workspace.training.filters.get(pairs), current_model(workspace)
    if found is None or loaded is None:
        return None
    return found if found.report.provenance.fingerprint == loaded.fingerprint else None


def start(workspace: Workspace, request: TrainingRequest) -> RunState:
    """Begin a training in the background.

    Args:
        workspace: Where pairs and runs are.
        request: What is to be trained.

    Returns:
        The run's state.

    Raises:
        InputError: A value cannot be used, too few pairs are left, or a training runs already.
        LimitError: It asks for more than is allowed here.
    """
    return workspace.training.start(request)


def pause(workspace: Workspace) -> RunState:
    """Ask the run to stop after a whole checkpoint, so that it can go on later, even after a restart.

    Raises:
        InputError: Nothing runs.
    """
    return workspace.training.pause()


def resume(workspace: Workspace) -> RunState:
    """Take the last run up again from its last whole checkpoint.

    Raises:
        InputError: There is nothing to go on with.
    """
    return workspace.training.resume()


def stop(workspace: Workspace) -> RunState:
    """End the run here, with the model as it has become.

    Raises:
        InputError: Nothing runs or waits.
    """
    return workspace.training.stop()


def state(workspace: Workspace) -> RunState | None:
    """Tell about the last run; None when there never was one."""
    return workspace.training.state()


def models(workspace: Workspace) -> list[str]:
    """List what can be merged, compared and trained further, ``"bundled"`` first, then the newest result."""
    return list(workspace.training.models())

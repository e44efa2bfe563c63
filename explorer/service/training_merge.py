"""The way between two models: quality along it, measured once, and a merge kept as a folder."""

from __future__ import annotations

import math
from collections.abc import Generator
from pathlib import Path

from explorer.errors import InputError
from explorer.progress import CancelToken, Progress
from explorer.service import training_store as store
from explorer.service.training_desk import MergePath
from explorer.service.workspace import Workspace
from explorer.training.pairs.pair import read_pairs

STEPS = 10
"""The path is measured at 0, 10, 20 ... 100 per cent."""


def merge_path(workspace: Workspace, first: str, second: str) -> Generator[Progress[MergePath], None, None]:
    """Measure quality at eleven merges of two models, on the pairs that the newer one's run held out.

    Args:
        workspace: Where models are.
        first: Name of the model at weight 0, from :func:`explorer.service.training.models`.
        second: Name of the model at weight 1.

    Yields:
        Points measured; the last step with all of them.

    Raises:
        InputError: A model is not there, both are the same, or they do not fit together.
        Cancelled: The person asked to stop.
    """
    desk = workspace.training
    folders = desk.model_folder(first), desk.model_folder(second)
    if first == second:
        raise InputError("training.same_models")
    made = second if second != "bundled" else first
    pairs = read_pairs(desk.model_folder(made).parent / "pairs.jsonl")
    from explorer.training.loop.watching import measured_path

    weights = tuple(number / STEPS for number in range(STEPS + 1))
    token, points = CancelToken(), []
    yield Progress(0, len(weights), "training.stage_merging")
    try:
        for point in measured_path(*folders, weights, pairs, token):
            points.append(point)
            yield Progress(len(points), len(weights), "training.stage_merging")
    finally:
        token.cancel()
    found = MergePath(first, second, weights, tuple(points), desk.place())
    desk.last_path = found
    yield Progress(len(weights), len(weights), "service.stage_done", found)


def keep_merge(workspace: Workspace, first: str, second: str, weight: float) -> str:
    """Write the merge of two models as a model folder.

    Args:
        workspace: Where models are.
        first: Name of the model at weight 0.
        second: Name of the model at weight 1.
        weight: Share of the second model, from 0 to 1.

    Returns:
        The merge's name, under which it can be taken into use.

    Raises:
        InputError: A model is not there, the weight is none, or the folder cannot be written.
    """
    number = isinstance(weight, int | float) and not isinstance(weight, bool) and math.isfinite(weight)
    if not number or not 0 <= weight <= 1:
        raise InputError("training.bad_weight")
    desk = workspace.training
    folders: tuple[Path, Path] = desk.model_folder(first), desk.model_folder(second)
    if first == second:
        raise InputError("training.same_models")
    made = second if second != "bundled" else first
    from explorer.training.merging.folders import merge_folders

    run = desk.model_folder(made).parent
    out = store.merged_folder(run, weight)
    merge_folders(folders, (1 - weight, weight), out)
    path = desk.last_path
    if path is not None and (path.first, path.second) == (first, second) and weight in path.weights:
        store.note_merge(run, out.name, path.points[0], path.points[path.weights.index(weight)])
    return out.name

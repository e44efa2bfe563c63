"""The commands that merge models and measure the way from one to another."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from explorer.analysis.matryoshka import ladder
from explorer.errors import InputError
from explorer.progress import CancelToken
from explorer.provenance import Family
from explorer.texts import say
from explorer.training.commands.command_line import Console, figure, flag, model_folder, table
from explorer.training.merging.folders import SweepPoint, measure_on, merge_folders, sweep
from explorer.training.merging.model_states import read_state
from explorer.training.pairs.demo import demo_held_out
from explorer.training.pairs.pair import read_pairs
from explorer.training.quality.embedding import Quality
from explorer.training.quality.held_out import HeldOut, hold_out, read_passages

_MOST = 1000
"""Pairs that are measured on, of a file that serves for nothing else."""


def add_merge(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``merge``."""
    flag(parser, "folders", nargs="+")
    flag(parser, "--out", type=Path, required=True)
    flag(parser, "--weight", type=float, default=None)
    flag(parser, "--weights", type=float, nargs="+", default=None)
    flag(parser, "--family", choices=("embedding", "reranker"), default="embedding")


def run_merge(given: argparse.Namespace, console: Console, cancel: CancelToken) -> None:
    """Merge models."""
    folders = [_folder(name, given.family, given) for name in given.folders]
    out = merge_folders(folders, _weights(given, len(folders)), given.out)
    family = read_state(out).family
    console.result(say(f"commands.trained_{family}", "en", folder=out), {"model": out, "family": family})


def _weights(given: argparse.Namespace, models: int) -> Sequence[float]:
    """Read the weights: one for the second of two models, one for each, or equal ones."""
    if given.weight is None:
        return given.weights or [1.0] * models
    if models != 2 or given.weights:
        raise InputError("commands.weight_of_two", models=models)
    if not 0 <= given.weight <= 1:
        raise InputError("merging.weight_out_of_range", weight=given.weight)
    return 1 - given.weight, given.weight


def add_sweep(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``sweep``."""
    flag(parser, "first")
    flag(parser, "second")
    flag(parser, "--points", type=int, default=11)
    measure_flags(parser)


def run_sweep(given: argparse.Namespace, console: Console, cancel: CancelToken) -> None:
    """Measure the mixtures of two embedding models."""
    if given.points < 2:
        raise InputError("commands.points_too_few", points=given.points)
    first, second = (_folder(name, "embedding", given) for name in (given.first, given.second))
    measure = measure_on(
        first, held_out_of(given.on, given.question_field), ladder(read_state(first).config.hidden_size)
    )
    weights = [place / (given.points - 1) for place in range(given.points)]
    points: list[SweepPoint] = []
    for point in sweep(first, second, weights, measure, cancel):
        points.append(point)
        console.counted("commands.measuring", len(points), len(weights))
    rows = [[f"{point.weight:.2f}", *map(figure, point.figures.named().values())] for point in points]
    best = max(points, key=lambda point: score_of(point.figures))
    about = say("commands.best_weight", "en", weight=f"{best.weight:.2f}")
    head = ["weight", *points[0].figures.named()]
    console.result(f"{table(head, rows)}\n{about}", {"points": points, "best": best.weight})


def measure_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that :func:`held_out_of` reads.

    Args:
        parser: The command.
    """
    flag(parser, "--on", type=Path, default=None)
    flag(parser, "--question-field", default="question")


def held_out_of(path: Path | None, question: str) -> HeldOut:
    """Take what quality is measured on from a file of pairs, or from the demo material.

    Args:
        path: A file of pairs or passages that no model was trained on, or None.
        question: Which field of a passage is asked.

    Returns:
        The held-out texts.

    Raises:
        InputError: The file holds no pairs.
    """
    if path is None:
        return demo_held_out()
    passages = read_passages(path, question)
    held = passages or hold_out(read_pairs(path), share=1, most=_MOST)[1]
    if not held.retrieval and len(held.similarity) < 2:
        raise InputError("commands.nothing_to_measure", file=path.name)
    return held


def score_of(quality: Quality) -> float:
    """Put a quality into one number: the mean of similarity at full size and nDCG@10, as far as they were measured."""
    found = [quality.spearman[max(quality.spearman)]] if quality.spearman else []
    if quality.ndcg_at_10 is not None:
        found.append(quality.ndcg_at_10)
    return sum(found) / len(found)


def _folder(name: str, family: Family, given: argparse.Namespace) -> Path:
    """Find a model; a run's folder stands for the model in it."""
    if (Path(name) / "model" / "config.json").is_file():
        return Path(name) / "model"
    return model_folder(name, family, given)

"""The command that trains and measures every variant of the report's ablation."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from explorer.progress import CancelToken
from explorer.texts import say
from explorer.training.commands.command_line import (
    Console,
    figure,
    flag,
    model_folder,
    plan_flags,
    plan_of,
    table,
)
from explorer.training.commands.train import step_line
from explorer.training.embedding.plan import EmbeddingPlan
from explorer.training.merging.ablation import AblationPlans, AblationResult, ablate
from explorer.training.pairs.demo import DEMO, demo_labelled_pairs
from explorer.training.pairs.pair import TrainingPair, check_pairs, read_pairs
from explorer.training.quality.held_out import hold_out, without
from explorer.training.synthesis.documents import read_documents
from explorer.training.synthesis.offline import OfflineGenerator
from explorer.training.synthesis.plan import SynthesisPlan
from explorer.training.synthesis.run import Synthesis, synthesize

_PAIRS_PER_DOCUMENT = 3


def add_ablation(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``ablation``."""
    flag(parser, "--out", type=Path, required=True)
    flag(parser, "--synthetic", type=Path, default=None)
    flag(parser, "--labelled", type=Path, default=None)
    flag(parser, "--base", default="bundled")
    flag(parser, "--hold-out", type=float, default=0.3)
    flag(parser, "--labelled-steps", type=int, default=None)
    flag(parser, "--merged", type=int, default=3)
    plan_flags(parser, EmbeddingPlan(), ("checkpoint_every", "distillation_weight"))


def run_ablation(given: argparse.Namespace, console: Console, cancel: CancelToken) -> None:
    """Train and measure all rows; rows that are finished are only shown."""
    base = model_folder(given.base, "embedding", given)
    labelled = read_pairs(given.labelled) if given.labelled else demo_labelled_pairs()
    labelled, held = hold_out(check_pairs(labelled).pairs, given.hold_out)
    synthetic = without(check_pairs(_synthetic(given, cancel)).pairs, held)
    plan: EmbeddingPlan = plan_of(given, EmbeddingPlan())
    plans = AblationPlans(plan, replace(plan, steps=given.labelled_steps or plan.steps), given.merged)
    pairs = {"synthetic": len(synthetic), "labelled": len(labelled)}
    console.note("commands.ablation_material", **pairs, queries=len(held.retrieval))
    for event in ablate(base, synthetic, labelled, plans, held, given.out, cancel, given.device):
        name = say(f"commands.row_{event.row}", "en")
        if event.step:
            console.progress(f"{name}: {step_line(event.step)}", event.step.step == event.step.steps)
        else:
            console.note("commands.row_finished", row=name)
    if cancel.cancelled:
        return
    result = event.result
    lines = [ablation_table(result)]
    values: dict[str, object] = {"before": result.before, "rows": result.rows, "out": given.out} | pairs
    if given.draw:
        values["plot"] = given.draw(result, given.out)
        lines.append(say("commands.plot", "en", file=values["plot"]))
    console.result("\n".join(lines), values)


def ablation_table(result: AblationResult) -> str:
    """Write an ablation as a table.

    Args:
        result: Finished rows.

    Returns:
        One line a row, the base first.
    """
    named = [("before", result.before), *((row.name, row.quality) for row in result.rows)]
    rows = [
        [say(f"commands.row_{name}", "en"), *map(figure, quality.named().values())] for name, quality in named
    ]
    return table(["", *result.before.named()], rows)


def _synthetic(given: argparse.Namespace, cancel: CancelToken) -> list[TrainingPair]:
    """Read synthetic pairs, or make them by rule from the demo corpus."""
    if given.synthetic:
        return read_pairs(given.synthetic)
    plan = SynthesisPlan(pairs_per_document=_PAIRS_PER_DOCUMENT, seed=given.seed)
    made = Synthesis((), 0)
    for step in synthesize(read_documents(DEMO / "corpus.csv"), OfflineGenerator(), plan, cancel):
        made = step.partial or made
    return list(made.pairs)

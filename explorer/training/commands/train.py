"""The commands that train an embedding model and a reranker."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from explorer.engine.embedder import load_embedder
from explorer.engine.reranker import load_reranker
from explorer.progress import CancelToken
from explorer.texts import say
from explorer.training.commands.command_line import Console, flag, model_folder, plan_flags, plan_of
from explorer.training.embedding.plan import EmbeddingPlan
from explorer.training.embedding.teacher_vectors import vectors_of
from explorer.training.embedding.training import train_embedding
from explorer.training.loop.run import TrainingStep
from explorer.training.pairs.pair import TrainingPair, check_pairs, read_pairs
from explorer.training.quality.embedding import Quality, measure_embedding
from explorer.training.quality.held_out import HeldOut, hold_out
from explorer.training.quality.reranker import RerankerQuality, measure_reranker
from explorer.training.reranker.hard_negatives import Mining, mine_hard_negatives
from explorer.training.reranker.plan import RerankerPlan
from explorer.training.reranker.ranked_lists import embedder_teacher, reranker_teacher
from explorer.training.reranker.training import train_reranker


def add_embedding(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``embedding``."""
    _shared_flags(parser)
    flag(parser, "--teacher", default="")
    plan_flags(parser, EmbeddingPlan())


def run_embedding(given: argparse.Namespace, console: Console, cancel: CancelToken) -> None:
    """Train an embedding model, and measure it before and after."""
    base = model_folder(given.base, "embedding", given)
    pairs, held = _split(given)
    teacher = None
    if given.teacher:
        # A teacher that counts for nothing would be a surprise; an explicit 0 still means none.
        given.distillation_weight = given.distillation_weight or 1.0
        model = load_embedder(given.teacher, given.device, offline=given.offline)
        teacher = vectors_of(
            model, pairs, lambda *step: console.counted("commands.embedding_texts", *step), cancel
        )
        del model
    plan = plan_of(given, EmbeddingPlan())
    last = _follow(
        train_embedding(base, pairs, plan, given.out, teacher, cancel, given.device), console, given.out
    )
    if cancel.cancelled:
        return
    model = given.out / "model"
    before, after = (_embedding_quality(folder, held, given) for folder in (base, model))
    _report(given, console, model, last, before, after)


def add_reranker(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``reranker``."""
    _shared_flags(parser)
    flag(parser, "--mine", type=int, default=RerankerPlan().negatives)
    flag(parser, "--skip", type=int, default=0)
    flag(parser, "--embedding", default="bundled")
    flag(parser, "--teacher", default="")
    flag(parser, "--embedding-teacher", default="")
    flag(parser, "--keep-wiring", action="store_true")
    plan_flags(parser, RerankerPlan(), ("keep_wiring",))


def run_reranker(given: argparse.Namespace, console: Console, cancel: CancelToken) -> None:
    """Mine hard negatives, train a reranker on them, and measure it before and after."""
    base = model_folder(given.base, "reranker", given)
    pairs, held = _split(given)
    embedder = load_embedder(given.embedding, given.device, offline=given.offline)
    if given.mine:
        mining = Mining(given.mine, given.skip, max(given.mine, Mining().window), seed=given.seed)
        pairs = mine_hard_negatives(
            pairs, embedder, mining, lambda *step: console.counted("commands.mining", *step), cancel
        )
    teacher = None
    if given.teacher:
        teacher = reranker_teacher(load_reranker(given.teacher, given.device, offline=given.offline))
    elif given.embedding_teacher:
        found = load_embedder(given.embedding_teacher, given.device, offline=given.offline)
        teacher = embedder_teacher(found)
    if teacher:
        given.distillation = given.distillation or 1.0
    given.keep_wiring = given.keep_wiring or (given.base == "bundled" and not given.lora_rank)
    plan = plan_of(given, RerankerPlan())
    steps = train_reranker(base, pairs, plan, given.out, cancel, given.device, teacher)
    last = _follow(steps, console, given.out)
    if cancel.cancelled:
        return
    model = given.out / "model"
    before, after = (
        measure_reranker(
            load_reranker(str(folder), given.device, offline=True), embedder, held, cancel=cancel
        )
        if held.retrieval
        else None
        for folder in (base, model)
    )
    _report(given, console, model, last, before, after)


def _shared_flags(parser: argparse.ArgumentParser) -> None:
    flag(parser, "pairs", type=Path)
    flag(parser, "--out", type=Path, required=True)
    flag(parser, "--base", default="bundled")
    flag(parser, "--hold-out", type=float, default=0.1)


def _split(given: argparse.Namespace) -> tuple[list[TrainingPair], HeldOut]:
    """Read pairs and hold some of them out."""
    return hold_out(check_pairs(read_pairs(given.pairs)).pairs, given.hold_out)


def _follow(steps: Iterable[TrainingStep], console: Console, out: Path) -> TrainingStep | None:
    """Make all steps and tell of them; None when nothing was left to do."""
    last = None
    for last in steps:
        console.progress(step_line(last), last.step == last.steps)
        if last.checkpoint and last.step < last.steps:
            console.note("commands.saved", folder=out / "checkpoints" / last.checkpoint.name)
    return last


def step_line(step: TrainingStep) -> str:
    """Say in one line what a step did.

    Args:
        step: The step.

    Returns:
        For instance ``step 12/50  loss 1.234  contrastive 1.234  rate 2.0e-05  0.35 s``.
    """
    parts = "".join(f"  {name} {value:.4f}" for name, value in step.parts) if len(step.parts) > 1 else ""
    return (
        f"step {step.step}/{step.steps}  loss {step.loss:.4f}{parts}  rate {step.learning_rate:.1e}"
        f"  {step.seconds:.2f} s"
    )


def _embedding_quality(folder: Path, held: HeldOut, given: argparse.Namespace) -> Quality | None:
    """Measure a model on what was held out; None where nothing was."""
    if not (held.retrieval or len(held.similarity) > 1):
        return None
    return measure_embedding(load_embedder(str(folder), given.device, offline=True), held, given.ladder)


def _report(
    given: argparse.Namespace,
    console: Console,
    model: Path,
    last: TrainingStep | None,
    before: Quality | RerankerQuality | None,
    after: Quality | RerankerQuality | None,
) -> None:
    """Write figures before and after, and where the model is."""
    lines = []
    if before is not None and after is not None:
        lines += [say("commands.before", "en", figures=before), say("commands.after", "en", figures=after)]
    lines.append(say(f"commands.trained_{given.command}", "en", folder=model))
    values = {"model": model, "loss": last.loss if last else None, "before": before, "after": after}
    console.result("\n".join(lines), values)

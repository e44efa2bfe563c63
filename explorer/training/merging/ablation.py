"""What each stage of the training adds: the ablation of the report (arXiv 2506.05176, section 5, table 5).

Four models are trained from one base and measured on the same texts:

* ``only_synthetic``: the weakly supervised stage on synthetic pairs, nothing after it;
* ``without_synthetic``: supervised fine-tuning on labelled pairs straight from the base;
* ``without_merge``: the synthetic stage, then fine-tuning;
* ``final``: as before, then the slerp merge of several checkpoints of the fine-tuning.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from explorer.analysis.matryoshka import ladder
from explorer.engine.embedder import Embedder, load_embedder
from explorer.errors import InputError
from explorer.progress import CancelToken
from explorer.training.embedding.plan import EmbeddingPlan
from explorer.training.embedding.training import EmbeddingRun, train_embedding
from explorer.training.loop.checkpoint import reason
from explorer.training.loop.run import TrainingStep, digest_of_pairs, plan_facts
from explorer.training.merging.ablation_record import Record, open_record
from explorer.training.merging.folders import merge_folders
from explorer.training.pairs.pair import TrainingPair
from explorer.training.quality.embedding import Quality, measure_embedding
from explorer.training.quality.held_out import HeldOut

ROWS = ("only_synthetic", "without_synthetic", "without_merge", "final")
"""The report's rows, in its order."""


@dataclass(frozen=True)
class AblationPlans:
    """How both stages are trained.

    Attributes:
        synthetic: The weakly supervised stage.
        labelled: Supervised fine-tuning; its checkpoints are written so often that enough can be merged.
        merged: Checkpoints that are merged, from the last half of the fine-tuning and evenly apart.
    """

    synthetic: EmbeddingPlan
    labelled: EmbeddingPlan
    merged: int = 3


@dataclass(frozen=True)
class AblationRow:
    """One trained model.

    Attributes:
        name: One of :data:`ROWS`.
        quality: Quality on the held-out texts.
    """

    name: str
    quality: Quality


@dataclass(frozen=True)
class AblationResult:
    """Every model so far.

    Attributes:
        before: Quality of the base.
        rows: Finished models in the order of :data:`ROWS`.
    """

    before: Quality
    rows: tuple[AblationRow, ...]


@dataclass(frozen=True)
class AblationProgress:
    """One step, or one finished row.

    Attributes:
        row: The row that is worked on.
        step: The step that was just made, or None when the row is finished.
        result: What is finished.
    """

    row: str
    step: TrainingStep | None
    result: AblationResult


def ablate(
    base: Path,
    synthetic: Sequence[TrainingPair],
    labelled: Sequence[TrainingPair],
    plans: AblationPlans,
    held_out: HeldOut,
    out: Path,
    cancel: CancelToken | None = None,
    device: str | None = None,
) -> Iterator[AblationProgress]:
    """Train and measure all four models, or go on where an earlier call with the same arguments stopped.

    Args:
        base: Folder of the model that everything starts from.
        synthetic: Synthetic pairs.
        labelled: Labelled pairs; neither may hold a held-out text.
        plans: How both stages are trained.
        held_out: What is measured on.
        out: Folder of the ablation; each row has a folder with its ``model``, finished rows stand in
            ``ablation.json`` and are not trained again.
        cancel: Stops before the next step, with a checkpoint.
        device: As :func:`explorer.models.devices.resolve_device` takes it; None for the best one.

    Yields:
        Every step and every finished row, also of an earlier call; after a wish to stop, fewer than all.

    Raises:
        InputError: The pairs or plans cannot be used, ``out`` holds another ablation, or the disk is full.
        ModelLoadError: The base cannot be read.
        OutOfMemoryError: The device has no room.
    """
    work = _Ablation(base, synthetic, labelled, plans, held_out, out, cancel, device)
    for name in ROWS:
        if name not in work.record.rows:
            for step in work.train(name):
                yield AblationProgress(name, step, work.result())
            if cancel and cancel.cancelled:
                return
            work.finish(name)
        yield AblationProgress(name, None, work.result())


class _Ablation:
    """The material of an ablation and what is finished of it."""

    def __init__(
        self,
        base: Path,
        synthetic: Sequence[TrainingPair],
        labelled: Sequence[TrainingPair],
        plans: AblationPlans,
        held_out: HeldOut,
        out: Path,
        cancel: CancelToken | None,
        device: str | None,
    ) -> None:
        """Measure the base, or read what an earlier call finished."""
        if plans.merged < 1:
            raise InputError("merging.nothing_merged", merged=plans.merged)
        self._synthetic, self._labelled, self._plans, self._held_out = synthetic, labelled, plans, held_out
        self._base, self._out, self._cancel, self._device = base, out, cancel, device
        embedder = load_embedder(str(base), device or "auto", "float32", offline=True)
        facts = {
            "base": embedder.provenance.fingerprint,
            "synthetic pairs": digest_of_pairs(synthetic),
            "labelled pairs": digest_of_pairs(labelled),
            "synthetic plan": plan_facts(plans.synthetic),
            "labelled plan": plan_facts(plans.labelled),
            "merged": plans.merged,
            "held-out texts": hashlib.sha256(json.dumps(asdict(held_out)).encode()).hexdigest(),
        }
        self.record: Record = open_record(out, facts, lambda: self._measure(embedder))

    def result(self) -> AblationResult:
        """List what is finished."""
        rows = (AblationRow(name, self.record.rows[name]) for name in ROWS if name in self.record.rows)
        return AblationResult(self.record.before, tuple(rows))

    def train(self, name: str) -> Iterator[TrainingStep]:
        """Train one row's model; the merge of the last row has nothing to train."""
        stage_one = self._model("only_synthetic")
        if name == "only_synthetic":
            yield from self._run(name, self._base, self._synthetic, self._plans.synthetic)
        elif name == "without_synthetic":
            yield from self._run(name, self._base, self._labelled, self._plans.labelled)
        elif name == "without_merge":
            plan = self._fine_tuning()
            self._keep(plan)
            for step in self._run(name, stage_one, self._labelled, plan):
                self._keep(plan)
                yield step

    def finish(self, name: str) -> None:
        """Merge where the row is the merge, measure its model and write its figures down."""
        if name == "final":
            plan = self._fine_tuning()
            folders = [self._exported(step, plan) for step in merged_steps(plan.steps, self._plans.merged)]
            merge_folders(folders, [1.0] * len(folders), self._model(name))
        embedder = load_embedder(str(self._model(name)), self._device or "auto", "float32", offline=True)
        self.record.add(name, self._measure(embedder))
        if name == "final":
            shutil.rmtree(self._out / "without_merge" / "merged", ignore_errors=True)

    def _run(
        self, name: str, base: Path, pairs: Sequence[TrainingPair], plan: EmbeddingPlan
    ) -> Iterator[TrainingStep]:
        return train_embedding(base, pairs, plan, self._out / name, None, self._cancel, self._device)

    def _fine_tuning(self) -> EmbeddingPlan:
        """Plan the fine-tuning with a checkpoint at every step that will be merged."""
        plan = self._plans.labelled
        return replace(plan, checkpoint_every=spacing(plan.steps, self._plans.merged))

    def _keep(self, plan: EmbeddingPlan) -> None:
        """Copy checkpoints that will be merged, before newer ones push them out."""
        run = self._out / "without_merge"
        for step in merged_steps(plan.steps, self._plans.merged):
            place = Path("checkpoints", f"step-{step:06d}")
            if (run / place).exists() and not (self._part(step) / place).exists():
                unfinished = self._part(step) / "copying"
                try:
                    shutil.rmtree(unfinished, ignore_errors=True)
                    shutil.copytree(run / place, unfinished)
                    (self._part(step) / place).parent.mkdir(exist_ok=True)
                    unfinished.replace(self._part(step) / place)
                except OSError as error:
                    raise InputError(
                        "trainer.not_written", folder=self._out.name, reason=reason(error)
                    ) from error

    def _exported(self, step: int, plan: EmbeddingPlan) -> Path:
        """Write the model of one checkpoint."""
        part = self._part(step)
        if not (part / "checkpoints" / f"step-{step:06d}").exists():
            raise InputError(
                "merging.checkpoint_missing", step=step, folder=f"{self._out.name}/without_merge"
            )
        return EmbeddingRun(
            self._model("only_synthetic"), self._labelled, plan, part, None, self._device
        ).export()

    def _part(self, step: int) -> Path:
        return self._out / "without_merge" / "merged" / f"{step:06d}"

    def _model(self, name: str) -> Path:
        return self._out / name / "model"

    def _measure(self, embedder: Embedder) -> Quality:
        return measure_embedding(embedder, self._held_out, ladder(embedder.dimensions))


def spacing(steps: int, merged: int) -> int:
    """Say how many steps lie between two checkpoints that are merged.

    Args:
        steps: Steps of the fine-tuning.
        merged: Checkpoints that are merged.

    Returns:
        So many that the merged ones cover the last half of the training, at least 1.
    """
    return max(1, -(-steps // max(2, 2 * (merged - 1))))


def merged_steps(steps: int, merged: int) -> tuple[int, ...]:
    """List the steps after which a checkpoint is merged.

    Args:
        steps: Steps of the fine-tuning.
        merged: Checkpoints that are merged; fewer where there are fewer steps.

    Returns:
        Rising step numbers, the last step at the end.
    """
    every = spacing(steps, merged)
    found = [step for step in range(every, steps, every) if 2 * step >= steps]
    return (*found[-(merged - 1) :], steps) if merged > 1 else (steps,)

"""The one place that knows which training runs, which runs there were, and which pairs are in use."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

from explorer.errors import InputError
from explorer.models.catalog import BUNDLED_FOLDERS, BUNDLED_NAME
from explorer.models.devices import computes_bfloat16, resolve_device
from explorer.service import training_store as store
from explorer.service.training_filter import FilterShelf
from explorer.service.training_pairs import PairShelf
from explorer.service.training_request import MARGIN, TrainingLimits, TrainingRequest, checked
from explorer.service.training_run import Finisher, Run, RunState, Trainer
from explorer.training.embedding.plan import EmbeddingPlan
from explorer.training.loop.watched import Measured, TrainingJob
from explorer.training.pairs.pair import TrainingPair, read_pairs, write_pairs

MEASUREMENTS = 12
"""How many points the quality curve gets."""

CHECKPOINT_EVERY = 50
"""Steps that a killed process may cost."""

ROOM_FOR_A_RUN = 19
"""Disk space a run needs, in sizes of a base in bf16: a checkpoint holds 12 bytes a parameter (weights and two moments)
against the base's 2, a third is written while two are kept, and then comes the result."""


@dataclass(frozen=True)
class MergePath:
    """Quality along the way between two models.

    Attributes:
        first: Name of the model at weight 0.
        second: Name of the model at weight 1.
        weights: Share of the second model, rising from 0 to 1, n of them.
        points: Quality at each weight; the step of a point is its place among the weights.
        place: Number format and device of the measurement.
    """

    first: str
    second: str
    weights: tuple[float, ...]
    points: tuple[Measured, ...]
    place: str


class TrainingDesk:
    """Pairs, filters and runs of one explorer. At most one run is alive in a process.

    Args:
        root: Folder of all runs.
        device: Where trainings run: ``"auto"``, ``"cpu"``, ``"cuda"`` ...
        limits: The most that a training may be.
        trainer: Trains; the real one when None.
        finisher: Makes the model folder; the real one when None.
    """

    def __init__(
        self,
        root: Path,
        device: str,
        limits: TrainingLimits,
        trainer: Trainer | None = None,
        finisher: Finisher | None = None,
    ) -> None:
        """Look at nothing yet."""
        self.root = root
        self.limits = limits
        self.pairs = PairShelf()
        self.filters = FilterShelf()
        self.previous_model: str | None = None
        self.last_path: MergePath | None = None
        self._device = device
        self._trainer, self._finisher = trainer, finisher
        self._run: Run | None = None
        self._looked = False
        self._lock = threading.Lock()

    def start(self, request: TrainingRequest) -> RunState:
        """Begin a training in the background.

        Args:
            request: What is to be trained.

        Returns:
            The run's state.

        Raises:
            InputError: A value cannot be used, too few pairs are left by the filter, or a training runs already.
            LimitError: It asks for more than is allowed here.
        """
        checked(request, self.limits)
        base = self.model_folder(request.base)
        pairs = self._chosen(request)
        with self._lock:
            run = self._current()
            if run is not None and run.state().alive:
                raise InputError("training.one_at_a_time")
            if self.limits.kept_runs is not None:
                store.forget_runs(self.root, self.limits.kept_runs - 1)
            self._run = self._new_run(request, base, pairs)
            self._run.begin(*self._hands())
            return self._run.state()

    def resume(self) -> RunState:
        """Take the last run up again from its last whole checkpoint.

        Raises:
            InputError: There is nothing to go on with.
        """
        with self._lock:
            run = self._current()
            if run is None or not run.state().resumable:
                raise InputError("training.nothing_to_resume")
            run.begin(*self._hands())
            return run.state()

    def pause(self) -> RunState:
        """Ask the run to stop after a whole checkpoint, so that it can go on later.

        Raises:
            InputError: Nothing runs.
        """
        run = self._alive()
        run.ask("pausing")
        return run.state()

    def stop(self) -> RunState:
        """End the run here, with the model as it has become.

        Raises:
            InputError: Nothing runs or waits.
        """
        with self._lock:
            run = self._current()
        if run is not None and run.state().resumable:
            run.end_paused(self._hands()[1])
            return run.state()
        run = self._alive()
        run.ask("stopping")
        return run.state()

    def state(self) -> RunState | None:
        """Tell about the last run; None when there never was one."""
        with self._lock:
            run = self._current()
        return None if run is None else run.state()

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the worker to end."""
        if self._run is not None:
            self._run.wait(seconds)

    def place(self) -> str:
        """Name the number format and the device that trainings here compute in."""
        device = resolve_device(self._device)
        return f"{'bf16' if computes_bfloat16(device) else 'fp32'} on {str(device).upper()}"

    def models(self) -> dict[str, Path]:
        """List what can be merged, compared and trained further: the bundled model and the results of all runs.

        Returns:
            Folders by name, ``"bundled"`` first, then the newest result first.
        """
        made = {folder.name: folder for folder in reversed(store.model_folders(self.root))}
        return {"bundled": BUNDLED_FOLDERS["embedding"], **made}

    def model_folder(self, name: str) -> Path:
        """Find the folder of a model by its name.

        Args:
            name: From :meth:`models`; never a path.

        Raises:
            InputError: There is no such model.
        """
        found = self.models().get(name)
        if found is None:
            raise InputError("training.model_gone", model=str(name)[:80])
        return found

    def _chosen(self, request: TrainingRequest) -> tuple[TrainingPair, ...]:
        """Take all pairs of a set, or those that its filter keeps."""
        pair_set = self.pairs.get(request.pairs)
        if request.threshold is None:
            return pair_set.pairs
        filtered = self.filters.get(pair_set.name)
        if filtered is None:
            raise InputError("training.not_filtered")
        left = filtered.kept(request.threshold)
        if len(left) < 2:
            raise InputError("training.filter_leaves", count=len(left), threshold=request.threshold)
        return left

    def _new_run(self, request: TrainingRequest, base: Path, pairs: tuple[TrainingPair, ...]) -> Run:
        """Write what the run needs to be taken up again."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            needed = ROOM_FOR_A_RUN * sum(file.stat().st_size for file in base.glob("*.safetensors"))
            free = shutil.disk_usage(self.root).free
            if free < needed:
                raise InputError("training.no_room", needed=needed / 1e6, free=free / 1e6)
            folder = store.new_folder(self.root)
            write_pairs(pairs, folder / "pairs.jsonl")
            base_name = BUNDLED_NAME if request.base == "bundled" else request.base
            title = self.pairs.get(request.pairs).title
            record = store.RunRecord(request, title, base_name, self.place(), "preparing")
            store.write_record(folder, record)
        except OSError as error:
            raise InputError("training.not_written") from error
        return self._run_in(folder, record)

    def _run_in(self, folder: Path, record: store.RunRecord) -> Run:
        return Run(folder, record, lambda: self._job(folder, record.request))

    def _job(self, folder: Path, request: TrainingRequest) -> TrainingJob:
        """Say in the trainer's words what was asked for."""
        base = self.model_folder(request.base)
        plan = EmbeddingPlan(
            steps=request.steps,
            batch_pairs=request.batch_pairs,
            learning_rate=request.learning_rate,
            temperature=request.temperature,
            margin=MARGIN if request.margin else None,
            ladder=() if request.matryoshka else (full_size(base),),
            seed=request.seed,
            checkpoint_every=CHECKPOINT_EVERY,
        )
        return TrainingJob(
            base=base,
            pairs=tuple(read_pairs(folder / "pairs.jsonl")),
            plan=plan,
            out=folder / "work",
            device=self._device,
            measure_every=max(1, round(request.steps / MEASUREMENTS)),
        )

    def _current(self) -> Run | None:
        """Give the run of this process, else the newest one on the disk."""
        if self._run is None and not self._looked:
            self._looked = True
            for folder in reversed(store.run_folders(self.root)):
                record = store.read_record(folder)
                if record is not None:
                    self._run = self._run_in(folder, record)
                    break
        return self._run

    def _alive(self) -> Run:
        run = self._current()
        if run is None or not run.state().alive:
            raise InputError("training.nothing_runs")
        return run

    def _hands(self) -> tuple[Trainer, Finisher]:
        """Give the trainer and the finisher, the real ones imported only now: they are heavy."""
        if self._trainer is not None and self._finisher is not None:
            return self._trainer, self._finisher
        from explorer.training.loop.watching import finish, train_watched

        return train_watched, finish


def full_size(folder: Path) -> int:
    """Read the width of a model's vectors from its configuration."""
    return int(json.loads((folder / "config.json").read_text(encoding="utf-8"))["hidden_size"])

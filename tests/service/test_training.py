"""A training asked for by a person: pairs, filter, a run that is paused, killed, resumed and stopped, merge and use."""

from __future__ import annotations

import errno
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explorer.errors import Cancelled, InputError, LimitError
from explorer.progress import CancelToken
from explorer.service import training
from explorer.service import training_store as store
from explorer.service.training import TrainingRequest
from explorer.service.training_desk import TrainingDesk
from explorer.service.training_pairs import PairShelf, bundled_pairs
from explorer.service.training_request import SHARED, TrainingLimits, limits_of
from explorer.service.workspace import Workspace, finished
from explorer.settings import Settings
from explorer.training.loop.watched import Measured, SizeQuality, Stepped, TrainingEvent, TrainingJob

SECONDS = 60


class Trainer:
    """Stands in for the real one: steps when it is told to, and remembers where it stopped."""

    def __init__(self) -> None:
        self.allowed = threading.Semaphore(0)
        self.jobs: list[TrainingJob] = []
        self.done = 0
        self.error: Exception | None = None

    def __call__(self, job: TrainingJob, cancel: CancelToken) -> Iterator[TrainingEvent]:
        self.jobs.append(job)
        if self.done == 0:
            yield measured(0, 0.5)
        while self.done < job.plan.steps:
            if not self.allowed.acquire(timeout=0.01):
                if cancel.cancelled:
                    return
                continue
            if self.error:
                raise self.error
            self.done += 1
            yield Stepped(self.done, 1 / self.done, 0.01, 1e-4)
            if self.done % job.measure_every == 0:
                yield measured(self.done, 0.5 + self.done / 1000)

    def finish(self, job: TrainingJob, folder: Path) -> None:
        folder.mkdir()
        (folder / "config.json").write_text("{}")

    def let(self, steps: int) -> None:
        for _ in range(steps):
            self.allowed.release()


def measured(step: int, value: float) -> Measured:
    return Measured(step, (SizeQuality(32, None, value, value), SizeQuality(256, None, value, value)), 9, 9)


def desk_in(folder: Path, trainer: Trainer, limits: TrainingLimits = TrainingLimits()) -> TrainingDesk:  # noqa: B008
    return TrainingDesk(folder, "cpu", limits, trainer, trainer.finish)


def until(desk: TrainingDesk, true: Callable[[training.RunState], bool]) -> training.RunState:
    ready = threading.Event()
    for _ in range(SECONDS * 100):
        state = desk.state()
        if state is not None and true(state):
            return state
        ready.wait(0.01)
    raise TimeoutError(str(desk.state()))


@pytest.fixture
def trainer() -> Trainer:
    return Trainer()


@pytest.fixture
def desk(tmp_path: Path, trainer: Trainer) -> Iterator[TrainingDesk]:
    made = desk_in(tmp_path / "training", trainer)
    yield made
    state = made.state()
    if state is not None and state.alive:
        made.pause()
        made.wait(SECONDS)


@pytest.fixture
def request_of(desk: TrainingDesk) -> TrainingRequest:
    return TrainingRequest(bundled_pairs(desk.pairs).name, steps=20)


def test_a_run_is_paused_resumed_and_finished(
    desk: TrainingDesk, trainer: Trainer, request_of: TrainingRequest
) -> None:
    assert desk.state() is None
    assert desk.start(request_of).alive
    trainer.let(5)
    until(desk, lambda state: state.done == 5)
    with pytest.raises(InputError, match="one runs at a time"):
        desk.start(request_of)
    desk.pause()
    assert until(desk, lambda state: not state.alive).phase == "paused"
    with pytest.raises(InputError, match="No training is running"):
        desk.pause()
    desk.resume()
    trainer.let(15)
    ended = until(desk, lambda state: not state.alive)
    assert (ended.phase, ended.done, len(ended.steps)) == ("finished", 20, 20)
    assert [point.step for point in ended.quality][:2] == [0, 2]
    assert list(desk.models()) == ["bundled", "run-001-trained"]
    with pytest.raises(InputError, match="no paused training"):
        desk.resume()


def test_a_killed_process_finds_its_run_again(
    desk: TrainingDesk, trainer: Trainer, request_of: TrainingRequest
) -> None:
    desk.start(request_of)
    trainer.let(6)
    until(desk, lambda state: state.done == 6)
    other = Trainer()
    other.done = 4
    again = desk_in(desk.root, other)
    found = again.state()
    assert found is not None and (found.phase, found.done) == ("paused", 6)
    again.resume()
    other.let(1)
    state = until(again, lambda state: state.done == 5)
    assert [step.step for step in state.steps] == [1, 2, 3, 4, 5], (
        "what came after the checkpoint is forgotten"
    )
    assert other.jobs[0].pairs == trainer.jobs[0].pairs
    assert other.jobs[0].plan == trainer.jobs[0].plan
    again.pause()
    again.wait(SECONDS)


def test_stop_keeps_the_model_also_of_a_paused_run(
    desk: TrainingDesk, trainer: Trainer, request_of: TrainingRequest
) -> None:
    desk.start(request_of)
    trainer.let(3)
    until(desk, lambda state: state.done == 3)
    desk.pause()
    until(desk, lambda state: state.phase == "paused")
    desk.stop()
    ended = until(desk, lambda state: not state.alive)
    assert ended.phase == "stopped" and ended.model is not None
    desk.start(request_of)
    desk.stop()
    assert until(desk, lambda state: not state.alive).phase == "stopped"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "full"), "disk is full"),
        (InputError("pairs.too_few", count=1), "1 usable pair"),
        (RuntimeError("surprise"), "unexpected error"),
    ],
)
def test_a_failure_is_one_sentence_and_the_run_can_go_on(
    desk: TrainingDesk, trainer: Trainer, request_of: TrainingRequest, error: Exception, said: str
) -> None:
    trainer.error = error
    desk.start(request_of)
    trainer.let(1)
    failed = until(desk, lambda state: not state.alive)
    assert failed.phase == "failed" and failed.error is not None
    assert said in failed.error.text("en") and failed.error.text("zh")
    assert "surprise" not in failed.error.text("en")
    trainer.error = None
    desk.resume()
    trainer.let(20)
    assert until(desk, lambda state: not state.alive).phase == "finished"


def test_a_stop_in_mid_step_is_not_a_failure(
    desk: TrainingDesk, trainer: Trainer, request_of: TrainingRequest
) -> None:
    trainer.error = Cancelled("errors.cancelled")
    desk.start(request_of)
    desk.pause()
    trainer.let(1)
    assert until(desk, lambda state: not state.alive).phase == "paused"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", 0),
        ("steps", 1.5),
        ("steps", True),
        ("batch_pairs", 1),
        ("temperature", 0.0),
        ("temperature", float("nan")),
        ("learning_rate", float("inf")),
        ("learning_rate", "fast"),
        ("threshold", 2.0),
        ("seed", -1),
    ],
)
def test_what_cannot_be_trained_with_is_refused(
    desk: TrainingDesk, request_of: TrainingRequest, field: str, value: object
) -> None:
    with pytest.raises(InputError):
        desk.start(replace(request_of, **{field: value}))  # type: ignore[arg-type]
    assert desk.state() is None


def test_a_filter_that_was_not_computed_or_leaves_nothing_is_refused(
    desk: TrainingDesk, request_of: TrainingRequest
) -> None:
    with pytest.raises(InputError, match="Compute the cosines"):
        desk.start(replace(request_of, threshold=0.7))
    with pytest.raises(InputError, match="no longer in memory"):
        desk.start(replace(request_of, pairs="another"))
    with pytest.raises(InputError, match="no result called"):
        desk.start(replace(request_of, base="../../etc"))


def test_where_strangers_share_the_machine_limits_are_small(tmp_path: Path, trainer: Trainer) -> None:
    assert limits_of(Settings()).kept_runs is None
    assert limits_of(Settings(in_space=True)) == limits_of(Settings(auth=("name", "word"))) == SHARED
    desk = desk_in(tmp_path, trainer, SHARED)
    request = TrainingRequest(bundled_pairs(desk.pairs).name, steps=SHARED.steps + 1)
    with pytest.raises(LimitError, match="301 steps"):
        desk.start(request)
    for _ in range(5):
        trainer.done = 0
        desk.start(replace(request, steps=1))
        trainer.let(1)
        until(desk, lambda state: not state.alive)
    assert [folder.name for folder in store.run_folders(tmp_path)] == ["run-003", "run-004", "run-005"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("one.jsonl", '{"query": "a", "document": "b"}\n', "at least two"),
        ("same.csv", "query,document\na,b\nc,b\n", "same document"),
        ("side.jsonl", '{"query": "a", "document": "b"}\n{"query": "c"}\n', "Line 2"),
        ("tag.jsonl", '{"query": "a", "document": "b", "language": "english!"}\n', "language tag"),
        ("columns.csv", "question,answer\na,b\n", "column"),
        ("broken.jsonl", "{\n", "Line 1"),
    ],
)
def test_pairs_that_cannot_be_trained_on_are_refused_in_one_sentence(
    desk: TrainingDesk, tmp_path: Path, name: str, text: str, said: str
) -> None:
    workspace = Workspace(Settings(data_dir=tmp_path))
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        training.uploaded_pairs(workspace, file)


def test_too_many_pairs_are_refused_and_left_out_ones_told(tmp_path: Path) -> None:
    workspace = Workspace(Settings(data_dir=tmp_path, in_space=True))
    lines = [json.dumps({"query": f"q {n}", "document": f"d {n}"}) for n in range(SHARED.pairs + 1)]
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(LimitError, match="2001 pairs"):
        training.uploaded_pairs(workspace, file)
    file.write_text("\n".join([*lines[:3], lines[0], '{"query": " ", "document": "d"}']), encoding="utf-8")
    found = training.uploaded_pairs(workspace, file)
    assert len(found.pairs) == 3
    assert [notice.values["count"] for notice in found.notices] == [1, 1]


def test_the_shelf_of_pairs_is_bounded() -> None:
    shelf = PairShelf(2)
    first = bundled_pairs(shelf)
    for name in ("a", "b"):
        shelf.keep(replace(first, name=name))
    with pytest.raises(InputError):
        shelf.get(first.name)
    assert shelf.get("b").pairs == first.pairs


TOPICS = ("eggs", "owls", "tides", "trains", "bread", "tax", "comets", "soap", "yeast", "opera")


@pytest.fixture(scope="module")
def lesson(make_model: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A tiny model trained for a few steps by the real trainer, on pairs from a file."""
    folder = tmp_path_factory.mktemp("lesson")
    source = str(make_model(context=256))
    workspace = Workspace(Settings(embedding=source, data_dir=folder, device="cpu", offline=True))
    lines = [
        json.dumps({"query": f"what of {topic} {n}", "document": f"{topic} number {n} stands here"})
        for topic in TOPICS
        for n in range(4)
    ]
    file = folder / "pairs.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("explorer.service.training_desk.BUNDLED_FOLDERS", {"embedding": Path(source)})
        pairs = training.uploaded_pairs(workspace, file)
        finished(training.filter_cosines(workspace, pairs.name))
        asked = TrainingRequest(pairs.name, steps=4, batch_pairs=4, threshold=-1.0)
        training.start(workspace, asked)
        workspace.training.wait(SECONDS)
        yield workspace


def test_the_filters_cut_moves_without_embedding_again(lesson: Workspace) -> None:
    pairs = training.uploaded_pairs(lesson, lesson.settings.data_dir / "pairs.jsonl")
    forwards = len(lesson.cache)
    found = finished(training.filter_cosines(lesson, pairs.name))
    middle = float(np.median(found.report.cosines))
    assert training.kept_by(lesson, pairs.name, middle)[1] == int((found.report.cosines > middle).sum())
    assert len(found.kept(-1.0)) == len(pairs.pairs)
    assert len(lesson.cache) == forwards
    assert training.kept_by(lesson, "nothing", 0.5) == (None, None)


def test_a_real_run_ends_with_a_model_and_quality_before_and_after(lesson: Workspace) -> None:
    state = training.state(lesson)
    assert state is not None
    assert (state.phase, state.done, state.error) == ("finished", 4, None)
    assert [point.step for point in state.quality] == [0, 1, 2, 3, 4]
    assert all(np.isfinite(step.loss) for step in state.steps)
    assert [size.dimensions for size in state.quality[0].sizes] == [32, 48]
    change = training.change(lesson, "run-001-trained")
    assert change is not None and (change.before.step, change.after.step) == (0, 4)
    assert training.change(lesson, "bundled") is None
    assert not list(lesson.training.root.glob("*/work")), "checkpoints of a finished run are removed"


def test_a_merge_is_measured_kept_and_used_and_the_model_before_comes_back(lesson: Workspace) -> None:
    with pytest.raises(InputError, match="different models"):
        finished(training.merge_path(lesson, "bundled", "bundled"))
    path = finished(training.merge_path(lesson, "bundled", "run-001-trained"))
    assert path.weights[0] == 0 and path.weights[-1] == 1 and len(path.points) == len(path.weights)
    for wrong in (-0.1, 1.1, float("nan"), "half"):
        with pytest.raises(InputError, match="between 0 and 1"):
            training.keep_merge(lesson, "bundled", "run-001-trained", wrong)  # type: ignore[arg-type]
    name = training.keep_merge(lesson, "bundled", "run-001-trained", 0.4)
    assert name == "run-001-merged-40" and name in training.models(lesson)
    change = training.change(lesson, name)
    assert change is not None and change.after == path.points[4]
    first = lesson.chosen["embedding"]
    assert finished(training.use_model(lesson, name)).model == name
    assert training.current_model(lesson).model == name  # type: ignore[union-attr]
    assert training.previous_model(lesson) == Path(first).name
    assert (Path(training.visible_folder(lesson, name)) / "modules.json").is_file()
    finished(training.use_previous(lesson))
    assert training.current_model(lesson).model == Path(first).name  # type: ignore[union-attr]
    with pytest.raises(InputError, match="no earlier model"):
        finished(training.use_previous(lesson))


def test_strangers_neither_swap_the_model_nor_learn_of_folders(lesson: Workspace) -> None:
    lesson.settings = replace(lesson.settings, in_space=True, host="0.0.0.0")
    try:
        with pytest.raises(InputError, match="Everybody shares"):
            finished(training.use_model(lesson, "run-001-trained"))
        assert training.visible_folder(lesson, "run-001-trained") == ""
    finally:
        lesson.settings = replace(lesson.settings, in_space=False, host="127.0.0.1")

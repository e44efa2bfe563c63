"""A training run learns, repeats itself bit for bit, and survives being stopped and killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import explorer
from explorer.engine.prompts import DEFAULT_INSTRUCTION, embedding_query
from explorer.errors import InputError, OutOfMemoryError
from explorer.progress import CancelToken
from explorer.training.embedding import training as embedding_training
from explorer.training.embedding.objective import Objective
from explorer.training.embedding.training import EmbeddingPlan, TeacherVectors, train_embedding
from explorer.training.loop import optimization
from explorer.training.loop.checkpoint import latest_checkpoint
from explorer.training.pairs.pair import TrainingPair

WORDS = ["sea", "sky", "moon", "star", "rock", "tree", "bird", "fish", "rain", "snow", "wind", "fire"]
PAIRS = [
    TrainingPair(
        f"where is the {word} {other}", f"{other} {word}: found", negatives=(f"{word} lost",) * (row % 2)
    )
    for row, (word, other) in enumerate((word, other) for word in WORDS for other in WORDS[:2])
]
GRADED = [
    TrainingPair(word, " ".join(WORDS[:row]) or word, "similarity", instruction="", score=row / 12)
    for row, word in enumerate(WORDS)
]
PLAN = EmbeddingPlan(steps=7, batch_pairs=6, chunk_texts=5, learning_rate=3e-3, checkpoint_every=3, seed=1)


def run(base, out, pairs=None, plan=PLAN, **rest):
    return list(
        train_embedding(base, PAIRS + GRADED if pairs is None else pairs, plan, out, device="cpu", **rest)
    )


def weights(out):
    return load_file(out / "model" / "model.safetensors")


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module")
def uninterrupted(make_model, tmp_path_factory):
    out = tmp_path_factory.mktemp("uninterrupted")
    return out, run(make_model(), out)


def test_every_step_says_what_it_did(uninterrupted):
    out, steps = uninterrupted
    assert [step.step for step in steps] == list(range(1, 8))
    assert {step.steps for step in steps} == {7}
    kinds = [dict(step.parts).keys() for step in steps]
    assert {name for parts in kinds for name in parts} == {"contrastive", "graded"}
    assert steps[0].learning_rate == PLAN.learning_rate  # the warm-up of seven steps is one step
    assert steps[-1].learning_rate < steps[3].learning_rate < PLAN.learning_rate
    assert all(step.tokens > 12 and step.seconds > 0 and 0 <= step.masked_share <= 1 for step in steps)
    assert [step.step for step in steps if step.checkpoint] == [3, 6, 7]
    kept = sorted((out / "checkpoints").iterdir())
    assert [step.checkpoint for step in steps if step.checkpoint][1:] == kept


def test_training_brings_queries_to_their_documents(make_model, tmp_path):
    base = make_model(layers=1)

    def found(folder):
        model = explorer.load_embedder(str(folder), "cpu")
        asked = model.encode([pair.query for pair in PAIRS], DEFAULT_INSTRUCTION)
        scores = asked @ model.encode([pair.document for pair in PAIRS]).T
        return float((scores.argmax(1) == np.arange(len(PAIRS))).mean())

    steps = run(
        base, tmp_path, PAIRS, EmbeddingPlan(steps=40, batch_pairs=24, chunk_texts=100, learning_rate=5e-3)
    )
    assert np.mean([step.loss for step in steps[-3:]]) < 0.5 * np.mean([step.loss for step in steps[:3]])
    assert found(tmp_path / "model") > found(base) + 0.3


def test_two_runs_are_equal_bit_for_bit(make_model, tmp_path, uninterrupted):
    steps = run(make_model(), tmp_path)
    assert same(weights(tmp_path), weights(uninterrupted[0]))
    assert [step.loss for step in steps] == [step.loss for step in uninterrupted[1]]


def test_another_seed_gives_another_model(make_model, tmp_path, uninterrupted):
    run(make_model(), tmp_path, plan=replace(PLAN, seed=2))
    assert not same(weights(tmp_path), weights(uninterrupted[0]))


def test_the_size_of_chunks_changes_memory_and_not_the_result(make_model, tmp_path, monkeypatch):
    monkeypatch.setattr(optimization, "computes_bfloat16", lambda device: False)
    cut, whole = (
        run(make_model(), tmp_path / str(size), plan=replace(PLAN, chunk_texts=size, learning_rate=1e-4))
        for size in (5, 1000)
    )
    assert [step.loss for step in cut] == pytest.approx([step.loss for step in whole], rel=1e-3)


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_a_run_that_is_paused_and_resumed_ends_as_if_it_had_never_stopped(
    make_model, tmp_path, uninterrupted, stop
):
    cancel, seen = CancelToken(), []
    for step in train_embedding(make_model(), PAIRS + GRADED, PLAN, tmp_path, cancel=cancel, device="cpu"):
        seen.append(step)
        if step.step == stop:
            cancel.cancel()
    assert seen[-1].step == stop
    assert seen[-1].checkpoint == latest_checkpoint(tmp_path / "checkpoints")
    assert not (tmp_path / "model").exists()
    rest = run(make_model(), tmp_path)
    assert [step.step for step in rest] == list(range(stop + 1, 8))
    assert same(weights(tmp_path), weights(uninterrupted[0]))
    assert run(make_model(), tmp_path) == []


def test_a_wish_to_stop_before_the_first_step_leaves_nothing(make_model, tmp_path):
    cancel = CancelToken()
    cancel.cancel()
    assert run(make_model(), tmp_path, cancel=cancel) == []
    assert not (tmp_path / "checkpoints").exists()


KILLED = """
import os, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from explorer.training.embedding import training as embedding_training
from explorer.training.loop import checkpoint
from training.test_embedding_loop import GRADED, PAIRS, PLAN
base, out, where = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
die = lambda *_, **__: os.kill(os.getpid(), 9)
for step in embedding_training.train_embedding(base, PAIRS + GRADED, PLAN, out, device="cpu"):
    if step.step == 5:
        if where == "step":
            embedding_training.EmbeddingRun._learn = die
        else:
            checkpoint.publish = die
"""


@pytest.mark.parametrize("where", ["step", "checkpoint"])
def test_a_run_that_is_killed_goes_on_from_its_last_whole_checkpoint(
    make_model, tmp_path, uninterrupted, where
):
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join(map(str, (root, root / "tests")))
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(make_model()), str(tmp_path), where],
        cwd=root,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    kept = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert kept == [*([".unfinished-step-000006"] if where == "checkpoint" else []), "step-000003"]
    rest = run(make_model(), tmp_path)
    assert [step.step for step in rest] == [4, 5, 6, 7]
    assert same(weights(tmp_path), weights(uninterrupted[0]))
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == [
        "step-000006",
        "step-000007",
    ]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"plan": replace(PLAN, learning_rate=1e-3, seed=9)}, "learning_rate, seed"),
        ({"pairs": PAIRS}, "pairs"),
        ({"base": {"seed": 8}}, "base"),
        ({"plan": replace(PLAN, distillation_weight=1.0), "taught": True}, "distillation_weight, teacher"),
    ],
)
def test_a_folder_with_another_run_is_refused_by_name(make_model, tmp_path, changed, named):
    next(
        train_embedding(
            make_model(), PAIRS + GRADED, replace(PLAN, checkpoint_every=1), tmp_path, device="cpu"
        )
    )
    teacher = (
        TeacherVectors({WORDS[0]: 0}, np.ones((1, 4), dtype=np.float32)) if "taught" in changed else None
    )
    with pytest.raises(InputError) as caught:
        run(
            make_model(**changed.get("base", {})),
            tmp_path,
            changed.get("pairs"),
            changed.get("plan", PLAN),
            teacher=teacher,
        )
    assert caught.value.key == "trainer.other_run"
    assert caught.value.values["names"] == named


def test_how_often_a_run_saves_may_change(make_model, tmp_path):
    next(train_embedding(make_model(), PAIRS, replace(PLAN, checkpoint_every=1), tmp_path, device="cpu"))
    assert len(run(make_model(), tmp_path, PAIRS, replace(PLAN, checkpoint_every=5))) == 6


def test_a_teacher_pulls_similarities_towards_its_own(make_model, tmp_path):
    texts = [pair.document for pair in PAIRS] + [
        embedding_query(pair.instruction, pair.query) for pair in PAIRS[:12]
    ]
    teacher = TeacherVectors(
        {text: row for row, text in enumerate(texts)},
        np.random.default_rng(0).normal(size=(len(texts), 16)).astype(np.float32),
    )
    plan = replace(PLAN, steps=20, distillation_weight=20.0, batch_pairs=12, chunk_texts=100)
    steps = run(make_model(), tmp_path, PAIRS, plan, teacher=teacher)
    distilled = [dict(step.parts)["distillation"] for step in steps]
    assert np.mean(distilled[-3:]) < 0.7 * distilled[0]
    first = dict(steps[0].parts)
    assert steps[0].loss == pytest.approx(first["contrastive"] + 20 * first["distillation"], rel=1e-5)


def test_a_teacher_that_knows_none_of_the_texts_adds_nothing(make_model, tmp_path):
    teacher = TeacherVectors({"unheard of": 0}, np.ones((1, 4), dtype=np.float32))
    step = next(
        train_embedding(
            make_model(), PAIRS, replace(PLAN, distillation_weight=1.0), tmp_path, teacher, device="cpu"
        )
    )
    assert dict(step.parts)["distillation"] == 0.0


def test_weight_for_a_teacher_who_is_missing_is_refused(make_model, tmp_path):
    with pytest.raises(InputError) as caught:
        run(make_model(), tmp_path, plan=replace(PLAN, distillation_weight=1.0))
    assert caught.value.key == "trainer.teacher_missing"


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_the_run_at_its_step(make_model, tmp_path, monkeypatch, factor):
    judge, calls = Objective.__call__, []

    def broken(self, vectors, batch):
        calls.append(batch)
        found = judge(self, vectors, batch)
        return replace(found, loss=found.loss * (factor if len(calls) == 5 else 1.0))

    monkeypatch.setattr(Objective, "__call__", broken)
    with pytest.raises(InputError, match="step 5") as caught:
        run(make_model(), tmp_path)
    assert caught.value.key == "trainer.loss_not_finite"
    kept = load_file(latest_checkpoint(tmp_path / "checkpoints") / "weights.safetensors")
    assert all(torch.isfinite(weight).all() for weight in kept.values())


def test_a_device_without_room_is_said_with_what_to_lower(make_model, tmp_path, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(embedding_training, "chunk_vectors", full)
    with pytest.raises(OutOfMemoryError, match="chunk_texts"):
        run(make_model(), tmp_path)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("steps", 0),
        ("batch_pairs", 1),
        ("temperature", 0.0),
        ("longest", 1),
        ("learning_rate", float("nan")),
        ("ladder", (49,)),
    ],
)
def test_an_impossible_setting_is_named(make_model, tmp_path, setting, value):
    with pytest.raises(InputError, match=setting) as caught:
        run(make_model(), tmp_path, plan=replace(PLAN, **{setting: value}))
    assert caught.value.key == "trainer.plan_impossible"


def test_a_run_is_not_written_over_its_base(make_model, tmp_path):
    run(make_model(), tmp_path, plan=replace(PLAN, steps=1))
    with pytest.raises(InputError) as caught:
        run(tmp_path / "model", tmp_path)
    assert caught.value.key == "trainer.out_is_base"


def test_the_token_table_may_stand_still(make_model, tmp_path):
    run(make_model(), tmp_path, plan=replace(PLAN, steps=2, table_rate=0.0))
    before = load_file(make_model() / "model.safetensors")
    changed = {name for name, weight in weights(tmp_path).items() if not torch.equal(weight, before[name])}
    assert changed
    assert "embed_tokens.weight" not in changed

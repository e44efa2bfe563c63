"""Four models from one base, trained once each, resumable at any moment."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import InputError
from explorer.progress import CancelToken
from explorer.training.embedding.plan import EmbeddingPlan
from explorer.training.merging.ablation import (
    ROWS,
    AblationPlans,
    AblationProgress,
    ablate,
    merged_steps,
    spacing,
)
from explorer.training.merging.model_states import read_state
from explorer.training.merging.slerp import slerp_many
from explorer.training.pairs.pair import TrainingPair
from explorer.training.quality.held_out import HeldOut, RetrievalItem

SYNTHETIC = [TrainingPair(f"question {i}", f"document {i} of the first kind") for i in range(8)]
LABELLED = [TrainingPair(f"asked {i}", f"answer {i} of another kind") for i in range(8)]
HELD = HeldOut(
    (("Beijing", "Paris", 0.5), ("apple", "fruit", 0.9), ("a", "b", 0.1)),
    tuple(RetrievalItem(text, ((text, 1.0),)) for text in ("Beijing", "苹果", "Gravity")),
)
PLAN = EmbeddingPlan(steps=4, batch_pairs=4, learning_rate=1e-3, longest=40)
PLANS = AblationPlans(PLAN, replace(PLAN, steps=8), merged=3)


def run(
    base: Path, out: Path, cancel: CancelToken | None = None, **changed: object
) -> list[AblationProgress]:
    given = {"synthetic": SYNTHETIC, "labelled": LABELLED, "plans": PLANS, "held_out": HELD} | changed
    return list(ablate(base, out=out, cancel=cancel, device="cpu", **given))


@pytest.fixture(scope="module")
def finished(make_model, tmp_path_factory) -> tuple[Path, list[AblationProgress]]:
    out = tmp_path_factory.mktemp("ablation") / "out"
    return out, run(make_model(), out)


def test_every_row_is_trained_on_its_own_stages(finished):
    _, events = finished
    steps = {name: [event.step.step for event in events if event.row == name and event.step] for name in ROWS}
    assert steps == {
        "only_synthetic": [1, 2, 3, 4],
        "without_synthetic": list(range(1, 9)),
        "without_merge": list(range(1, 9)),
        "final": [],
    }
    result = events[-1].result
    assert [row.name for row in result.rows] == list(ROWS)
    assert set(result.before.spearman) == {32, 48}
    qualities = [result.before, *(row.quality for row in result.rows)]
    assert len({(*quality.spearman.values(), quality.ndcg_at_10) for quality in qualities}) > 1


def test_the_last_row_is_the_merge_of_the_fine_tunings_checkpoints(make_model, finished, tmp_path):
    out, _ = finished
    again = tmp_path / "again"
    for event in ablate(make_model(), SYNTHETIC, LABELLED, PLANS, HELD, again, device="cpu"):
        if event.row == "final" or (event.row == "without_merge" and event.step is None):
            break
    parts = sorted((again / "without_merge" / "merged").iterdir())
    assert [int(part.name) for part in parts] == [4, 6, 8]
    list(ablate(make_model(), SYNTHETIC, LABELLED, PLANS, HELD, again, device="cpu"))
    merged = read_state(out / "final" / "model").tensors
    same = read_state(again / "final" / "model").tensors
    assert all(torch.equal(merged[name], same[name]) for name in merged), (
        "the same arguments give the same model"
    )
    last = read_state(out / "without_merge" / "model").tensors
    assert any(not torch.equal(merged[name], last[name]) for name in merged)
    assert not (again / "without_merge" / "merged").exists()


def test_the_merge_is_that_of_the_kept_models(make_model, finished, tmp_path, monkeypatch):
    out, _ = finished
    given = []
    monkeypatch.setattr(
        "explorer.training.merging.folders.slerp_many",
        lambda states, weights: given.append((states, weights)) or slerp_many(states, weights),
    )
    run(make_model(), tmp_path / "out")
    ((states, weights),) = given
    assert weights == [1.0] * 3
    last = read_state(out / "without_merge" / "model").tensors
    assert all(torch.equal(states[-1][name], last[name]) for name in last)
    assert any(not torch.equal(states[0][name], last[name]) for name in last)


def test_finished_rows_are_not_trained_again(make_model, finished, monkeypatch):
    out, events = finished
    monkeypatch.setattr(
        "explorer.training.merging.ablation.train_embedding", lambda *_: pytest.fail("trained again")
    )
    assert run(make_model(), out) == [AblationProgress(name, None, events[-1].result) for name in ROWS]
    record = json.loads((out / "ablation.json").read_text("utf-8"))
    assert list(record["rows"]) == list(ROWS)
    assert record["before"]["ndcg_at_10"] == events[-1].result.before.ndcg_at_10


@pytest.mark.parametrize("moment", [2, 4, 6, 15, 19])
def test_an_ablation_that_was_stopped_goes_on_to_the_same_figures(make_model, finished, tmp_path, moment):
    _, whole = finished
    stop = CancelToken()
    first = []
    for event in ablate(make_model(), SYNTHETIC, LABELLED, PLANS, HELD, tmp_path / "out", stop, "cpu"):
        first.append(event)
        if len(first) == moment:
            stop.cancel()
    rest = run(make_model(), tmp_path / "out")
    assert rest[-1].result == whole[-1].result
    made = [(event.row, event.step.step) for event in (*first[:moment], *rest) if event.step]
    assert made == [(event.row, event.step.step) for event in whole if event.step]


def test_another_ablation_in_the_same_folder_is_refused(make_model, finished):
    out, _ = finished
    with pytest.raises(InputError, match="labelled pairs"):
        run(make_model(), out, labelled=LABELLED[1:])
    with pytest.raises(InputError, match="held-out texts"):
        run(make_model(), out, held_out=HeldOut(HELD.similarity))
    with pytest.raises(InputError, match="base"):
        run(make_model(seed=1), out)
    with pytest.raises(InputError, match="at least one"):
        run(make_model(), out, plans=replace(PLANS, merged=0))


def test_a_damaged_record_is_named(make_model, finished, tmp_path):
    copy = shutil.copytree(finished[0], tmp_path / "copy")
    (copy / "ablation.json").write_text('{"facts": 3')
    with pytest.raises(InputError, match=r"ablation\.json"):
        run(make_model(), copy)


def test_a_checkpoint_that_is_missing_is_never_replaced_by_an_untrained_model(make_model, tmp_path):
    events = ablate(make_model(), SYNTHETIC, LABELLED, PLANS, HELD, tmp_path, device="cpu")
    for event in events:
        if event.row == "without_merge" and event.step is None:
            break
    shutil.rmtree(tmp_path / "without_merge" / "merged" / "000004")
    with pytest.raises(InputError, match="step 4"):
        next(events)


@given(st.integers(1, 500), st.integers(1, 8))
def test_merged_steps_are_checkpoints_of_the_last_half(steps, merged):
    found = merged_steps(steps, merged)
    assert found[-1] == steps and list(found) == sorted(set(found))
    assert len(found) <= merged and all(2 * step >= steps for step in found)
    assert all(step % spacing(steps, merged) == 0 for step in found[:-1])
    if steps >= 4 * merged**2:
        assert len(found) == merged


def test_merged_steps_by_hand():
    assert merged_steps(50, 3) == (26, 39, 50)
    assert merged_steps(300, 3) == (150, 225, 300)
    assert merged_steps(20, 1) == (20,)
    assert merged_steps(1, 3) == (1,)

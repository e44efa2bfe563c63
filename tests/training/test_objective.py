"""A batch's rows reach the losses they belong to."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import cosine_similarity, normalize

from explorer.training.embedding.losses import cosent, info_nce, relational_distillation
from explorer.training.embedding.objective import Objective, TeacherVectors
from explorer.training.pairs.batches import make_batch
from explorer.training.pairs.pair import TrainingPair

LADDER = (4, 8)
ROWS = {
    name: torch.randn(8, generator=torch.Generator().manual_seed(number), requires_grad=True)
    for number, name in enumerate("abcdefg")
}


def vectors(batch):
    return torch.stack([ROWS[text.text] for text in batch.texts])


def stacked(names):
    return torch.stack([ROWS[name] for name in names])


def test_positives_are_contrasted_with_their_own_hard_negatives_at_every_dimension():
    pairs = [TrainingPair("a", "b", negatives=("e", "f")), TrainingPair("c", "d", negatives=("g",))]
    batch = make_batch(pairs)
    found = Objective(0.2, 0.1, LADDER)(vectors(batch), batch)
    hard = torch.stack([stacked("ef"), stacked("ga")])  # the last one is not there
    present = torch.tensor([[True, True], [True, False]])
    expected = [
        info_nce(
            stacked("ac")[:, :kept], stacked("bd")[:, :kept], hard[..., :kept], 0.2, 0.1, present=present
        )
        for kept in LADDER
    ]
    assert found.loss.item() == pytest.approx(torch.stack(expected).mean().item(), rel=1e-5)
    assert list(found.parts) == ["contrastive"]


def test_graded_pairs_are_ordered_at_every_dimension_and_never_contrasted():
    scores = [0.9, 0.1, 0.5]
    pairs = [
        TrainingPair(query, document, "similarity", instruction="", score=score)
        for query, document, score in zip("ace", "bdf", scores, strict=True)
    ]
    batch = make_batch(pairs)
    found = Objective(0.2, 0.1, LADDER)(vectors(batch), batch)
    expected = [
        cosent(cosine_similarity(stacked("ace")[:, :kept], stacked("bdf")[:, :kept]), torch.tensor(scores))
        for kept in LADDER
    ]
    assert found.loss.item() == pytest.approx(torch.stack(expected).mean().item(), rel=1e-5)
    assert (list(found.parts), float(found.masked_share)) == (["graded"], 0.0)


def test_a_teacher_is_asked_about_prompts_first_and_bare_texts_then():
    pairs = [TrainingPair("a", "b", instruction="Find"), TrainingPair("c", "d", instruction="Find")]
    batch = make_batch(pairs)
    known = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    rows = {"Instruct: Find\nQuery:a": 0, "a": 3, "c": 1, "d": 2}
    found = Objective(0.2, 0.1, LADDER, 2.0, TeacherVectors(rows, known))(vectors(batch), batch)
    expected = [
        relational_distillation(normalize(stacked("acd")[:, :kept], dim=1), torch.from_numpy(known[:3]))
        for kept in LADDER
    ]
    distilled = float(found.parts["distillation"])
    assert distilled == pytest.approx(torch.stack(expected).mean().item(), rel=1e-5)
    assert found.loss.item() == pytest.approx(float(found.parts["contrastive"]) + 2 * distilled, rel=1e-5)

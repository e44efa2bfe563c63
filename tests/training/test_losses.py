"""The losses against what their formulas say, written out naively, and against sentence-transformers."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer.losses import CoSENTLoss

from explorer.training.embedding.losses import (
    contrast,
    cosent,
    default_ladder,
    info_nce,
    matryoshka,
    relational_distillation,
)


def naive(queries, documents, negatives, temperature, margin, ids):
    """Equation 1 of the report as loops over numpy rows; also the share of negatives that were masked."""
    masked = counted = 0

    def cosine(a, b):
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    losses = []
    for i, query in enumerate(queries):
        positive = cosine(query, documents[i])
        total = math.exp(positive / temperature)
        rivals = [] if negatives is None else [(cosine(query, rival), False) for rival in negatives[i]]
        for j in range(len(queries)):
            if j != i:
                same = ids[j] == ids[i]
                rivals.append((cosine(query, queries[j]), same))
                rivals.append((cosine(documents[i], documents[j]), same))
                rivals.append((cosine(query, documents[j]), same))
        for similarity, same in rivals:
            counted += 1
            if same or (margin is not None and similarity > positive + margin):
                masked += 1
            else:
                total += math.exp(similarity / temperature)
        losses.append(-math.log(math.exp(positive / temperature) / total))
    return sum(losses) / len(losses), masked / counted if counted else 0.0


@settings(max_examples=60, deadline=None)
@given(
    pairs=st.integers(1, 6),
    width=st.integers(2, 8),
    hard=st.integers(0, 3),
    temperature=st.sampled_from([0.02, 0.05, 0.5]),
    margin=st.sampled_from([None, 0.0, 0.1]),
    kinds=st.integers(1, 6),
    seed=st.integers(0, 1000),
)
def test_info_nce_is_the_reports_equation_with_every_term(
    pairs, width, hard, temperature, margin, kinds, seed
):
    generator = np.random.default_rng(seed)
    ids = generator.integers(0, kinds, pairs)
    queries = generator.normal(size=(pairs, width))
    documents = generator.normal(size=(kinds, width))[ids]
    negatives = generator.normal(size=(pairs, hard, width)) if hard else None
    loss, share = naive(queries, documents, negatives, temperature, margin, ids)
    found = contrast(
        torch.from_numpy(queries),
        torch.from_numpy(documents),
        None if negatives is None else torch.from_numpy(negatives),
        temperature,
        margin,
        torch.from_numpy(ids),
    )
    assert float(found.loss) == pytest.approx(loss, rel=1e-9, abs=1e-12)
    assert float(found.masked_share) == pytest.approx(share)


def test_a_document_that_two_queries_share_is_no_negative():
    same = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    queries = torch.tensor([[1.0, 0.1], [1.0, -0.1]])
    assert float(info_nce(queries, same, document_ids=torch.tensor([7, 7]))) == 0.0
    assert float(info_nce(queries, same, margin=None)) > 1.0


def test_hard_negatives_that_are_missing_count_for_nothing():
    generator = torch.Generator().manual_seed(0)
    queries, documents = torch.randn(2, 4, 8, generator=generator)
    hard = torch.randn(4, 2, 8, generator=generator)
    present = torch.tensor([[True, False]] * 4)
    shortened = info_nce(queries, documents, hard[:, :1])
    assert torch.allclose(info_nce(queries, documents, hard, present=present), shortened)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 100), scale=st.floats(0.1, 10))
def test_the_contrast_depends_on_directions_alone_and_its_gradient_is_finite(seed, scale):
    generator = torch.Generator().manual_seed(seed)
    queries, documents = torch.randn(2, 5, 8, generator=generator, dtype=torch.float64)
    queries.requires_grad_()
    loss = info_nce(queries, documents, temperature=0.01)
    assert torch.allclose(info_nce(queries * scale, documents / scale, temperature=0.01), loss)
    (gradient,) = torch.autograd.grad(loss, queries)
    assert torch.isfinite(gradient).all()


def test_the_ladder_doubles_from_32_to_the_full_width():
    assert default_ladder(256) == (32, 64, 128, 256)
    assert default_ladder(1000) == (32, 64, 128, 256, 512, 1000)
    assert default_ladder(20) == (20,)


def test_matryoshka_averages_the_loss_of_unit_slices():
    generator = torch.Generator().manual_seed(0)
    sides = list(torch.randn(2, 6, 8, generator=generator))
    expected = [info_nce(sides[0][:, :kept], sides[1][:, :kept]) for kept in (2, 4, 8)]
    found = matryoshka(lambda parts: info_nce(parts[0], parts[1]), sides, (2, 4, 8))
    assert torch.allclose(found, torch.stack(expected).mean())
    norms = []
    matryoshka(lambda parts: norms.append(parts[0].norm(dim=-1)) or parts[0].sum(), sides, (3,))
    assert torch.allclose(norms[0], torch.ones(6))


def test_relational_distillation_compares_cosines_of_different_texts():
    generator = np.random.default_rng(0)
    student, teacher = generator.normal(size=(5, 4)), generator.normal(size=(5, 9))

    def cosines(rows):
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit @ unit.T

    apart = ~np.eye(5, dtype=bool)
    expected = np.mean((cosines(student) - cosines(teacher))[apart] ** 2)
    found = relational_distillation(torch.from_numpy(student), torch.from_numpy(teacher))
    assert float(found) == pytest.approx(expected)


def test_relational_distillation_is_nothing_for_a_rotated_teacher_or_a_single_text():
    generator = torch.Generator().manual_seed(0)
    teacher = torch.randn(6, 8, generator=generator, dtype=torch.float64)
    turn, _ = torch.linalg.qr(torch.randn(8, 8, generator=generator, dtype=torch.float64))
    assert float(relational_distillation(teacher @ turn * 3, teacher)) < 1e-20
    one = torch.randn(1, 8, requires_grad=True)
    loss = relational_distillation(one, teacher[:1].float())
    loss.backward()
    assert loss.item() == 0.0


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(st.tuples(st.floats(-1, 1), st.sampled_from([0.0, 0.25, 0.5, 1.0])), min_size=2, max_size=8)
)
def test_cosent_is_that_of_sentence_transformers(rows):
    cosines, scores = (torch.tensor(side, dtype=torch.float32) for side in zip(*rows, strict=True))
    golden = CoSENTLoss(SimpleNamespace(), scale=20.0, similarity_fct=lambda first, second: first)
    expected = golden.compute_loss_from_embeddings([cosines, cosines], scores)
    assert torch.allclose(cosent(cosines, scores), expected, atol=1e-5)


def test_cosent_asks_nothing_of_equal_scores():
    cosines = torch.tensor([0.1, 0.9], requires_grad=True)
    loss = cosent(cosines, torch.tensor([0.5, 0.5]))
    loss.backward()
    assert loss.item() == 0.0

"""The reranker's losses against their definitions, written out."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.training.reranker.loss import distilled, listwise, supervised

SCORES = st.lists(st.floats(-30, 30), min_size=2, max_size=6)


@given(SCORES, st.lists(st.booleans(), min_size=6, max_size=6), st.floats(-5, 5))
def test_supervised_is_minus_the_log_of_the_labels_softmax_over_two_logits(scores, labels, shift):
    expected = []
    for score, label in zip(scores, labels, strict=False):
        yes, no = shift + score, shift  # logits of both answers; only their difference counts
        total = math.exp(yes - max(yes, no)) + math.exp(no - max(yes, no))
        expected.append(-((yes if label else no) - max(yes, no) - math.log(total)))
    found = supervised(
        torch.tensor(scores, dtype=torch.float64), torch.tensor(labels[: len(scores)]).double()
    )
    assert float(found) == pytest.approx(sum(expected) / len(expected), abs=1e-9)


def test_supervised_does_not_overflow_and_says_how_sure_it_was_wrongly():
    assert float(supervised(torch.tensor([500.0]), torch.tensor([0.0]))) == 500
    assert float(supervised(torch.tensor([500.0]), torch.tensor([1.0]))) == 0


@given(SCORES)
def test_listwise_is_the_first_documents_softmax_share(scores):
    exponents = [math.exp(score - max(scores)) for score in scores]
    found = float(listwise(torch.tensor(scores, dtype=torch.float64)))
    assert found == pytest.approx(-math.log(max(exponents[0] / sum(exponents), 1e-300)), abs=1e-9)


@given(SCORES, st.floats(-3, 3))
def test_distilled_is_a_divergence(scores, shift):
    teacher = torch.tensor(scores, dtype=torch.float64)
    student = teacher.flip(0)
    p, q = torch.softmax(teacher, 0), torch.softmax(student, 0)
    assert float(distilled(student, teacher)) == pytest.approx(float((p * (p / q).log()).sum()), abs=1e-9)
    assert float(distilled(teacher + shift, teacher)) == pytest.approx(0, abs=1e-9)

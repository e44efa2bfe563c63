"""Batches are whole, of one kind, and the same at every telling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.errors import InputError
from explorer.training.pairs.batches import BatchOrder, Text, make_batch
from explorer.training.pairs.pair import TrainingPair


def positives(count):
    return [TrainingPair(f"query {number}", f"document {number}") for number in range(count)]


def graded(count):
    return [
        TrainingPair(f"a{number}", f"b{number}", "similarity", instruction="", score=number / count)
        for number in range(count)
    ]


def asked(batch):
    return [batch.texts[row].text for row in batch.queries]


@settings(max_examples=40, deadline=None)
@given(first=st.integers(0, 30), second=st.integers(0, 30), size=st.integers(2, 12), seed=st.integers(0, 9))
def test_an_epoch_holds_every_pair_at_most_once_in_batches_of_one_kind(first, second, size, seed):
    if max(first, second) < 2:
        return
    order = BatchOrder(positives(first) + graded(second), size, seed)
    seen = []
    for step in range(order.per_epoch):
        batch = order.at(step)
        kinds = {text[0] for text in asked(batch)}
        assert kinds == ({"q"} if batch.scores is None else {"a"})
        assert 2 <= len(batch.queries) <= size
        seen += asked(batch)
    assert len(seen) == len(set(seen))
    expected = sum(count if count < size else count // size * size for count in (first, second) if count > 1)
    assert len(seen) == expected


def test_a_batch_depends_on_its_step_alone():
    pairs = positives(20) + graded(20)
    forward = [asked(BatchOrder(pairs, 4, 1).at(step)) for step in range(25)]
    order = BatchOrder(pairs, 4, 1)
    assert [asked(order.at(step)) for step in reversed(range(25))] == forward[::-1]
    assert forward[:10] != forward[10:20]
    assert [asked(BatchOrder(pairs, 4, 2).at(step)) for step in range(25)] != forward


def test_equal_texts_are_computed_once_and_a_document_is_not_its_own_negative():
    pairs = [
        TrainingPair("q", "d", instruction="task", negatives=("n", "d")),
        TrainingPair("p", "d", instruction="task"),
        TrainingPair("d", "n", instruction=""),
    ]
    batch = make_batch(pairs)
    assert batch.texts == (Text("q", "task"), Text("p", "task"), Text("d"), Text("n"))
    assert batch.queries.tolist() == [0, 1, 2]
    assert batch.documents.tolist() == [2, 2, 3]
    assert batch.negatives.tolist() == [[3], [-1], [-1]]
    assert batch.scores is None


def test_pairs_that_share_a_side_are_in_one_group():
    pairs = [
        TrainingPair("first", "same label", "classification"),
        TrainingPair("alone", "another"),
        TrainingPair("second", "same label", "classification"),
        TrainingPair("second", "its other document"),
    ]
    groups = make_batch(pairs).groups
    assert groups[0] == groups[2] == groups[3] != groups[1]


def test_scores_stand_beside_their_pairs():
    pairs = graded(4)
    batch = make_batch(pairs[::-1])
    assert np.allclose(batch.scores, [0.75, 0.5, 0.25, 0.0])
    assert batch.negatives.shape == (4, 0)


def test_a_similar_pair_without_a_score_is_a_positive():
    batch = make_batch([TrainingPair("a", "b", "similarity"), TrainingPair("c", "d", "bitext")])
    assert batch.scores is None


@pytest.mark.parametrize("pairs", [[], positives(1), positives(1) + graded(1)])
def test_one_pair_cannot_be_contrasted(pairs):
    with pytest.raises(InputError) as caught:
        BatchOrder(pairs, 4, 0)
    assert caught.value.key == "trainer.too_few_pairs"

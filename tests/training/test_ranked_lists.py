"""Lists are drawn the same each time and never hold an answer as a wrong document."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.engine.embedder import Embedder
from explorer.engine.prompts import DEFAULT_INSTRUCTION
from explorer.engine.reranker import Reranker
from explorer.errors import InputError
from explorer.training.pairs.pair import TrainingPair
from explorer.training.reranker.ranked_lists import ListOrder, RankedTexts, embedder_teacher, reranker_teacher

PAIRS = [
    TrainingPair("capital of France", "Paris", negatives=("Lyon", "paris", "Nice", "Lyon")),
    TrainingPair("capital of China", "Beijing", instruction=""),
    TrainingPair("Capital  of France", "The city of Paris"),
    TrainingPair("what falls", "An apple"),
    TrainingPair("a", "b", "similarity", "", score=0.3),
]


def test_every_pair_comes_once_an_epoch_with_its_own_document_first():
    order = ListOrder(PAIRS, 2, seed=0)
    epochs = [[one for step in range(first, first + 2) for one in order.at(step, 2)] for first in (0, 2, 4)]
    for lists in epochs:
        assert sorted((one.query, one.documents[0]) for one in lists) == sorted(
            (pair.query, pair.document) for pair in PAIRS[:4]
        )
    assert len({tuple(one.query for one in lists) for lists in epochs}) > 1


def test_own_negatives_come_first_and_answers_never():
    order = ListOrder(PAIRS, 3, seed=1)
    for one in (one for step in range(20) for one in order.at(step, 2)):
        assert len(set(one.documents)) == len(one.documents) <= 4
        if one.query == "capital of France":
            assert set(one.documents[1:3]) == {"Lyon", "Nice"}
            assert "paris" not in one.documents and "The city of Paris" not in one.documents
        if one.documents[0] == "The city of Paris":
            assert "Paris" not in one.documents
    fewer = {
        one.documents[1] for one in ListOrder(PAIRS, 1, 0).at(0, 200) if one.query == "capital of France"
    }
    assert fewer == {"Lyon", "Nice"}


def test_a_list_does_not_depend_on_what_was_drawn_before():
    whole = ListOrder(PAIRS, 2, seed=3)
    steps = [whole.at(step, 3) for step in range(9)]
    assert ListOrder(PAIRS, 2, seed=3).at(8, 3) == steps[8]
    assert ListOrder(PAIRS, 2, seed=4).at(8, 3) != steps[8]


def test_a_raw_query_is_asked_with_the_default_instruction():
    asked = {one.query: one.instruction for one in ListOrder(PAIRS, 1, 0).at(0, 4)}
    assert asked["capital of China"] == DEFAULT_INSTRUCTION


def test_too_few_pairs_are_refused():
    with pytest.raises(InputError, match="two pairs"):
        ListOrder(PAIRS[3:], 2, 0)


def test_teachers_give_the_scores_of_their_models(tiny_embedding, tiny_reranker):
    one = RankedTexts("Find the capital", "France", ("Paris", "Beijing", "apple"))
    reranker, embedder = Reranker(tiny_reranker), Embedder(tiny_embedding)
    by_odds, by_cosine = reranker_teacher(reranker), embedder_teacher(embedder, 10)
    np.testing.assert_array_equal(
        by_odds.score(one), reranker.score(one.query, one.documents, one.instruction).log_odds
    )
    cosines = embedder.encode(one.documents) @ embedder.encode(["France"], "Find the capital")[0]
    np.testing.assert_allclose(by_cosine.score(one), 10 * cosines, rtol=1e-6)
    assert by_odds.name != by_cosine.name != embedder_teacher(embedder).name

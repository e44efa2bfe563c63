"""The bundled reranker finds the paragraph that answers a question it has never seen."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from explorer import load_embedder, load_reranker
from explorer.service.examples import rerank_examples
from explorer.training.mini_reranker.evaluation import (
    Ranking,
    random_lists,
    rank,
    read_questions,
    reranker_scorer,
    topical_lists,
)

MODEL = Path(__file__).parents[2] / "assets" / "models" / "mini-reranker"
QUESTIONS = Path(__file__).parent / "questions.jsonl"


@pytest.fixture(scope="module")
def scorer():
    return reranker_scorer(MODEL)


def measured(scorer, lists_of, language: str, count: int) -> Ranking:
    questions = read_questions(QUESTIONS, language)
    lists = lists_of(questions, 10, 0)
    picked = random.Random(0).sample(range(len(questions)), count)
    return rank([questions[i].question for i in picked], [lists[i] for i in picked], scorer)


@pytest.mark.parametrize("lists_of", [random_lists, topical_lists])
def test_english_paragraph_comes_first_at_least_half_of_the_time(scorer, lists_of):
    assert measured(scorer, lists_of, "en", 20).top_one >= 0.5


def test_chinese_paragraph_comes_first_at_least_half_of_the_time(scorer):
    assert measured(scorer, random_lists, "zh", 20).top_one >= 0.5


def test_random_order_of_scores_would_fail_the_bar():
    rng = random.Random(0)

    def guess(_query, documents):
        return np.array([rng.random() for _ in documents])

    assert measured(guess, random_lists, "en", 60).top_one < 0.5


def test_the_first_example_of_the_page_is_lifted_to_the_top() -> None:
    first = rerank_examples()[0]
    right = next(index for index, document in enumerate(first.documents) if "Great Red Spot" in document)
    scores = load_reranker().score(first.query, first.documents, first.instruction)
    cosines = (
        load_embedder().encode([first.query], first.instruction) @ load_embedder().encode(first.documents).T
    )
    assert int(np.argmax(scores.log_odds)) == right
    assert int(np.argmax(cosines[0])) != right

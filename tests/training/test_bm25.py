from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from explorer.training.mini_reranker.evaluation import bm25_scorer
from explorer.training.quality.bm25 import Bm25, words

TOKENIZER = Path(__file__).parents[2] / "assets" / "models" / "mini-embedding" / "tokenizer.json"
DOCUMENTS = (
    "the quick brown fox jumps over the lazy dog",
    "the dog sleeps",
    "a fox is no dog and the fox knows it",
    "owls hunt at night",
)
GOLDEN = {
    "the fox": [1.041468, 0.45744, 1.120014, 0.0],
    "lazy owls sleeps": [1.040291, 1.544109, 0.0, 1.428781],
}
"""From bm25s 0.3 (method "lucene"), times k1 + 1, which Lucene leaves out."""


def test_scores_are_those_of_an_independent_implementation():
    found = Bm25([words(text) for text in DOCUMENTS])
    for query, expected in GOLDEN.items():
        np.testing.assert_allclose(found.scores(words(query)), expected, rtol=1e-5)


def test_one_term_by_hand():
    scores = Bm25([["a", "a", "b"], ["b"]]).scores(["a"])
    assert scores == pytest.approx([math.log(2) * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2)), 0])


def test_a_repeated_or_unknown_term_of_the_query_changes_nothing():
    found = Bm25([words(text) for text in DOCUMENTS])
    np.testing.assert_array_equal(found.scores(["fox", "fox", "zebra"]), found.scores(["fox"]))


def test_documents_without_a_word_score_nothing():
    assert Bm25([[], []]).scores(["a"]).tolist() == [0, 0]
    assert Bm25([]).scores(["a"]).tolist() == []


def test_words_of_scripts_with_and_without_spaces():
    assert words("Don't PANIC, it's 北京 in_2024!") == [
        "don",
        "t",
        "panic",
        "it",
        "s",
        "北",
        "京",
        "in",
        "2024",
    ]
    assert words("日本語テスト 한국") == ["日", "本", "語", "テ", "ス", "ト", "한", "국"]


def test_the_mini_rerankers_report_uses_the_same_scores_over_tokens():
    scorer = bm25_scorer(TOKENIZER, DOCUMENTS)
    scores = scorer("fox", DOCUMENTS[::-1])
    assert np.argmax(scores) == 1 and scores[0] == scores[2] == 0

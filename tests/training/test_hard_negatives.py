"""Which documents become hard negatives, with vectors whose cosines are known."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.engine.embedder import Embedder
from explorer.errors import Cancelled, InputError
from explorer.progress import CancelToken
from explorer.training.pairs.pair import TrainingPair
from explorer.training.reranker.hard_negatives import Mining, mine_hard_negatives


def at(cosine: float) -> tuple[float, float]:
    return cosine, float(np.sqrt(1 - cosine**2))


COSINES = {
    "query": 1.0,
    "the answer": 0.7,
    "THE  answer": 0.7,
    "a true answer": 0.85,
    "near": 0.75,
    "nearer": 0.79,
}
COSINES |= {f"far {i}": 0.6 - i / 20 for i in range(8)}
ROWS = {text: at(cosine) for text, cosine in COSINES.items()}


def encode(texts, instruction=None, /):
    return np.array([ROWS[text.lower() if text == "Query" else text] for text in texts], dtype=np.float32)


def pairs_with(*others: str, query: str = "query") -> list[TrainingPair]:
    """One pair that matters, and others that bring their documents."""
    return [
        TrainingPair(query, "the answer"),
        *(TrainingPair(f"far {i % 8}", text) for i, text in enumerate(others)),
    ]


def mined(pairs: list[TrainingPair], **fields: object) -> tuple[str, ...]:
    return mine_hard_negatives(pairs, encode, Mining(**fields))[0].negatives


EVERYTHING = ("near", "nearer", "a true answer", "THE  answer", *(f"far {i}" for i in range(8)))


def test_the_nearest_that_are_no_answers_are_taken():
    assert mined(pairs_with(*EVERYTHING), count=3, window=4) == ("nearer", "near", "far 0")


def test_the_margin_says_what_is_too_near_to_be_wrong():
    assert "a true answer" not in mined(pairs_with(*EVERYTHING), count=9)
    assert "a true answer" in mined(pairs_with(*EVERYTHING), count=9, window=9, margin=0.2)
    assert mined(pairs_with(*EVERYTHING), count=2, window=2, margin=-0.05) == ()
    assert mined(pairs_with(*EVERYTHING), count=4, window=4, margin=-0.05) == ("far 0",)


def test_the_positive_its_duplicates_and_other_answers_are_never_taken():
    pairs = [*pairs_with(*EVERYTHING), TrainingPair("Query", "near")]
    taken = mined(pairs, count=12, margin=2)
    assert not {"the answer", "THE  answer", "near"} & set(taken)
    assert set(taken) == set(EVERYTHING) - {"THE  answer", "near"}


def test_a_document_equal_to_the_query_is_no_negative():
    assert "query" not in mined(pairs_with("query", "near"), count=5, margin=2)


def test_the_first_ranks_can_be_passed_over():
    assert mined(pairs_with(*EVERYTHING), count=2, skip=2, window=2) == ("near", "far 0")


def test_draws_are_repeatable_differ_by_seed_and_do_not_depend_on_other_pairs():
    pairs = pairs_with(*EVERYTHING)
    draws = {seed: mined(pairs, count=2, window=9, seed=seed) for seed in range(6)}
    assert draws == {seed: mined(pairs, count=2, window=9, seed=seed) for seed in range(6)}
    assert len(set(draws.values())) > 1
    assert mined([*pairs, TrainingPair("near", "far 1")], count=2, window=9) == draws[0]


def test_own_negatives_stay_first_and_count():
    first, *rest = pairs_with(*EVERYTHING)
    pair = TrainingPair(first.query, first.document, negatives=("far 0", "elsewhere"))
    assert mined([pair, *rest], count=3, window=3)[:2] == ("far 0", "elsewhere")
    assert len(mined([pair, *rest], count=3, window=3)) == 3
    assert mined([pair, *rest], count=1, window=1) == ("far 0", "elsewhere")


def test_graded_pairs_stay_as_they_are():
    graded = TrainingPair("near", "nearer", "similarity", "", score=0.5)
    assert mine_hard_negatives([*pairs_with("far 1"), graded], encode)[-1] == graded


def test_few_documents_give_few_negatives():
    assert mined(pairs_with("far 0")) == ("far 0",)
    assert mined(pairs_with()) == ()


def test_each_instruction_asks_for_itself():
    asked = []

    def noted(texts, instruction=None, /):
        asked.append((instruction, len(texts)))
        return encode(texts)

    pairs = [
        TrainingPair("query", "near"),
        TrainingPair("near", "far 0", instruction=""),
        TrainingPair("far 1", "far 2"),
    ]
    mine_hard_negatives(pairs, noted)
    assert asked == [(None, 3), (pairs[0].instruction, 2), (None, 1)]


def test_progress_and_stop_with_a_real_model(tiny_embedding):
    texts = (
        "Paris is the capital of France.",
        "Beijing is the capital of China.",
        "Gravity pulls bodies.",
        "苹果",
    )
    pairs = [TrainingPair(f"question {i}", text) for i, text in enumerate(texts)]
    seen = []
    found = mine_hard_negatives(
        pairs, Embedder(tiny_embedding), Mining(margin=2), lambda *step: seen.append(step)
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert all(len(pair.negatives) == 3 and pair.document not in pair.negatives for pair in found)
    stop = CancelToken()
    stop.cancel()
    with pytest.raises(Cancelled):
        mine_hard_negatives(pairs, encode_any, cancel=stop)


def encode_any(texts, instruction=None, /):
    return np.ones((len(texts), 2), dtype=np.float32)


@pytest.mark.parametrize("fields", [{"count": 0}, {"count": 5, "window": 4}, {"skip": -1}])
def test_a_window_that_holds_nothing_is_refused(fields):
    with pytest.raises(InputError, match="at least"):
        Mining(**fields)

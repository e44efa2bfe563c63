"""Nothing of what is held out may be seen in training."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import InputError
from explorer.training.pairs.pair import TrainingPair
from explorer.training.quality.held_out import folded, hold_out

TEXTS = st.sampled_from([f"text {number}" for number in range(30)])
PAIRS = st.lists(
    st.builds(TrainingPair, query=TEXTS, document=TEXTS, negatives=st.tuples(TEXTS)), min_size=2, max_size=60
)


def pairs_of(count: int) -> list[TrainingPair]:
    return [
        TrainingPair(f"query {i}", f"document {i}", negatives=(f"document {i + 1}",)) for i in range(count)
    ]


@given(PAIRS, st.floats(0, 0.9), st.integers(0, 5))
def test_no_text_is_on_both_sides(pairs, share, seed):
    kept, held = hold_out(pairs, share, seed)
    hidden = {folded(item.query) for item in held.retrieval} | {folded(text) for text in held.documents}
    seen = {folded(text) for pair in kept for text in (pair.query, pair.document, *pair.negatives)}
    assert not hidden & seen
    assert len(kept) + sum(len(item.judged) for item in held.retrieval) <= len(pairs)


def test_a_tenth_is_held_out_the_same_each_time_and_another_with_another_seed():
    pairs = pairs_of(100)
    kept, held = hold_out(pairs)
    assert (len(kept), len(held.retrieval)) == (90, 10)
    assert hold_out(pairs) == (kept, held) != hold_out(pairs, seed=1)
    assert [pair.query for pair in kept] == [
        pair.query for pair in pairs if pair in kept or pair.query in {k.query for k in kept}
    ]


def test_at_most_so_many_are_held_out():
    assert len(hold_out(pairs_of(100), 0.5, most=7)[1].retrieval) == 7


def test_negatives_that_were_held_out_are_taken_from_training():
    kept, held = hold_out(pairs_of(40), 0.5)
    assert any(not pair.negatives for pair in kept)
    assert not {text for pair in kept for text in pair.negatives} & set(held.documents)


def test_graded_pairs_measure_similarity_and_others_retrieval():
    graded = [TrainingPair(f"a {i}", f"b {i}", "similarity", "", score=i / 20) for i in range(20)]
    _, held = hold_out([*graded, *pairs_of(20)], 0.9)
    assert len(held.similarity) + len(held.retrieval) == 36
    assert all(first.startswith("a") and 0 <= score <= 1 for first, _, score in held.similarity)


def test_answers_of_one_query_belong_together():
    pairs = [
        TrainingPair("q", "a"),
        TrainingPair("q", "b"),
        TrainingPair("other", "c"),
        TrainingPair("more", "d"),
    ]
    for seed in range(8):
        _, held = hold_out(pairs, 0.5, seed)
        answers = {item.query: [text for text, _ in item.judged] for item in held.retrieval}
        assert answers.get("q", ["a", "b"]) == ["a", "b"]


def test_texts_that_all_hang_together_are_all_trained_on():
    pairs = [TrainingPair("the same query", f"document {i}") for i in range(10)]
    kept, held = hold_out(pairs, 0.2)
    assert kept == pairs and held.documents == ()


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(InputError, match="between 0 and 1"):
        hold_out(pairs_of(3), share)

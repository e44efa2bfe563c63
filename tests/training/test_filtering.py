"""The cosine filter against the model run by hand, and a cut that moves without the model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModel, AutoTokenizer

from explorer.engine.embedder import Embedder
from explorer.errors import Cancelled, InputError
from explorer.progress import CancelToken
from explorer.provenance import Provenance
from explorer.training.pairs.filtering import FilterReport, filter_pairs
from explorer.training.pairs.pair import TrainingPair

PAIRS = [
    TrainingPair("capital of China", "The capital of China is Beijing."),
    TrainingPair("yes or no", "no yes", instruction="Find the answer"),
    TrainingPair("Gravity pulls bodies together.", "Paris is the capital", "similarity", "", score=0.0),
    TrainingPair("法国的首都", "巴黎是法国的首都。", language="zh"),
    TrainingPair("same words", "same words", instruction=""),
]
NOBODY = Provenance("m", "embedding", "other", "0", "float32", "cpu", "packed")


def report(cosines, threshold=0.7, graded=()):
    flags = np.isin(np.arange(len(cosines)), graded)
    return FilterReport(np.array(cosines, np.float32), flags, threshold, NOBODY)


@pytest.fixture
def embedder(tiny_embedding) -> Embedder:
    return Embedder(tiny_embedding)


def by_hand(folder, text: str) -> torch.Tensor:
    """Last hidden state of the final token, as the model card's code takes it."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.no_grad():
        state = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0, -1]
    return state / state.norm()


def test_cosines_are_those_of_the_model_run_by_hand(embedder, make_model):
    expected = []
    for pair in PAIRS:
        asked = f"Instruct: {pair.instruction}\nQuery:{pair.query}" if pair.instruction else pair.query
        expected.append(float(by_hand(make_model(), asked) @ by_hand(make_model(), pair.document)))
    found = filter_pairs(embedder, PAIRS)
    np.testing.assert_allclose(found.cosines, expected, atol=2e-5)
    assert found.threshold == 0.7
    assert found.provenance == embedder.provenance
    assert found.cosines.dtype == np.float32


def test_the_cut_moves_without_the_model(embedder):
    found = filter_pairs(embedder, PAIRS)
    before = embedder.forwards
    middle = float(np.sort(found.cosines)[2])
    moved = found.at(middle)
    assert embedder.forwards == before
    assert moved.cosines is found.cosines
    assert found.at(-1).kept.all()
    expected = (found.cosines > middle) | np.array([False, False, True, False, False])
    assert moved.kept.tolist() == expected.tolist()
    assert moved.select(PAIRS) == [pair for pair, passes in zip(PAIRS, expected, strict=True) if passes]


def test_a_pair_at_the_cut_does_not_pass_and_a_graded_one_always_does():
    assert report([0.7, 0.71, 0.2, 0.1], graded=[3]).kept.tolist() == [False, True, False, True]


def test_progress_counts_both_sides_once_and_rises(embedder):
    seen = []
    filter_pairs(embedder, PAIRS, on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (10, 10)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_the_filter_stops_when_asked(embedder):
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        filter_pairs(embedder, PAIRS, cancel=token)


@pytest.mark.parametrize("threshold", [1.01, -2.0, float("nan")])
def test_a_cut_that_is_no_cosine_is_refused(embedder, threshold):
    with pytest.raises(InputError, match=r"0\.7"):
        filter_pairs(embedder, PAIRS, threshold)
    with pytest.raises(InputError, match=r"0\.7"):
        report([0.5]).at(threshold)


def test_nothing_to_filter_is_said(embedder):
    with pytest.raises(InputError, match="no pairs"):
        filter_pairs(embedder, [])


def test_bins_have_round_edges_and_one_bin_is_enough():
    edges, counts = report([0.70, 0.719, 0.72, 0.65, 1.0]).histogram()
    assert edges[0] == np.float32(0.64) and edges[-1] == 1
    np.testing.assert_allclose(edges * 50, np.round(edges * 50), atol=1e-4)
    by_edge = dict(zip((edges[:-1] * 100).round().tolist(), counts.tolist(), strict=True))
    assert {edge: count for edge, count in by_edge.items() if count} == {64: 1, 70: 2, 72: 1, 98: 1}
    edges, counts = report([-1.0]).histogram()
    assert edges.tolist() == [-1, np.float32(-0.98)] and counts.tolist() == [1]


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=40), st.floats(-1, 1))
def test_every_pair_is_in_one_bin_and_a_higher_cut_keeps_fewer(cosines, threshold):
    found = report(cosines)
    edges, counts = found.histogram()
    assert counts.sum() == len(cosines)
    assert len(edges) == len(counts) + 1
    assert edges[0] <= min(cosines) + 1e-4 and edges[-1] >= max(cosines) - 1e-4
    assert found.at(threshold).kept.sum() >= found.at(1).kept.sum()
    values = [value for _, value in found.quantiles()]
    assert values == sorted(values)
    assert (values[0], values[-1]) == (pytest.approx(min(cosines)), pytest.approx(max(cosines)))

"""Curves of a training: titles state what changed, lines are told apart without colour, texts stay text."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.figures.training import QualitySeries, loss_curve, quality_curve, running_mean
from explorer.figures.training_effect import ablation_chart, before_after
from explorer.service.training_published import BENCHMARKS, PUBLISHED_ABLATION

HOSTILE = "<img src=x onerror=alert(1)> <b>b</b>"


def drawn(figure) -> str:
    """Everything plotly draws: all but ``meta``, which the page shows as plain text."""
    content = json.loads(figure.to_json())
    content["layout"].pop("meta")
    return json.dumps(content)


@given(st.lists(st.floats(-10, 10, width=32), min_size=1, max_size=60))
def test_the_running_mean_starts_at_the_first_value_and_stays_among_the_values(losses):
    means = running_mean(np.asarray(losses, np.float32))
    assert means[0] == pytest.approx(losses[0], abs=1e-5)
    assert min(losses) - 1e-4 <= means.min() and means.max() <= max(losses) + 1e-4


def test_the_running_mean_of_a_constant_is_that_constant():
    np.testing.assert_allclose(running_mean(np.full(50, 0.7, np.float32)), 0.7, rtol=1e-5)


def test_the_loss_curve_says_how_far_it_fell_and_ends_at_the_last_step():
    figure = loss_curve([1, 2, 3], [3.0, 2.0, 1.0], 300)
    assert (
        figure.layout.meta["title"]
        == "The loss went from 2.000 to 2.000 in 3 of 300 steps: it has not fallen"
    )
    steps = list(range(1, 101))
    fell = loss_curve(steps, [1 / step for step in steps], 300)
    assert fell.layout.meta["title"].startswith("The loss fell from 0.293 to 0.010 in 100 of 300 steps")
    assert list(fell.layout.xaxis.range) == [0, 300]
    assert len(fell.layout.meta["table"]["rows"]) <= 101


def test_the_quality_curve_compares_the_first_measure_with_its_start():
    points = (0, 10, 20)
    series = [
        QualitySeries("nDCG@10", points, (0.5, 0.6, 0.7)),
        QualitySeries("recall@1", points, (0.4, 0.4, 0.3)),
    ]
    figure = quality_curve(series, 20)
    assert figure.layout.meta["title"] == "nDCG@10 rose from 0.500 to 0.700 on pairs held out"
    assert len({(trace.line.dash, trace.marker.symbol) for trace in figure.data}) == 2
    assert figure.layout.meta["table"]["rows"][2] == [20, "0.700", "0.300"]
    alone = quality_curve([QualitySeries("nDCG@10", (0,), (0.5,))], 20)
    assert alone.layout.meta["title"] == "Before training, nDCG@10 is 0.500 on pairs held out"
    for last, word in ((0.4, "fell"), (0.5002, "stayed")):
        ended = quality_curve([QualitySeries("nDCG@10", (0, 1), (0.5, last))], 20)
        assert word in ended.layout.meta["title"]


def test_before_and_after_counts_what_rose():
    figure = before_after([("a", 0.5, 0.6), ("b", 0.5, 0.4), ("c", 0.5, 0.5001)], ("Before", "run-1"))
    assert figure.layout.meta["title"] == "1 of 3 figures are higher with run-1"
    assert figure.layout.meta["table"]["rows"][1] == ["b", "0.500", "0.400", "-0.100"]


def test_the_reports_ablation_is_drawn_as_published():
    scores = np.array([row.scores for row in PUBLISHED_ABLATION])
    figure = ablation_chart([row.variant for row in PUBLISHED_ABLATION], BENCHMARKS, scores)
    assert figure.layout.meta["title"] == "All stages together are best on 4 of 4 measures"
    assert figure.layout.meta["table"]["rows"][-1] == ["final", "64.33", "70.70", "66.33", "75.41"]
    np.testing.assert_array_equal(figure.data[0].x, scores[0])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_texts_from_outside_are_never_markup(language):
    figures = [
        loss_curve([1], [1.0], 2, language, [HOSTILE]),
        quality_curve([QualitySeries(HOSTILE, (0, 1), (0.1, 0.2))], 2, language, [HOSTILE]),
        before_after([(HOSTILE, 0.1, 0.2)], (HOSTILE, HOSTILE), language),
        ablation_chart([HOSTILE], [HOSTILE], np.ones((1, 1)), language),
    ]
    for figure in figures:
        assert "<img" not in drawn(figure) and "<b>" not in drawn(figure)

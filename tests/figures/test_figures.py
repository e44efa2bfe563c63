"""Figures: titles state findings, texts stay text, arrays stay typed, big inputs stay small."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from explorer.analysis.matryoshka import MatryoshkaCurve
from explorer.figures.matryoshka import dimensions_curve
from explorer.figures.style import escape, literal


@given(st.text(max_size=900))
def test_literal_holds_no_markup_but_its_own_breaks(text):
    lines = literal(text).split("<br>")
    assert all("<" not in line and ">" not in line for line in lines)
    assert all(re.fullmatch(r"(?:[^&]|&amp;|&lt;|&gt;)*", line) for line in lines)
    plain = [line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for line in lines]
    assert all(len(line) <= 60 for line in plain)
    assert sum(len(line) for line in plain) <= 300


def test_escape_shows_entities_as_written():
    assert escape("&lt;b&gt; a<b\x00") == "&amp;lt;b&amp;gt; a&lt;b "


def curve_of(sizes: list[int], kept: np.ndarray, k: int) -> MatryoshkaCurve:
    """A curve with the given shares kept."""
    return MatryoshkaCurve(np.array(sizes), k, kept, kept, kept, 1 - kept)


def test_the_curve_states_the_smallest_size_that_is_good_enough():
    kept = np.array([0.5, 0.96, 0.99, 1.0])
    figure = dimensions_curve(curve_of([32, 64, 128, 256], kept, k=10))
    assert figure.layout.meta["title"] == "64 of 256 dimensions keep 96% of the full-size top 10"


def test_the_curve_says_when_no_smaller_size_is():
    kept = np.array([0.5, 0.6, 1.0])
    title = dimensions_curve(curve_of([32, 64, 128], kept, k=5)).layout.meta["title"]
    assert title == "Every dimension counts: below 128 less than 95% of the top 5 is kept"

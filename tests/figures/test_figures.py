"""Figures: titles state findings, texts stay text, arrays stay typed, big inputs stay small."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.analysis.matryoshka import MatryoshkaCurve
from explorer.figures.heatmap import similarity_heatmap
from explorer.figures.matryoshka import dimensions_curve
from explorer.figures.style import escape, label, literal

HOSTILE = "<img src=x onerror=alert(1)> <a href='javascript:1'>a</a> <b>b</b> &lt;i&gt;"


def strings(value: object) -> list[str]:
    """Every string in a figure."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


def drawn_strings(figure) -> list[str]:
    """Strings that plotly draws: all but ``meta``, which the page shows as plain text."""
    content = json.loads(figure.to_json())
    content["layout"].pop("meta")
    return strings(content)


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


def test_a_label_counts_wide_characters_twice():
    assert label("abcdefghij", 10) == "abcdefghij"
    assert label("abcdefghijk", 10) == "abcdefghi…"
    assert label("重置密码请", 10) == "重置密码请"
    assert label("重置密码请看", 10) == "重置密码…"


def figures(text: str):
    """One figure of each kind with the text wherever a text goes."""
    yield similarity_heatmap(np.eye(2), [text, "b"], [text, "c"])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_text_becomes_markup(language):
    for figure in figures(HOSTILE):
        tags = {tag for text in drawn_strings(figure) for tag in re.findall(r"<[^>]*>", text)}
        assert tags <= {"<br>", "<b>", "</b>", "<extra>", "</extra>"}
        bold = [text for text in drawn_strings(figure) if "<b>" in text]
        assert all("%{z" in text for text in bold), "only our own template may be bold"


def test_the_heatmap_names_its_best_pair_and_says_each_number_in_a_sentence():
    scores = np.array([[0.1, 0.9123], [0.2, 0.3]])
    figure = similarity_heatmap(scores, ["first", "second"], ["left", "right"])
    assert figure.layout.meta["title"] == "The most similar pair scores 0.912: “first” and “right”"
    assert figure.data[0].hovertext[0][1] == "“first” and “right” have a cosine similarity of"
    assert isinstance(figure.data[0].z, np.ndarray)
    assert figure.data[1].text[1] == "0.91"
    assert figure.layout.meta["table"]["rows"][0] == ["first", "0.100", "0.912"]


def test_the_diagonal_is_no_finding():
    scores = np.array([[1.0, 0.4, 0.2], [0.4, 1.0, 0.7], [0.2, 0.7, 1.0]])
    figure = similarity_heatmap(scores, list("abc"), list("abc"), same_texts=True)
    assert "0.700" in figure.layout.meta["title"]


def test_a_large_heatmap_is_cut_and_says_so():
    figure = similarity_heatmap(np.zeros((230, 250)), ["r"] * 230, ["c"] * 250)
    assert figure.data[0].z.shape == (200, 200)
    assert len(figure.data) == 1, "no numbers are printed on small cells"
    assert "230 × 250" in figure.layout.meta["caption"][0]


@pytest.mark.parametrize("shape", [(0, 3), (1, 1)])
def test_degenerate_heatmaps_are_drawn(shape):
    figure = similarity_heatmap(np.zeros(shape), ["r"] * shape[0], ["c"] * shape[1], same_texts=True)
    assert json.loads(figure.to_json())


def test_labels_must_fit_the_matrix():
    with pytest.raises(ValueError, match="matrix is"):
        similarity_heatmap(np.zeros((2, 2)), ["a"], ["b", "c"])


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

"""Pictures of a result: what their titles say, and what each format can hold."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from explorer.provenance import Provenance
from explorer.service.evidence.pictures.drawing import (
    Drawing,
    Label,
    Pixels,
    Shape,
    cividis,
    legible_on,
    written,
)
from explorer.service.evidence.pictures.matrix import matrix_picture
from explorer.service.evidence.pictures.page import page
from explorer.service.evidence.pictures.png import drawable, png
from explorer.service.evidence.pictures.ranks import excerpt, signed
from explorer.service.evidence.pictures.svg import svg

MADE = Provenance("Mini (bundled)", "embedding", "bundled", "", "float32", "cpu", "sdpa")


def matrix(rows: int, columns: int, *, square: bool = False) -> Drawing:
    cosines = np.random.default_rng(0).uniform(-0.2, 0.9, (rows, columns)).astype(np.float32)
    if square:
        cosines = (cosines + cosines.T) / 2
        np.fill_diagonal(cosines, 1)
    texts = [f"text {number}" for number in range(max(rows, columns))]
    return matrix_picture(cosines, texts[:rows], texts[:columns], MADE, "en", square=square)


def test_the_title_names_the_closest_pair_of_different_texts() -> None:
    cosines = np.array([[1, 0.2, 0.7], [0.2, 1, 0.1], [0.7, 0.1, 1]], np.float32)
    drawing = matrix_picture(cosines, "abc", "abc", MADE, "en", square=True)
    assert drawing.title == "Documents 1 and 3 are the closest two: cosine 0.700"
    crossed = matrix_picture(cosines[:2, 1:], "ab", "bc", MADE, "en", square=False)
    assert crossed.title == "Query 2 and document 1 are the closest pair: cosine 1.000"
    assert "equals itself" in matrix_picture(cosines[:1, :1], "a", "a", MADE, "en", square=True).title


def test_a_small_matrix_tells_each_cell_and_a_large_one_is_an_image() -> None:
    small = matrix(6, 5)
    assert sum(bool(mark.title) for mark in small.marks if isinstance(mark, Shape)) == 30
    large = matrix(300, 300, square=True)
    image = max(
        (mark for mark in large.marks if isinstance(mark, Pixels)), key=lambda mark: mark.colours.size
    )
    assert image.colours.shape == (300, 300, 3)
    assert len(svg(large)) < 1_000_000
    assert len(png(large)) < 3_000_000
    assert page(large, "en").count("<td>") == 300 * 301


def test_a_picture_says_which_model_made_it_and_that_it_is_a_small_one() -> None:
    assert matrix(2, 2).caption.startswith("Cosines: Mini (bundled), fp32 on CPU.")
    assert "small ones trained for this explorer" in matrix(2, 2).caption


def test_every_drawing_is_well_formed_and_as_large_as_it_says() -> None:
    for drawing in (matrix(1, 1), matrix(3, 60), matrix(60, 3)):
        root = ET.fromstring(svg(drawing).encode())  # noqa: S314 - our own
        assert float(root.attrib["width"]) == pytest.approx(drawing.width, abs=0.01)
        assert float(root.attrib["height"]) == pytest.approx(drawing.height, abs=0.01)
        for mark in drawing.marks:
            places = mark.points if isinstance(mark, Shape) else ((mark.x, mark.y),)
            assert all(0 <= x <= drawing.width and 0 <= y <= drawing.height for x, y in places)


def test_a_character_that_xml_forbids_does_not_break_the_file() -> None:
    hostile = Label(5, 15, "\x00<a>\ufffe & \ud800", "")
    drawing = Drawing("\x1b title", "\uffff", 50, 20, (hostile,), (), ())
    root = ET.fromstring(svg(drawing).encode())  # noqa: S314 - our own
    assert [element.text for element in root.iter() if element.tag.endswith("text")] == ["�<a>� & �"]


def test_numbers_stand_out_on_every_colour_of_the_scale() -> None:
    def luminance(rgb: list[float]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for rgb in cividis(np.linspace(0, 1, 256, dtype=np.float32)):
        ink = luminance([int(legible_on(rgb)[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        ground = luminance((rgb / 255).tolist())
        assert (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05) >= 4.5


def test_the_scale_ends_in_the_published_colours() -> None:
    assert cividis(np.array([0, 1], np.float32)).tolist() == [[0x00, 0x22, 0x4E], [0xFE, 0xE8, 0x38]]


@pytest.mark.parametrize(
    ("text", "letters"), [("Café −2", "Cafe -2"), ("北京", None), ("a…", "a..."), ("\u202ea", None)]
)
def test_png_writes_what_its_font_can(text: str, letters: str | None) -> None:
    assert drawable(text) == letters


def test_a_png_says_in_english_what_its_font_lacks() -> None:
    def drawn(label: Label) -> bytes:
        return png(Drawing("", "", 200, 40, (label,), (), ()))

    assert drawn(Label(10, 30, "北京", "Document 1")) == drawn(Label(10, 30, "Document 1"))
    assert drawn(Label(10, 30, "北京")) == drawn(Label(10, 30, ""))


def test_numbers_and_excerpts_are_short_and_plain() -> None:
    assert (signed(-2.345), signed(0.1)) == ("−2.35", "+0.10")
    assert (written(-0.0004, 2), written(-0.5, 2)) == ("0.00", "−0.50")
    assert excerpt("one\n two", 20) == "one two"
    assert excerpt("北京是中国的首都", 7) == "北京…"

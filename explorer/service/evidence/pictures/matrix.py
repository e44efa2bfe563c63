"""Pictures of a comparison: a matrix of cosines as coloured cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from explorer.provenance import Provenance
from explorer.service.evidence.pictures.drawing import (
    INK,
    QUIET,
    Drawing,
    Label,
    Mark,
    Pixels,
    box,
    cividis,
    colour_of,
    legible_on,
    written,
)
from explorer.service.evidence.pictures.ranks import bundled_line, excerpt
from explorer.texts import Language, say

LEFT = 330.0
TOP = 84.0
MOST_SHAPES = 2_500
"""A matrix of more cells is one image: so many shapes with a sentence each would make a page slow."""

_SMALLEST_LABELLED = 12.0
_SMALLEST_NUMBERED = 34.0
_LISTED = 40
_UNWRITTEN = "(its letters are in the SVG)"


def matrix_picture(
    cosines: npt.NDArray[np.float32],
    rows: Sequence[str],
    columns: Sequence[str],
    made: Provenance,
    language: Language,
    *,
    square: bool,
) -> Drawing:
    """Draw cosines as cells, brighter for closer texts.

    Args:
        cosines: float32 [rows, columns].
        rows: Texts of the rows.
        columns: Texts of the columns.
        made: The model that made the numbers.
        language: What the reader reads.
        square: Whether rows and columns are the same texts.

    Returns:
        The picture, with the texts of the columns listed below.
    """
    titles = [_title(cosines, square, each) for each in (language, "en")]
    captions = [say("similarity.model_line", each, embedding=made.line) for each in (language, "en")]
    size = min(max(640.0 / len(columns), 2.0), 48.0)
    named, bottom = size >= _SMALLEST_LABELLED, TOP + size * len(rows)
    marks = [*_scale(cosines, language), *_cells(cosines, size, language)]
    if named:
        marks += _names(rows, columns, size)
    listed = [] if square and named else _list(columns, bottom + 34, language)
    height = bottom + 34 + 20 * len(listed) + 34
    heading = Label(30, 32, titles[0], titles[1], 18, colour=INK)
    foot = Label(30, height - 14, captions[0], captions[1], 12, colour=QUIET)
    return Drawing(
        title=titles[0],
        caption=f"{captions[0]} {bundled_line(language, made)}".strip(),
        width=max(LEFT + size * len(columns) + 40, 700.0),
        height=height,
        marks=(heading, *marks, *listed, foot),
        columns=("", *(f"{number}. {excerpt(text, 60)}" for number, text in enumerate(columns, start=1))),
        rows=_table(cosines, rows),
    )


def _table(cosines: npt.NDArray[np.float32], rows: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (f"{number}. {text}", *(written(float(value), 4) for value in values))
        for number, (text, values) in enumerate(zip(rows, cosines, strict=True), start=1)
    )


def _title(cosines: npt.NDArray[np.float32], square: bool, language: Language) -> str:
    """Name the closest pair of different texts."""
    looked_at = np.where(np.tri(len(cosines), dtype=bool), -np.inf, cosines) if square else cosines
    row, column = (int(place) for place in np.unravel_index(int(looked_at.argmax()), looked_at.shape))
    if not np.isfinite(looked_at[row, column]):
        return say("evidence.matrix_title_one", language)
    key = "evidence.matrix_title_square" if square else "evidence.matrix_title"
    return say(key, language, row=row + 1, column=column + 1, cosine=written(float(cosines[row, column]), 3))


def _relative(cosines: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    low, high = float(cosines.min()), float(cosines.max())
    shares: npt.NDArray[np.float32] = (cosines - low) / max(high - low, 1e-6)
    return shares


def _scale(cosines: npt.NDArray[np.float32], language: Language) -> list[Mark]:
    ramp = cividis(np.linspace(0, 1, 100, dtype=np.float32))[None]
    low, high = (written(float(end), 3) for end in (cosines.min(), cosines.max()))
    return [
        Label(30, 58, say("evidence.cosine", language), "cosine", 13, colour=QUIET),
        Label(132, 58, low, size=13, anchor="end"),
        Pixels(140, 47, 120, 12, ramp),
        Label(268, 58, high, size=13),
    ]


def _cells(cosines: npt.NDArray[np.float32], size: float, language: Language) -> list[Mark]:
    shares = _relative(cosines)
    colours = cividis(shares)
    rows, columns = cosines.shape
    if cosines.size > MOST_SHAPES:
        return [Pixels(LEFT, TOP, size * columns, size * rows, colours)]
    marks: list[Mark] = []
    for row, column in np.ndindex(rows, columns):
        x, y, value = LEFT + size * column, TOP + size * row, float(cosines[row, column])
        sentence = say("evidence.cell", language, row=row + 1, column=column + 1, cosine=written(value, 4))
        marks.append(box(x, y, size - 0.5, size - 0.5, colour_of(colours[row, column]), sentence))
        if size >= _SMALLEST_NUMBERED:
            ink = legible_on(colours[row, column])
            marks.append(Label(x + size / 2, y + size / 2 + 4, written(value, 2), "", 12, "middle", ink))
    return marks


def _names(rows: Sequence[str], columns: Sequence[str], size: float) -> list[Mark]:
    letters = min(13.0, size - 1)
    marks: list[Mark] = []
    for number, text in enumerate(rows, start=1):
        y = TOP + size * (number - 0.5) + letters / 3
        marks.append(Label(LEFT - 8, y, f"{number}.", size=letters, anchor="end", colour=QUIET))
        marks.append(Label(LEFT - 38, y, excerpt(text, 36), _UNWRITTEN, letters, "end"))
    for number in range(1, len(columns) + 1):
        x = LEFT + size * (number - 0.5)
        marks.append(Label(x, TOP - 6, str(number), size=min(letters, 11), anchor="middle", colour=QUIET))
    return marks


def _list(columns: Sequence[str], top: float, language: Language) -> list[Mark]:
    """Write the texts of the columns below the matrix, as many as there is patience for."""
    marks: list[Mark] = []
    for number, text in enumerate(columns[:_LISTED], start=1):
        words = f"{number}. {excerpt(text, 90)}"
        marks.append(Label(30, top + 20 * number - 20, words, f"{number}. {_UNWRITTEN}", 13))
    if len(columns) > _LISTED:
        more = say("evidence.more_texts", language, count=len(columns) - _LISTED)
        plain = say("evidence.more_texts", "en", count=len(columns) - _LISTED)
        marks.append(Label(30, top + 20 * _LISTED, more, plain, 13, colour=QUIET))
    return marks

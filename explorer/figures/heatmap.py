"""Similarity of two lists of texts as a heatmap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.figures.style import escape, finish, label, literal, shorten
from explorer.texts import Language, say

CELLS_A_SIDE = 200
NUMBERS_UP_TO = 12
TABLE_UP_TO = 40
DARK_INK, LIGHT_INK = "#10151f", "#f5f7fa"
HALF_LIGHT = 0.48


def similarity_heatmap(
    matrix: NDArray[np.floating[Any]],
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    *,
    title: str | None = None,
    language: Language = "en",
    caption: Sequence[str] = (),
    same_texts: bool = False,
) -> go.Figure:
    """Draw cosines of rows against columns, first row on top.

    Args:
        matrix: [rows, columns] cosines.
        row_labels: One text a row.
        column_labels: One text a column.
        title: The finding; by default the most similar pair.
        language: Language of title, scale and hover sentences.
        caption: Where the numbers come from.
        same_texts: Rows and columns are the same texts, so the diagonal is no finding.

    Returns:
        Figure with typed arrays; values are printed up to 12 x 12 and at most 200 x 200 cells are drawn.

    Raises:
        ValueError: The labels do not fit the matrix.
    """
    if matrix.shape != (len(row_labels), len(column_labels)):
        raise ValueError(f"matrix is {matrix.shape}, labels are {len(row_labels)} and {len(column_labels)}")
    shown = np.asarray(matrix[:CELLS_A_SIDE, :CELLS_A_SIDE], dtype=np.float32)
    rows, columns = list(row_labels[:CELLS_A_SIDE]), list(column_labels[:CELLS_A_SIDE])
    notes = [*caption, *_cut_note(matrix.shape, shown.shape, language)]
    figure = go.Figure(_trace(shown, rows, columns, language))
    if _prints_numbers(shown):
        figure.add_trace(_numbers(shown))
    return finish(
        figure,
        title if title is not None else _finding(shown, rows, columns, language, same_texts),
        table=_table(shown, rows, columns),
        caption=notes,
        xaxis=_axis(columns, side="bottom"),
        yaxis={**_axis(rows, side="left"), "autorange": "reversed"},
    )


def _trace(shown: NDArray[np.float32], rows: list[str], columns: list[str], language: Language) -> go.Heatmap:
    """The cells; each hover card is a sentence with the number in it."""
    row_texts = [literal(text, limit=160) for text in rows]
    column_texts = [literal(text, limit=160) for text in columns]
    start, middle, end = _sentence(language)
    gap = 1 if _prints_numbers(shown) else 0
    return go.Heatmap(
        z=shown,
        x=np.arange(len(columns), dtype=np.int32),
        y=np.arange(len(rows), dtype=np.int32),
        hovertext=[[f"{start}{row}{middle}{column}{end}" for column in column_texts] for row in row_texts],
        hovertemplate="%{hovertext} <b>%{z:.3f}</b><extra></extra>",
        colorscale="cividis",
        xgap=gap,
        ygap=gap,
        colorbar={
            "title": {"text": escape(say("figures.heatmap_scale", language)), "side": "top"},
            "thickness": 10,
            "outlinewidth": 0,
            "len": 0.8,
            "tickformat": ".2f",
        },
    )


def _prints_numbers(shown: NDArray[np.float32]) -> bool:
    """Whether the cells are few enough to carry their numbers."""
    return bool(shown.size) and max(shown.shape) <= NUMBERS_UP_TO


def _numbers(shown: NDArray[np.float32]) -> go.Scatter:
    """The numbers over the cells, each in the ink that reads on its cell."""
    rows, columns = np.indices(shown.shape)
    span = float(np.nanmax(shown) - np.nanmin(shown)) or 1.0
    place = (shown - np.nanmin(shown)) / span
    return go.Scatter(
        x=columns.ravel().astype(np.int32),
        y=rows.ravel().astype(np.int32),
        mode="text",
        text=[f"{value:.2f}" for value in shown.ravel()],
        textfont={"color": [DARK_INK if dark else LIGHT_INK for dark in (place > HALF_LIGHT).ravel()]},
        hoverinfo="skip",
        meta="numbers",
    )


def _sentence(language: Language) -> tuple[str, str, str]:
    """The hover sentence around its two texts, escaped once instead of once a cell."""
    whole = escape(say("figures.heatmap_hover", language, row="{row}", column="{column}"))
    start, rest = whole.split("{row}", 1)
    middle, end = rest.split("{column}", 1)
    return start, middle, end


def _axis(texts: list[str], side: str) -> dict[str, Any]:
    """Ticks with shortened texts; every few only when there are many."""
    every = max(1, len(texts) // 40 + (len(texts) % 40 > 0)) if texts else 1
    places = list(range(0, len(texts), every))
    return {
        "tickmode": "array",
        "tickvals": places,
        "ticktext": [label(texts[place], 22 if side == "bottom" else 30) for place in places],
        "side": side,
        "tickangle": 40 if side == "bottom" else 0,
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
    }


def _finding(
    shown: NDArray[np.float32], rows: list[str], columns: list[str], language: Language, same_texts: bool
) -> str:
    """Name the most similar pair, off the diagonal when both sides are the same texts."""
    scores = shown.copy()
    if same_texts:
        np.fill_diagonal(scores, -np.inf)
    if not scores.size or not np.isfinite(scores).any():
        return ""
    row, column = np.unravel_index(int(np.nanargmax(scores)), scores.shape)
    return say(
        "figures.heatmap_title",
        language,
        score=f"{scores[row, column]:.3f}",
        row=shorten(rows[int(row)], 42),
        column=shorten(columns[int(column)], 42),
    )


def _cut_note(whole: tuple[int, ...], shown: tuple[int, ...], language: Language) -> list[str]:
    """Say so when not all cells are drawn."""
    if whole == shown:
        return []
    return [
        say(
            "figures.heatmap_cut",
            language,
            rows=shown[0],
            columns=shown[1],
            all_rows=f"{whole[0]:,}",
            all_columns=f"{whole[1]:,}",
        )
    ]


def _table(
    shown: NDArray[np.float32], rows: list[str], columns: list[str]
) -> tuple[list[str], list[list[object]]]:
    """The same numbers for a reader of tables, at most 40 x 40."""
    head = ["", *(shorten(text, 40) for text in columns[:TABLE_UP_TO])]
    body: list[list[object]] = [
        [shorten(text, 80), *(f"{value:.3f}" for value in values[:TABLE_UP_TO])]
        for text, values in zip(rows[:TABLE_UP_TO], shown[:TABLE_UP_TO], strict=True)
    ]
    return head, body

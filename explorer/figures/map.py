"""The map of a corpus as a figure for export and notebooks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.figures.style import OKABE_ITO, OTHER, SYMBOLS, finish, label, literal, shorten
from explorer.texts import Language, say

WEBGL_FROM = 2_000
POINTS_WITH_HOVER = 20_000
TABLE_ROWS = 200


def corpus_map(
    layout: NDArray[np.floating[Any]],
    texts: Sequence[str],
    *,
    categories: Sequence[str | None] | None = None,
    name: str = "",
    other: str = "other",
    title: str | None = None,
    language: Language = "en",
    caption: Sequence[str] = (),
) -> go.Figure:
    """Draw a two-dimensional layout, coloured and shaped by category.

    Args:
        layout: [n, 2] positions.
        texts: One text a point, shown on hover (for the first 20,000 points).
        categories: One category a point, or None.
        name: Name of the category column.
        other: Name for everything beyond the eight most frequent categories.
        title: The finding; by default the largest category.
        language: Language of the title.
        caption: Where the numbers come from.

    Returns:
        Figure; SVG below 2,000 points, WebGL from there on.
    """
    groups = _groups(categories, len(texts), other)
    kind = go.Scatter if len(texts) < WEBGL_FROM else go.Scattergl
    size = 8 if len(texts) < WEBGL_FROM else 4
    figure = go.Figure()
    for place, (group, rows) in enumerate(groups):
        known = place < len(OKABE_ITO)
        figure.add_trace(
            kind(
                x=layout[rows, 0].astype(np.float32),
                y=layout[rows, 1].astype(np.float32),
                mode="markers",
                name=label(group),
                marker={
                    "color": OKABE_ITO[place] if known else OTHER,
                    "symbol": SYMBOLS[place] if known else "circle",
                    "size": size,
                    "opacity": 0.85,
                },
                hovertext=[literal(texts[row]) for row in rows] if len(texts) <= POINTS_WITH_HOVER else None,
                hovertemplate="%{hovertext}<extra></extra>" if len(texts) <= POINTS_WITH_HOVER else None,
            )
        )
    axis = {"visible": False, "zeroline": False}
    return finish(
        figure,
        title if title is not None else _finding(groups, len(texts), name, language),
        table=(["", name], [(shorten(text, 160), _of(categories, row)) for row, text in _first(texts)]),
        caption=caption,
        showlegend=len(groups) > 1,
        xaxis=axis,
        yaxis={**axis, "scaleanchor": "x"},
    )


def _first(texts: Sequence[str]) -> list[tuple[int, str]]:
    """Rows of the table."""
    return list(enumerate(texts[:TABLE_ROWS]))


def _of(categories: Sequence[str | None] | None, row: int) -> str:
    """Category of one row, as text."""
    return (categories[row] or "") if categories is not None else ""


def _groups(
    categories: Sequence[str | None] | None, n: int, other: str
) -> list[tuple[str, NDArray[np.intp]]]:
    """Rows of the eight most frequent categories, then of everything else."""
    if categories is None:
        return [("", np.arange(n))]
    counts = Counter(value for value in categories if value is not None)
    chosen = [value for value, _ in counts.most_common(len(OKABE_ITO))]
    rows: dict[str | None, list[int]] = {value: [] for value in [*chosen, None]}
    for row, value in enumerate(categories):
        rows[value if value in rows else None].append(row)
    found: list[tuple[str, NDArray[np.intp]]] = [
        (value, np.array(rows[value], dtype=np.intp)) for value in chosen
    ]
    if rows[None]:
        found.extend([("", np.array([], dtype=np.intp))] * (len(OKABE_ITO) - len(found)))
        found.append((other, np.array(rows[None], dtype=np.intp)))
    return found


def _finding(groups: Sequence[tuple[str, NDArray[np.intp]]], n: int, name: str, language: Language) -> str:
    """The largest category, when there are categories."""
    first, rows = groups[0]
    if not first:
        return say("figures.map_figure_title_plain", language, n=f"{n:,}")
    return say(
        "figures.map_figure_title",
        language,
        n=f"{n:,}",
        name=name,
        label=shorten(first, 40),
        count=f"{len(rows):,}",
    )

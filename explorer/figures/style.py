"""What all figures share: colours with a meaning, text that plotly cannot mistake for markup, one quiet layout."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

# Okabe and Ito (2008), "Color Universal Design", with the two last ones darker to hold on white.
OKABE_ITO = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a90a", "#9467bd")
OTHER = "#8f99aa"
UP = "#e67700"
DOWN = "#3182bd"
UNCHANGED = "#b6bfcc"
DOCUMENT = "#3182bd"
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "x", "triangle-down")

HOVER_WIDTH = 60
HOVER_LIMIT = 300

Table = tuple[Sequence[str], Sequence[Sequence[object]]]


def escape(text: str) -> str:
    """Make plotly show a text as it is.

    Plotly reads a small HTML dialect in titles, labels and hover cards, so ``<``, ``>`` and ``&`` become entities.
    Control characters, which some browsers refuse, become spaces.

    Args:
        text: Any text.

    Returns:
        Text safe in every plotly string that is not a template.
    """
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shorten(text: str, limit: int) -> str:
    """Keep the beginning of a text.

    Args:
        text: Any text.
        limit: Most characters, the ellipsis included.

    Returns:
        One line of at most ``limit`` characters.
    """
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def literal(text: str, *, width: int = HOVER_WIDTH, limit: int = HOVER_LIMIT) -> str:
    """Write a text for a hover card: cut, wrapped and escaped.

    Args:
        text: Any text.
        width: Characters a line.
        limit: Most characters.

    Returns:
        Escaped lines joined by plotly's ``<br>``, the only markup in the result.
    """
    lines = textwrap.wrap(shorten(text, limit), width, break_on_hyphens=False)
    return "<br>".join(escape(line) for line in lines)


def finish(
    figure: go.Figure,
    title: str,
    *,
    table: Table | None = None,
    caption: Sequence[str] = (),
    **layout: object,
) -> go.Figure:
    """Give a figure the shared layout and its title.

    Args:
        figure: Figure with its traces.
        title: The finding, as plain text.
        table: Columns and rows with the same numbers, kept in ``layout.meta`` for readers of tables.
        caption: Where the numbers come from.
        **layout: Further layout attributes.

    Returns:
        The same figure.
    """
    meta: dict[str, Any] = {"title": title, "caption": list(caption)}
    if table is not None:
        columns, rows = table
        meta["table"] = {"columns": list(columns), "rows": [list(row) for row in rows]}
    shared: dict[str, Any] = {
        "template": "none",
        "title": {"text": literal(title, width=80), "x": 0, "xref": "paper", "font": {"size": 16}},
        "font": {"size": 12, "color": "#1c2330"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 8, "r": 8, "t": 48, "b": 8},
        "hoverlabel": {"align": "left"},
        "showlegend": False,
        "meta": meta,
    }
    figure.update_layout({**shared, **layout})
    return figure

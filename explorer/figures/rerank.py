"""How a reranker reorders documents, as a bump chart for export and notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.figures.style import DOWN, UNCHANGED, UP, escape, finish, label, literal, shorten
from explorer.texts import Language, say

DOCUMENTS = 60


def bump_chart(
    texts: Sequence[str],
    before: NDArray[np.integer[Any]],
    after: NDArray[np.integer[Any]],
    log_odds: NDArray[np.floating[Any]],
    *,
    title: str | None = None,
    language: Language = "en",
    caption: Sequence[str] = (),
) -> go.Figure:
    """Draw one line a document from its embedding rank to its rerank rank.

    Args:
        texts: Documents.
        before: [n] ranks by embedding, from 1.
        after: [n] ranks by the reranker, from 1.
        log_odds: [n] scores of the reranker.
        title: The finding; by default how many documents moved.
        language: Language of title, axis and hover sentences.
        caption: Where the numbers come from.

    Returns:
        Figure of the first 60 documents by rerank rank; orange rose, blue fell, grey stayed.
    """
    order = [int(row) for row in np.argsort(after, kind="stable")[:DOCUMENTS]]
    figure = go.Figure([_line(texts[row], before[row], after[row], log_odds[row], language) for row in order])
    sides = [say(f"figures.rerank_{side}", language) for side in ("before", "after")]
    rows = [(int(after[r]), int(before[r]), f"{log_odds[r]:+.2f}", shorten(texts[r], 160)) for r in order]
    lowest = max((max(int(before[row]), int(after[row])) for row in order), default=1)
    return finish(
        figure,
        title if title is not None else _finding(before, after, language),
        table=([sides[1], sides[0], "log-odds", ""], rows),
        caption=caption,
        xaxis={
            "tickvals": [0, 1],
            "ticktext": [escape(side) for side in sides],
            "range": [-0.25, 1.9],
            "side": "top",
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
        },
        yaxis={
            "range": [lowest + 0.6, 0.4],
            "dtick": 1,
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
        },
        height=max(320, 26 * lowest + 120),
    )


def _line(text: str, before: int, after: int, log_odds: float, language: Language) -> go.Scatter:
    """One document's way, named at its end."""
    color = UP if after < before else DOWN if after > before else UNCHANGED
    hover = say(
        "figures.rerank_hover",
        language,
        text=shorten(text, 240),
        before=int(before),
        after=int(after),
        log_odds=f"{log_odds:+.2f}",
    )
    return go.Scatter(
        x=[0, 1],
        y=[int(before), int(after)],
        mode="lines+markers+text",
        line={"color": color, "width": 2.5},
        marker={"size": 9},
        text=["", f"{log_odds:+.2f}  {label(text, 44)}"],
        textposition="middle right",
        hovertext=literal(hover, limit=340),
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _finding(before: NDArray[np.integer[Any]], after: NDArray[np.integer[Any]], language: Language) -> str:
    """How many documents changed place and how far the furthest went."""
    moved = np.abs(np.asarray(before) - np.asarray(after))
    if not moved.any():
        return say("figures.rerank_title_none", language)
    return say(
        "figures.rerank_title", language, n=int((moved > 0).sum()), total=len(moved), most=int(moved.max())
    )

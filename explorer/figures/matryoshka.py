"""How much of the full ranking survives at each size of a Matryoshka embedding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.analysis.matryoshka import MatryoshkaCurve
from explorer.figures.style import DOCUMENT, escape, finish
from explorer.texts import Language, say

GOOD_ENOUGH = 0.95


def dimensions_curve(curve: MatryoshkaCurve, language: Language = "en") -> go.Figure:
    """Draw the share of the full-size top k that each size keeps.

    Args:
        curve: The sizes with what each keeps, the full size last.
        language: Language of title, axes and hover sentences.

    Returns:
        Figure with a logarithmic size axis; its title states the smallest size that keeps 95 %.
    """
    names = [
        say(f"figures.matryoshka_{name}", language, k=curve.k) for name in ("dimensions", "overlap", "drift")
    ]
    sizes = [int(size) for size in curve.dimensions]
    points = list(zip(sizes, curve.overlap, curve.drift, strict=True))
    return finish(
        go.Figure(_line(points, curve.k, language)),
        _finding(sizes, curve.overlap, curve.k, language),
        table=(names, [(size, f"{100 * share:.0f} %", f"{drift:.3f}") for size, share, drift in points]),
        xaxis={
            **_axis(names[0]),
            "type": "log",
            "tickvals": sizes,
            "ticktext": [f"{size:,}" for size in sizes],
            "showgrid": False,
        },
        yaxis={**_axis(names[1]), "tickformat": ".0%", "range": [0, 1.04]},
    )


def _line(points: Sequence[tuple[int, float, float]], k: int, language: Language) -> go.Scatter:
    """Draw the curve; each hover card is a sentence."""
    hover = [
        say(
            "figures.matryoshka_hover",
            language,
            dimensions=f"{size:,}",
            percent=f"{100 * share:.0f}",
            k=k,
            drift=f"{drift:.3f}",
        )
        for size, share, drift in points
    ]
    return go.Scatter(
        x=np.array([size for size, _, _ in points], dtype=np.int32),
        y=np.array([share for _, share, _ in points], dtype=np.float32),
        mode="lines+markers",
        line={"color": DOCUMENT, "width": 2.5},
        marker={"size": 8},
        hovertext=[escape(sentence) for sentence in hover],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _axis(name: str) -> dict[str, Any]:
    return {"title": {"text": escape(name)}, "zeroline": False, "automargin": True}


def _finding(
    dimensions: Sequence[int], overlap: NDArray[np.floating[Any]], k: int, language: Language
) -> str:
    """The smallest size that keeps 95 % of the top k."""
    full = dimensions[-1]
    good = [place for place, share in enumerate(overlap[:-1]) if share >= GOOD_ENOUGH]
    percent = f"{100 * float(overlap[good[0]]):.0f}" if good else f"{100 * GOOD_ENOUGH:.0f}"
    if not good:
        return say("figures.matryoshka_title_none", language, full=f"{full:,}", percent=percent, k=k)
    size = f"{dimensions[good[0]]:,}"
    return say("figures.matryoshka_title", language, dimensions=size, full=f"{full:,}", percent=percent, k=k)

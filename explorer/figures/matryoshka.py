"""How much of the full ranking survives at each size of a Matryoshka embedding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.figures.style import DOCUMENT, escape, finish
from explorer.texts import Language, say

GOOD_ENOUGH = 0.95


def dimensions_curve(
    dimensions: Sequence[int],
    overlap: NDArray[np.floating[Any]],
    drift: NDArray[np.floating[Any]],
    *,
    k: int,
    title: str | None = None,
    language: Language = "en",
    caption: Sequence[str] = (),
) -> go.Figure:
    """Draw the share of the full-size top k that each size keeps.

    Args:
        dimensions: Sizes in increasing order, the full size last.
        overlap: [sizes] share kept, 0 to 1.
        drift: [sizes] mean absolute difference of cosines from full size.
        k: Length of the compared rankings.
        title: The finding; by default the smallest size that keeps 95 %.
        language: Language of title, axes and hover sentences.
        caption: Where the numbers come from.

    Returns:
        Figure with a logarithmic size axis.
    """
    hover = [
        escape(
            say(
                "figures.matryoshka_hover",
                language,
                dimensions=f"{size:,}",
                percent=f"{100 * share:.0f}",
                k=k,
                drift=f"{moved:.3f}",
            )
        )
        for size, share, moved in zip(dimensions, overlap, drift, strict=True)
    ]
    figure = go.Figure(
        go.Scatter(
            x=np.asarray(dimensions, dtype=np.int32),
            y=np.asarray(overlap, dtype=np.float32),
            mode="lines+markers",
            line={"color": DOCUMENT, "width": 2.5},
            marker={"size": 8},
            hovertext=hover,
            hovertemplate="%{hovertext}<extra></extra>",
        )
    )
    names = [say(f"figures.matryoshka_{name}", language, k=k) for name in ("dimensions", "overlap", "drift")]
    rows = [
        (size, f"{100 * share:.0f} %", f"{moved:.3f}")
        for size, share, moved in zip(dimensions, overlap, drift, strict=True)
    ]
    return finish(
        figure,
        title if title is not None else _finding(dimensions, overlap, k, language),
        table=(names, rows),
        caption=caption,
        xaxis={
            "type": "log",
            "title": {"text": escape(names[0])},
            "tickvals": list(dimensions),
            "ticktext": [f"{size:,}" for size in dimensions],
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
        },
        yaxis={
            "title": {"text": escape(names[1])},
            "tickformat": ".0%",
            "range": [0, 1.04],
            "zeroline": False,
            "automargin": True,
        },
    )


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

"""Pairs by cosine and by log-odds, with two cuts that are dragged in the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact, pack, shorten

UNJUDGED = -1
"""Stands for a pair that nobody judged."""


def quadrant_plot_data(
    queries: Sequence[str],
    documents: Sequence[str],
    cosines: NDArray[np.floating[Any]],
    log_odds: NDArray[np.floating[Any]],
    cosine_cut: float,
    grades: Sequence[Sequence[int | None]],
) -> str:
    """Write the ``data`` prop of ``QuadrantPlot``.

    Args:
        queries: The queries [q].
        documents: The documents [d].
        cosines: Cosine of each pair, float [q, d].
        log_odds: The reranker's log-odds of each pair, float [q, d].
        cosine_cut: Above which cosine a pair is called close at first; the log-odds are cut at 0.
        grades: What people judged about each pair, 0 to 3, or None, [q, d].

    Returns:
        JSON text.
    """
    judged = [[UNJUDGED if grade is None else grade for grade in row] for row in grades]
    return compact(
        {
            "queries": [shorten(query) for query in queries],
            "documents": [shorten(document) for document in documents],
            "cosines": pack(cosines),
            "log_odds": pack(log_odds),
            "cosine_cut": cosine_cut,
            "grades": pack(np.array(judged), "<i2"),
        }
    )


class QuadrantPlot(BrowserPart):
    """A scatter of pairs in four quadrants, the two lists of disagreements, and both texts of the chosen pair.

    Props:
        data: ``quadrant_plot_data``; empty draws the ``empty`` sentence in the reserved space.
        words: ``part_words("quadrants", language)``.
        height: Reserved height in pixels.

    Events: none; everything happens in the browser.
    """

    def __init__(
        self,
        *,
        data: str = "",
        words: Mapping[str, str] | None = None,
        height: int = 900,
        **options: object,
    ) -> None:
        super().__init__(
            "QuadrantPlot",
            scripts=["small_chart.js", "pair_reading.js", "quadrant_points.js", "quadrant_plot.js"],
            events=[],
            props={"data": data, "words": dict(words or {}), "height": height},
            **options,
        )

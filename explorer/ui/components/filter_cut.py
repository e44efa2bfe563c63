"""Cosines of training pairs as a histogram, with a cut that is moved in the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact, pack, shorten

EXAMPLES = 300
"""Pairs whose texts travel to the browser, spread evenly over the order of the cosines."""

CHARACTERS = 220


def filter_cut_data(
    cosines: NDArray[np.floating[Any]],
    graded: NDArray[np.bool_],
    texts: Sequence[tuple[str, str]],
    cut: float,
    provenance: Sequence[str] = (),
) -> str:
    """Write the ``data`` prop of ``FilterCut``.

    Args:
        cosines: Cosine of each pair, float [n].
        graded: Pairs that pass any cut, bool [n].
        texts: Query and document of each pair.
        cut: Where the cut stands at first.
        provenance: Lines for the caption.

    Returns:
        JSON text; all cosines, and the texts of a few hundred pairs.
    """
    free = np.flatnonzero(~graded)
    rising = free[np.argsort(cosines[free], kind="stable")]
    chosen = rising[np.unique(np.linspace(0, len(rising) - 1, min(EXAMPLES, len(rising))).astype(int))]
    examples = [
        {
            "cosine": float(cosines[at]),
            "query": shorten(texts[at][0], CHARACTERS),
            "document": shorten(texts[at][1], CHARACTERS),
        }
        for at in chosen
    ]
    return compact(
        {
            "cosines": pack(cosines),
            "graded": pack(graded, "<i2"),
            "examples": examples,
            "cut": cut,
            "provenance": list(provenance),
        }
    )


class FilterCut(BrowserPart):
    """A histogram, a slider under its axis, how many pairs stay, and the pairs nearest to the cut on both sides.

    Props:
        data: JSON of ``filter_cut_data``; empty draws the ``empty`` sentence.
        words: ``part_words("filter", language)``.
        height: Reserved height in pixels.

    Events:
        change: The slider came to rest: ``{"threshold": float}``.

    The root element carries ``data-kept`` and ``data-cut``.
    """

    def __init__(
        self,
        *,
        data: str = "",
        words: Mapping[str, str] | None = None,
        height: int = 480,
        **options: object,
    ) -> None:
        super().__init__(
            "FilterCut",
            scripts=["small_chart.js", "filter_cut.js"],
            events=["change"],
            props={"data": data, "words": dict(words or {}), "height": height},
            **options,
        )

"""A corpus as a map of points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact, pack, shorten

CATEGORIES = 8
HOVER_CHARACTERS = 300


def map_points(layout: NDArray[np.floating[Any]]) -> str:
    """Write the ``points`` prop of ``ScatterMap``.

    Args:
        layout: [n, 2] positions; further columns are left out.

    Returns:
        Base64 float32: all x, then all y.
    """
    return pack(np.ascontiguousarray(layout[:, :2].T)) if len(layout) else ""


def map_texts(texts: Sequence[str]) -> str:
    """Write the ``texts`` prop of ``ScatterMap``.

    Args:
        texts: One text a point.

    Returns:
        JSON list of texts short enough for a hover card.
    """
    return compact([shorten(text, HOVER_CHARACTERS) for text in texts])


def map_categories(values: Sequence[str | None], name: str, other: str) -> str:
    """Write the ``categories`` prop of ``ScatterMap``.

    Args:
        values: One category a point; None where there is none.
        name: Column name, shown above the legend.
        other: Name for everything beyond the eight most frequent categories.

    Returns:
        JSON ``{"name", "labels", "codes"}``; codes are base64 int16, the last label is ``other`` when needed.
    """
    counts = Counter(value for value in values if value is not None)
    labels = [value for value, _ in counts.most_common(CATEGORIES)]
    place = {label: code for code, label in enumerate(labels)}
    codes = np.array([place.get(value, -1) if value is not None else -1 for value in values], dtype=np.int16)
    if (codes < 0).any():
        codes[codes < 0] = len(labels)
        labels.append(other)
    return compact(
        {
            "name": shorten(name, 60),
            "labels": [shorten(label, 40) for label in labels],
            "codes": pack(codes, "<i2"),
            "other": len(labels) - 1 if labels and labels[-1] == other and len(labels) > len(place) else -1,
        }
    )


def map_values(values: NDArray[np.floating[Any]], name: str) -> str:
    """Write the ``values`` prop of ``ScatterMap``, which colours points on one sequential scale.

    Args:
        values: float [n]; NaN is drawn grey.
        name: Column name, shown beside the colour bar.

    Returns:
        JSON ``{"name", "values"}``; values are base64 float32.
    """
    return compact({"name": shorten(name, 60), "values": pack(values)})


def map_query(position: tuple[float, float], text: str, neighbors: Sequence[int]) -> str:
    """Write the ``query`` prop of ``ScatterMap``: an orange star with rays to its true neighbours.

    Args:
        position: Where the query lands.
        text: The query.
        neighbors: Rows of its nearest documents in the embedding space, nearest first.

    Returns:
        JSON text.
    """
    x, y = (float(value) for value in position)
    rows = [int(row) for row in neighbors]
    return compact({"x": x, "y": y, "text": shorten(text, HOVER_CHARACTERS), "neighbors": rows})


class ScatterMap(BrowserPart):
    """Points to pan, zoom, hover, click and lasso; SVG below 2,000 points, WebGL above.

    Props:
        points: ``map_points``; empty draws the ``empty`` sentence. When only the positions change, points move.
            With another corpus also send ``highlight="[]"`` and ``query=""``, whose rows belong to the old one.
        texts: ``map_texts``.
        categories: ``map_categories``, or empty. Okabe-Ito colour and a marker shape each; the legend toggles.
        values: ``map_values``, or empty. Used when ``categories`` is empty.
        highlight: JSON list of rows to ring, the chosen one first, its neighbours after; ``"[]"`` for none.
        query: ``map_query``, or empty.
        words: ``part_words("map", language)``.
        height: Height in pixels.

    Events:
        pick: A point was clicked (or chosen with the arrow keys and Enter): ``{"index": int}``.
        lasso: A selection was made or cleared: ``{"b64": str}``, for ``wire.unpack_indices``; ``""`` when cleared.
    """

    def __init__(
        self,
        *,
        points: str = "",
        texts: str = "[]",
        categories: str = "",
        values: str = "",
        highlight: str = "[]",
        query: str = "",
        words: Mapping[str, str] | None = None,
        height: int = 560,
        **options: object,
    ) -> None:
        super().__init__(
            "ScatterMap",
            scripts=["plotly_theme.js", "plotly_points.js", "map_overlay.js", "scatter_map.js"],
            events=["pick", "lasso"],
            props={
                "points": points,
                "texts": texts,
                "categories": categories,
                "values": values,
                "highlight": highlight,
                "query": query,
                "words": dict(words or {}),
                "height": height,
            },
            **options,
        )

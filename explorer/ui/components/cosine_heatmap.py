"""Cosines of every pair of texts as a heatmap that is reordered, zoomed and read in the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact, pack, shorten

TEXT_CHARACTERS = 400
"""Characters of a text that travel to the browser; the whole of a chosen pair comes from the server."""

Layers = tuple[NDArray[np.float32]] | tuple[NDArray[np.float32], NDArray[np.float32]]
"""One matrix of cosines, or the same pairs in two variants."""


@dataclass(frozen=True)
class HeatmapMatrix:
    """One matrix of the heatmap.

    Attributes:
        name: ``"query_document"`` or ``"document_document"``; the rows are queries or documents accordingly.
        layers: float32 [rows, documents] each; of two, the change from the first to the second is drawn.
        row_order: Order of the rows in which similar ones lie side by side, int32 [rows].
        column_order: The same for the columns, int32 [documents].
    """

    name: Literal["query_document", "document_document"]
    layers: Layers
    row_order: NDArray[np.int32]
    column_order: NDArray[np.int32]


def cosine_heatmap_data(
    queries: Sequence[str],
    documents: Sequence[str],
    matrices: Sequence[HeatmapMatrix],
    labels: Sequence[str] = (),
    provenance: Sequence[str] = (),
) -> str:
    """Write the ``data`` prop of ``CosineHeatmap``.

    Args:
        queries: The queries.
        documents: The documents.
        matrices: What can be shown, the first at first.
        labels: What the two variants are, when the matrices have two layers.
        provenance: Lines for the caption.

    Returns:
        JSON text.
    """
    return compact(
        {
            "queries": [shorten(text, TEXT_CHARACTERS) for text in queries],
            "documents": [shorten(text, TEXT_CHARACTERS) for text in documents],
            "kinds": [
                {
                    "name": matrix.name,
                    "rows": "queries" if matrix.name == "query_document" else "documents",
                    "layers": [pack(layer) for layer in matrix.layers],
                    "row_order": pack(matrix.row_order, "<i2"),
                    "column_order": pack(matrix.column_order, "<i2"),
                }
                for matrix in matrices
            ],
            "labels": list(labels),
            "provenance": list(provenance),
        }
    )


def cosine_heatmap_random(random: Mapping[str, Sequence[NDArray[np.float32]]]) -> str:
    """Write the ``random`` prop of ``CosineHeatmap``.

    Args:
        random: Rising cosines of unrelated texts, float32 [n], by the matrix's name and one for each of its layers.

    Returns:
        JSON text.
    """
    return compact({name: [pack(layer) for layer in layers] for name, layers in random.items()})


class CosineHeatmap(BrowserPart):
    """Heatmap with its scale, the random pairs above it, switches for pairs and order, zoom, and a table.

    Props:
        data: JSON of ``cosine_heatmap_data``; empty draws the ``empty`` sentence.
        random: JSON of ``cosine_heatmap_random``; empty leaves the random pairs out.
        words: ``part_words("heatmap", language)``.
        height: Reserved height of the cells with their labels in pixels.

    Events:
        pick: A cell was clicked, or chosen with Enter or Space: ``{"pairs": str, "row": int, "column": int}``, the
            matrix's name and the texts' places as given, whatever the order on screen.

    The root element carries ``data-drawn`` (drawings so far) and ``data-draw-ms`` (time of the last).
    """

    def __init__(
        self,
        *,
        data: str = "",
        random: str = "",
        words: Mapping[str, str] | None = None,
        height: int = 520,
        **options: object,
    ) -> None:
        super().__init__(
            "CosineHeatmap",
            scripts=["small_chart.js", "heatmap_canvas.js", "heatmap_scale.js", "cosine_heatmap.js"],
            events=["pick"],
            props={"data": data, "random": random, "words": dict(words or {}), "height": height},
            **options,
        )

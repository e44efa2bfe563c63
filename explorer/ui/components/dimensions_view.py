"""How much of a Matryoshka embedding is needed: a slider that works entirely in the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact, pack, shorten


def dimensions_data(
    queries: Sequence[str],
    documents: Sequence[str],
    query_vectors: NDArray[np.float32],
    document_vectors: NDArray[np.float32],
    *,
    minimum: int = 32,
    provenance: Sequence[str] = (),
) -> str:
    """Write the ``data`` prop of ``DimensionsView``.

    Args:
        queries: Query texts, q of them.
        documents: Document texts, n of them.
        query_vectors: float32 [q, full], embeddings at the model's full size.
        document_vectors: float32 [n, full].
        minimum: Fewest dimensions the slider offers.
        provenance: Lines for the caption.

    Returns:
        JSON text. Queries and documents beyond 64 are left out; the browser recomputes every pair at each step.
    """
    queries, documents = queries[:64], documents[:64]
    full = int(query_vectors.shape[1])
    return compact(
        {
            "queries": [shorten(text, 600) for text in queries],
            "documents": [shorten(text, 600) for text in documents],
            "full": full,
            "minimum": min(minimum, full),
            "query_vectors": pack(query_vectors[: len(queries)]),
            "document_vectors": pack(document_vectors[: len(documents)]),
            "provenance": list(provenance),
        }
    )


class DimensionsView(BrowserPart):
    """Slider, heatmap and ranking that follow the number of dimensions kept, with no request to the server.

    Props:
        data: JSON of ``dimensions_data``; empty draws the ``empty`` sentence.
        words: ``part_words("dimensions", language)``.
        height: Reserved height in pixels.

    Events:
        change: The slider came to rest: ``{"dimensions": int}``.
        pick: A heatmap cell or a ranked document was clicked: ``{"row": int, "column": int}``, query and document.

    The root element carries ``data-dimensions`` (kept now) and ``data-step-ms`` (time of the last step).
    """

    def __init__(
        self,
        *,
        data: str = "",
        words: Mapping[str, str] | None = None,
        height: int = 640,
        **options: object,
    ) -> None:
        super().__init__(
            "DimensionsView",
            scripts=["matryoshka.js", "dimensions_heatmap.js", "dimensions_view.js"],
            events=["change", "pick"],
            props={"data": data, "words": dict(words or {}), "height": height},
            **options,
        )

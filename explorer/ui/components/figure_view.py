"""Any plotly figure, in the theme of the page and with a table beside it."""

from __future__ import annotations

from collections.abc import Mapping

from explorer.ui.components.part import BrowserPart


class FigureView(BrowserPart):
    """A plotly figure made by ``explorer.figures``, drawn when it first becomes visible.

    Props:
        figure: ``figure.to_json()``; empty draws the ``empty`` sentence. The figure's title is set as a heading
            above it, and ``layout.meta["table"]`` (``{"columns": [...], "rows": [[...]]}``) as a folded table.
        words: ``part_words("figure", language)``.
        height: Height of the drawing in pixels.
    """

    def __init__(
        self,
        *,
        figure: str = "",
        words: Mapping[str, str] | None = None,
        height: int = 460,
        **options: object,
    ) -> None:
        super().__init__(
            "FigureView",
            scripts=["plotly_theme.js", "figure_view.js"],
            events=[],
            props={"figure": figure, "words": dict(words or {}), "height": height},
            **options,
        )

"""The same scores on three number lines: log-odds, P(yes), and P(yes) of a bfloat16 softmax."""

from __future__ import annotations

from collections.abc import Mapping

from explorer.service.saturation import Saturation
from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact, pack, shorten

TEXT_CHARACTERS = 400


def saturation_lines_data(result: Saturation) -> str:
    """Write the ``data`` prop of ``SaturationLines``.

    Args:
        result: What :func:`explorer.service.saturation.saturation_of` gave.

    Returns:
        JSON text.
    """
    lost = result.softmax_ties
    return compact(
        {
            "documents": [shorten(document, TEXT_CHARACTERS) for document in result.documents],
            "ranks": pack(result.ranks, "<i2"),
            "logOdds": pack(result.scores.log_odds),
            "probability": pack(result.scores.probability),
            "softmax": pack(result.softmax),
            "card": pack(result.model_card),
            "sizes": pack(lost.sizes, "<i2"),
            "distinct": lost.distinct,
            "first": lost.first,
            "tied": lost.tied_pairs,
            "reversed": lost.reversed_pairs,
            "float32": result.float32_ties.distinct,
            "cardDistinct": result.model_card_ties.distinct,
            "both": result.both_logits,
        }
    )


class SaturationLines(BrowserPart):
    """Three number lines whose dots are documents, joined by threads, and a table that marks ties.

    Props:
        data: JSON of ``saturation_lines_data``; empty draws the ``empty`` sentence.
        words: ``part_words("saturation", language)``.
        height: Reserved height in pixels.

    Events: none.
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
            "SaturationLines",
            scripts=["small_chart.js", "saturation_lines.js"],
            events=[],
            props={"data": data, "words": dict(words or {}), "height": height},
            **options,
        )

"""The words of a pair, coloured by how they moved the score, with a test of how far to believe that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.service.attribution import MethodResult, PairAttribution
from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact, shorten

WORD_CHARACTERS = 200


def attribution_data(result: PairAttribution, provenance: tuple[str, ...] = ()) -> str:
    """Write the ``data`` prop of ``AttributionText``.

    Args:
        result: What :func:`explorer.service.attribution.attribute` gave.
        provenance: Lines for the caption.

    Returns:
        JSON text.
    """
    effects = result.sentence_effects.tolist()
    return compact(
        {
            "words": [
                {"text": shorten(word.text, WORD_CHARACTERS), "field": word.field} for word in result.words
            ],
            "methods": {method: _method(told) for method, told in result.methods.items()},
            "sentences": [
                {"start": start, "stop": stop, "effect": effect}
                for (start, stop), effect in zip(result.sentences, effects, strict=True)
            ],
            "fields": [{"name": effect.name, "difference": effect.difference} for effect in result.fields],
            "logOdds": result.log_odds,
            "gradients": result.gradients,
            "provenance": list(provenance),
        }
    )


def _method(result: MethodResult) -> dict[str, Any]:
    test = result.deletion
    return {
        "values": result.by_word.tolist(),
        "completeness": result.completeness_error,
        "test": test
        and {
            "counts": list(test.counts),
            "named": test.named.tolist(),
            "random": test.random.tolist(),
            "draws": len(test.random),
            "area": test.area,
            "beaten": test.beaten,
            "verdict": test.verdict,
        },
    }


class AttributionText(BrowserPart):
    """Three fields of coloured words, buttons that choose the method, a verdict and the curves behind it.

    Props:
        data: JSON of ``attribution_data``; empty draws the ``empty`` sentence.
        words: ``part_words("attribution", language)``.
        height: Reserved height in pixels.

    Events: none; methods, hover and keyboard work in the browser.

    The root element carries ``data-method``.
    """

    def __init__(
        self,
        *,
        data: str = "",
        words: Mapping[str, str] | None = None,
        height: int = 560,
        **options: object,
    ) -> None:
        super().__init__(
            "AttributionText",
            scripts=["small_chart.js", "attribution_text.js"],
            events=[],
            props={"data": data, "words": dict(words or {}), "height": height},
            **options,
        )

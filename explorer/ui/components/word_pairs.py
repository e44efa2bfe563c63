"""A cosine by pairs of words, as a table of coloured cells."""

from __future__ import annotations

from collections.abc import Mapping

from explorer.service.token_pairs import TokenPairs
from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact, pack, shorten

WORD_CHARACTERS = 40


def word_pairs_data(result: TokenPairs, provenance: tuple[str, ...] = ()) -> str:
    """Write the ``data`` prop of ``WordPairs``.

    Args:
        result: What :func:`explorer.service.token_pairs.token_pairs` gave.
        provenance: Lines for the caption.

    Returns:
        JSON text.
    """
    return compact(
        {
            "rows": [shorten(word.text.strip(), WORD_CHARACTERS) for word in result.query_words],
            "columns": [shorten(word.text.strip(), WORD_CHARACTERS) for word in result.document_words],
            "pairs": pack(result.pairs),
            "states": pack(result.states),
            "cosine": result.cosine,
            "expected": result.expected,
            "error": result.completeness_error,
            "provenance": list(provenance),
        }
    )


class WordPairs(BrowserPart):
    """Words of one text down, of the other across; a cell's colour, sign and number say what the pair adds.

    Props:
        data: JSON of ``word_pairs_data``; empty draws the ``empty`` sentence.
        words: ``part_words("pairs", language)``.
        height: Reserved height in pixels.

    Events: none; both measures, hover and keyboard work in the browser.

    The root element carries ``data-measure``.
    """

    def __init__(
        self,
        *,
        data: str = "",
        words: Mapping[str, str] | None = None,
        height: int = 120,
        **options: object,
    ) -> None:
        super().__init__(
            "WordPairs",
            scripts=["word_pairs.js"],
            events=[],
            props={"data": data, "words": dict(words or {}), "height": height},
            **options,
        )

"""Code to be read and copied, in several ways to write the same."""

from __future__ import annotations

from collections.abc import Mapping

from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact


def code_block_data(blocks: Mapping[str, str]) -> str:
    """Write the ``data`` prop of ``CodeBlock``.

    Args:
        blocks: Code by the name of its kind, which is a word of the part: ``"python"``, ``"models"``, ``"shell"``.

    Returns:
        JSON text.
    """
    return compact(list(blocks.items()))


class CodeBlock(BrowserPart):
    """One of several pieces of code, buttons that choose which, and one that copies it.

    Props:
        data: JSON of ``code_block_data``; empty draws the ``empty`` sentence.
        words: ``part_words("code", language)``.
        height: Reserved height in pixels; longer code scrolls inside it.

    Events: none.
    """

    def __init__(
        self,
        *,
        data: str = "",
        words: Mapping[str, str] | None = None,
        height: int = 380,
        **options: object,
    ) -> None:
        super().__init__(
            "CodeBlock",
            scripts=["code_block.js"],
            events=[],
            props={"data": data, "words": dict(words or {}), "height": height},
            **options,
        )

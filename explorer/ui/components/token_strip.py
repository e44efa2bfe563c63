"""The exact string a model reads, token by token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact

TOKEN_LIMIT = 2_000


@dataclass(frozen=True)
class PromptToken:
    """One token of a prompt.

    Attributes:
        id: Number in the vocabulary.
        text: The piece of text it stands for.
        special: Whether it is a control token such as ``<|im_start|>``.
        cut: Whether truncation removed it before the model ran.
    """

    id: int
    text: str
    special: bool = False
    cut: bool = False


def token_strip_data(inputs: Sequence[tuple[str, Sequence[PromptToken]]]) -> str:
    """Write the ``tokens`` prop of ``TokenStrip``.

    Args:
        inputs: What is written on the button of each input, and its tokens, cut ones in place.

    Returns:
        JSON text with the first 2,000 tokens of each and the count of all; only those are drawn and copied.
    """
    drawn = [
        {"label": label, "total": len(tokens), "tokens": [asdict(token) for token in tokens[:TOKEN_LIMIT]]}
        for label, tokens in inputs
    ]
    return compact({"inputs": drawn})


class TokenStrip(BrowserPart):
    """Tokens as chips with their ids; white space made visible; buttons copy the string and the ids.

    With several inputs, a button for each of them chooses which is drawn.

    Props:
        tokens: JSON of ``token_strip_data``; empty draws the ``empty`` sentence.
        words: ``part_words("tokens", language)``.
        height: Reserved height in pixels; longer prompts scroll inside it.

    Events: none.
    """

    def __init__(
        self,
        *,
        tokens: str = "",
        words: Mapping[str, str] | None = None,
        height: int = 220,
        **options: object,
    ) -> None:
        super().__init__(
            "TokenStrip",
            scripts=["token_strip.js"],
            events=[],
            props={"tokens": tokens, "words": dict(words or {}), "height": height},
            **options,
        )

"""Edits of a pair and what each did to its scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact, shorten

SHOWN_CHARACTERS = 400
"""Characters of replaced words that are drawn."""


@dataclass(frozen=True)
class EditRow:
    """One edit.

    Attributes:
        index: Identifies it in the ``pick`` event.
        origin: Name of the rule, ``"typed"``, or ``"start"`` for the pair before any edit.
        words: For each changed text: its place, the words taken out and the words put in.
        log_odds: Log-odds after the edit.
        change: Log-odds less those before the edit; None for the start.
        since_start: Log-odds less those of the start; None for the start.
        probability: P(yes) after the edit.
        cosine: Cosine after the edit.
        cosine_change: Cosine less that before the edit; None for the start.
        parent: Index of the row that was edited, or None.
        computed: Sentence that says what had to be computed.
    """

    index: int
    origin: str
    words: tuple[tuple[str, str, str], ...]
    log_odds: float
    change: float | None
    since_start: float | None
    probability: float
    cosine: float
    cosine_change: float | None
    parent: int | None = None
    computed: str = ""


def edit_effects_data(
    mode: Literal["history", "tried"],
    rows: Sequence[EditRow],
    current: int | None = None,
    provenance: Sequence[str] = (),
) -> str:
    """Write the ``data`` prop of ``EditEffects``.

    Args:
        mode: Whether the rows are the steps of a history, or changes that were tried on one pair.
        rows: Edits; in a history the start is among them.
        current: Index of the row that is in the editor.
        provenance: Lines for the caption: models, number format, device.

    Returns:
        JSON text.
    """
    drawn = [
        {
            **asdict(row),
            "words": [
                [place, shorten(before, SHOWN_CHARACTERS), shorten(after, SHOWN_CHARACTERS)]
                for place, before, after in row.words
            ],
        }
        for row in rows
    ]
    return compact({"mode": mode, "rows": drawn, "current": current, "provenance": list(provenance)})


class EditEffects(BrowserPart):
    """Edits as rows with the words that changed, a signed bar and every number; a row can be chosen.

    Props:
        data: JSON of ``edit_effects_data``; empty draws the ``empty`` sentence.
        words: ``part_words("edits", language)``.
        height: Reserved height in pixels; more rows scroll inside it.

    Events:
        pick: A row was chosen by click, Enter or Space: ``{"index": int}`` (``EditRow.index``).
    """

    def __init__(
        self,
        *,
        data: str = "",
        words: Mapping[str, str] | None = None,
        height: int = 220,
        **options: object,
    ) -> None:
        super().__init__(
            "EditEffects",
            scripts=["edit_effects.js"],
            events=["pick"],
            props={"data": data, "words": dict(words or {}), "height": height},
            **options,
        )

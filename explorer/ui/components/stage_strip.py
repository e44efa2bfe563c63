"""The stages of a training as a row of steps that lead to their places on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        target: Element that a click scrolls to.
        name: One or two words.
        text: What happens in it.
        status: How far it has come here.
        state: Whether it is done, going on now, or still to do.
    """

    target: str
    name: str
    text: str
    status: str = ""
    state: Literal["todo", "now", "done"] = "todo"


def stage_strip_data(stages: Sequence[Stage]) -> str:
    """Write the ``data`` prop of ``StageStrip``.

    Args:
        stages: In their order.

    Returns:
        JSON text.
    """
    return compact([asdict(stage) for stage in stages])


class StageStrip(BrowserPart):
    """Numbered steps with arrows between them; on a phone, one below the other.

    Props:
        data: JSON of ``stage_strip_data``.
        words: ``part_words("stages", language)``.
        height: Reserved height in pixels.

    Events: none.
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
            "StageStrip",
            scripts=["stage_strip.js"],
            events=[],
            props={"data": data, "words": dict(words or {}), "height": height},
            **options,
        )

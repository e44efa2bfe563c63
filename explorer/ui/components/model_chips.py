"""What is loaded, in the header of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact, shorten


@dataclass(frozen=True)
class Chip:
    """One fact about what is loaded.

    Attributes:
        label: What it is, for instance "Embedding".
        value: What it says, for instance "Mini (bundled)".
        tone: ``"document"`` blue, ``"query"`` orange, ``"plain"``, or ``"warning"``.
        title: Sentence shown on hover and read aloud.
    """

    label: str
    value: str
    tone: Literal["plain", "query", "document", "warning"] = "plain"
    title: str = ""


def model_chips_data(
    chips: Sequence[Chip], memory_used: int | None = None, memory_total: int | None = None
) -> str:
    """Write the ``data`` prop of ``ModelChips``.

    Args:
        chips: Facts in reading order.
        memory_used: Bytes in use on the device, or None when unknown.
        memory_total: Bytes the device has.

    Returns:
        JSON text.
    """
    rows = [{**asdict(chip), "value": shorten(chip.value, 60)} for chip in chips]
    memory = (
        {"used": memory_used, "total": memory_total} if memory_used is not None and memory_total else None
    )
    return compact({"chips": rows, "memory": memory})


class ModelChips(BrowserPart):
    """Embedding model, reranker, dtype, device and a memory bar as chips.

    Props:
        data: JSON of ``model_chips_data``.
        words: ``part_words("chips", language)``.
        height: Reserved height in pixels.

    Events: none.
    """

    def __init__(
        self,
        *,
        data: str = "",
        words: Mapping[str, str] | None = None,
        height: int = 34,
        **options: object,
    ) -> None:
        super().__init__(
            "ModelChips",
            scripts=["model_chips.js"],
            events=[],
            props={"data": data, "words": dict(words or {}), "height": height},
            **options,
        )

"""The same documents under several instructions, by the reranker and by the embedding model."""

from __future__ import annotations

from collections.abc import Mapping

from explorer.service.compare_instructions import InstructionComparison, InstructionSide
from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact, pack, shorten

SENT_CHARACTERS = 1_200


def instruction_table_data(result: InstructionComparison) -> str:
    """Write the ``data`` prop of ``InstructionTable``.

    Args:
        result: What :func:`explorer.service.compare_instructions.compare_instructions` gave.

    Returns:
        JSON text with every score and rank of both models.
    """
    return compact(
        {
            "instructions": result.instructions,
            "queries": [shorten(query) for query in result.queries],
            "documents": [shorten(document) for document in result.documents],
            "sides": {"reranker": _side(result.reranker), "embedding": _side(result.embedding)},
        }
    )


def _side(side: InstructionSide) -> dict[str, object]:
    return {
        "scores": pack(side.scores),
        "ranks": pack(side.ranks, "<i2"),
        "agreement": side.agreement.tolist(),
        "changes": [
            {"kind": change.kind, "moved": change.moved, "largest": change.largest} for change in side.changes
        ],
        "sent": [shorten(sent, SENT_CHARACTERS) for sent in side.sent],
    }


class InstructionTable(BrowserPart):
    """A row a document and a column an instruction; sorted, and switched between both models, in the browser.

    Props:
        data: JSON of ``instruction_table_data``; empty draws the ``empty`` sentence.
        words: ``part_words("instructions", language)``.
        height: Reserved height in pixels; a longer table scrolls inside it.

    Events: none. The root element carries ``data-side`` and ``data-sort-ms``, how long the last sorting took.
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
            "InstructionTable",
            scripts=["instruction_table.js"],
            events=[],
            props={"data": data, "words": dict(words or {}), "height": height},
            **options,
        )

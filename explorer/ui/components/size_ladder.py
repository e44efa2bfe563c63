"""Several models' answers to the same question, side by side, with what each took."""

from __future__ import annotations

from collections.abc import Mapping

from explorer.service.size_ladder import SizeLadder
from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact, pack, shorten


def size_ladder_data(result: SizeLadder) -> str:
    """Write the ``data`` prop of ``SizeLadderTable``.

    Args:
        result: What :func:`explorer.service.size_ladder.size_ladder` gave.

    Returns:
        JSON text with every score, rank and measurement.
    """
    rungs = [
        {
            "model": rung.provenance.model,
            "place": rung.provenance.place,
            "scores": pack(rung.scores),
            "ranks": pack(rung.ranks, "<i2"),
            "milliseconds": rung.milliseconds,
            "runs": rung.runs,
            "weights": rung.weight_bytes,
            "working": rung.working_bytes,
        }
        for rung in result.rungs
    ]
    return compact(
        {
            "family": result.family,
            "query": shorten(result.question.query),
            "documents": [shorten(document) for document in result.question.documents],
            "rungs": rungs,
            "agreement": result.agreement.tolist(),
        }
    )


class SizeLadderTable(BrowserPart):
    """A row a model with its time and memory, then a row a document and a column a model.

    Sorting, and the choice of the model that the others are compared with, happen in the browser.

    Props:
        data: JSON of ``size_ladder_data``; empty draws the ``empty`` sentence.
        words: ``part_words("ladder", language)``.
        height: Reserved height in pixels; a longer table scrolls inside it.

    Events: none. The root element carries ``data-against``, the index of the model compared with.
    """

    def __init__(
        self,
        *,
        data: str = "",
        words: Mapping[str, str] | None = None,
        height: int = 420,
        **options: object,
    ) -> None:
        super().__init__(
            "SizeLadderTable",
            scripts=["size_ladder.js"],
            events=[],
            props={"data": data, "words": dict(words or {}), "height": height},
            **options,
        )

"""Quality on the way from one model to another, with a slider over what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact, shorten


def merge_path_data(
    weights: Sequence[float],
    measures: Sequence[tuple[str, Sequence[float | None]]],
    models: tuple[str, str],
    chosen: float = 0.5,
    provenance: Sequence[str] = (),
) -> str:
    """Write the ``data`` prop of ``MergePath``.

    Args:
        weights: Share of the second model, rising from 0 to 1.
        measures: Name and values of each measure, one value a weight.
        models: Names of both models.
        chosen: Weight at which the slider stands at first.
        provenance: Lines for the caption.

    Returns:
        JSON text.
    """
    return compact(
        {
            "weights": list(weights),
            "measures": [{"name": name, "values": list(values)} for name, values in measures],
            "first": shorten(models[0], 60),
            "second": shorten(models[1], 60),
            "chosen": chosen,
            "provenance": list(provenance),
        }
    )


class MergePath(BrowserPart):
    """A line for each measure, a slider under the axis, and the values where it stands.

    Props:
        data: JSON of ``merge_path_data``; empty draws the ``empty`` sentence.
        words: ``part_words("merge", language)``.
        height: Reserved height in pixels.

    Events:
        change: The slider came to rest: ``{"weight": float}``.

    The root element carries ``data-weight``.
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
            "MergePath",
            scripts=["small_chart.js", "merge_path.js"],
            events=["change"],
            props={"data": data, "words": dict(words or {}), "height": height},
            **options,
        )

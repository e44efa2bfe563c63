"""Numbers and texts in the form in which they travel to the browser: compact JSON and base64 typed arrays."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from explorer.texts import Language, sentences

TEXT_LIMIT = 2_000
"""Characters of one text that travel to the browser; the rest stays on the server."""

Prefix = Literal[
    "cards",
    "figure",
    "dimensions",
    "map",
    "tokens",
    "chips",
    "stages",
    "filter",
    "merge",
    "edits",
    "code",
    "bump",
    "quadrants",
    "instructions",
    "saturation",
    "heatmap",
    "ladder",
    "attribution",
    "pairs",
]


def pack(array: NDArray[Any], dtype: str = "<f4") -> str:
    """Encode an array for ``ExplorerKit.floats`` and its siblings.

    Args:
        array: Any shape; sent in row-major order.
        dtype: Little-endian type on the wire: ``"<f4"``, ``"<i4"``, ``"<i2"``.

    Returns:
        Base64 text.
    """
    return base64.b64encode(np.ascontiguousarray(array, dtype=dtype).tobytes()).decode("ascii")


def unpack_indices(encoded: str) -> NDArray[np.int32]:
    """Read the row numbers that a lasso sent.

    Args:
        encoded: Base64 of little-endian int32, as in ``event._data["b64"]``; empty when nothing is selected.

    Returns:
        int32 [n].

    Raises:
        ValueError: The text is not base64 of whole 32-bit numbers.
    """
    return np.frombuffer(base64.b64decode(encoded, validate=True), dtype="<i4").astype(np.int32)


def compact(value: object) -> str:
    """Write JSON without spaces.

    Args:
        value: Strings, numbers, lists and dicts. NaN and infinities become null.

    Returns:
        JSON text that every browser can parse.
    """
    return json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def shorten(text: str, limit: int = TEXT_LIMIT) -> str:
    """Cut a text that is too long to draw.

    Args:
        text: Any text.
        limit: Most characters to keep.

    Returns:
        The text, or its beginning followed by an ellipsis.
    """
    return text if len(text) <= limit else text[: limit - 1] + "…"


def part_words(prefix: Prefix, language: Language) -> dict[str, str]:
    """Collect the words one part shows.

    Args:
        prefix: Beginning of the entries in ``explorer/texts/figures.toml``, for instance ``"cards"``.
        language: ``"en"`` or ``"zh"``.

    Returns:
        Sentence templates by the rest of their names, and the ``plot_`` words for buttons of a drawing; the
        scripts fill ``{placeholders}``.
    """
    start, shared = f"figures.{prefix}_", "figures.plot_"
    return {
        key.removeprefix(start).removeprefix("figures."): entry[language]
        for key, entry in sentences().items()
        if key.startswith((start, shared))
    }


def _finite(value: object) -> object:
    """Replace numbers that JSON cannot hold, and numpy's own number types."""
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_finite(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value

"""Texts of the worked examples in the other language; whatever else is to be translated, the person types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache

from explorer.service.changes.change import Edit
from explorer.service.examples import DEMO


def translate(text: str) -> Iterator[Edit]:
    """Put the stored translation in the place of a text.

    No language model is at hand, and word by word a dictionary gives no translation: only texts that were translated
    by hand have one.

    Args:
        text: An instruction, query or document of the worked examples, in English or Chinese.

    Yields:
        One edit, or none when no translation is stored.
    """
    other = _stored().get(text.strip())
    if other is not None:
        yield Edit(0, len(text), other)


@cache
def _stored() -> dict[str, str]:
    pairs = json.loads((DEMO / "translations.json").read_text(encoding="utf-8"))
    there = {english: chinese for english, chinese in pairs}
    return there | {chinese: english for english, chinese in pairs}

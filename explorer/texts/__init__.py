"""Every sentence a person reads, in English and Chinese.

One TOML file for each room or view lies beside this module; an entry holds both languages, so that whoever
changes one sees the other::

    [cancelled]
    en = "Stopped. What was finished is kept."
    zh = "已停止。已完成的部分会保留。"

A sentence is named ``<file>.<entry>``, for instance ``errors.cancelled``.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal, get_args

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@cache
def sentences() -> dict[str, dict[Language, str]]:
    """Read every sentence.

    Returns:
        Sentence templates by key, then by language.
    """
    found: dict[str, dict[Language, str]] = {}
    for path in sorted(Path(__file__).parent.glob("*.toml")):
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
        for name, entry in entries.items():
            found[f"{path.stem}.{name}"] = {language: entry[language] for language in LANGUAGES}
    return found


def say(key: str, language: Language, **values: object) -> str:
    """Say one sentence.

    Args:
        key: ``<file>.<entry>``.
        language: ``"en"`` or ``"zh"``.
        **values: What fills the placeholders. Values are inserted as they are and never read as templates.

    Returns:
        The sentence as plain text.

    Raises:
        KeyError: There is no such sentence, or a placeholder has no value.
    """
    return sentences()[key][language].format(**values)


def preferred_language(accept_language: str | None) -> Language:
    """Choose the interface's language from a browser's ``Accept-Language`` header (RFC 9110, section 12.5.4).

    Args:
        accept_language: The header, for instance ``"zh-CN,zh;q=0.9,en;q=0.8"``, or None.

    Returns:
        The first of the reader's languages that the interface speaks; English when there is none.
    """
    ranked: list[tuple[float, int, str]] = []
    for position, part in enumerate((accept_language or "").split(",")):
        tag, _, weight = part.strip().partition(";q=")
        try:
            ranked.append((-float(weight or 1), position, tag.split("-")[0].lower()))
        except ValueError:
            continue
    for _, _, primary in sorted(ranked):
        for language in LANGUAGES:
            if primary == language:
                return language
    return "en"

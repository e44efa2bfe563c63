from __future__ import annotations

import string

import pytest

from explorer.texts import LANGUAGES, preferred_language, say, sentences


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("key", sorted(sentences()))
def test_each_sentence_says_the_same_in_both_languages(key: str) -> None:
    english, chinese = (sentences()[key][language] for language in LANGUAGES)
    assert english.strip() and chinese.strip()
    assert placeholders(english) == placeholders(chinese)
    assert "" not in placeholders(english), "placeholders carry names"


def test_values_are_never_read_as_templates() -> None:
    assert "{dtype} {0}" in say("settings.dtype", "en", dtype="{dtype} {0}")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.2", "en"),
        ("fr,zh-TW;q=0.4,en;q=0.1", "zh"),
        ("fr;q=nonsense,de", "en"),
    ],
)
def test_the_browser_chooses_the_language(header: str | None, language: str) -> None:
    assert preferred_language(header) == language

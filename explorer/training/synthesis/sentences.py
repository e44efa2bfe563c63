"""Sentences and clauses, in scripts with and without spaces between words."""

from __future__ import annotations

import re

_END = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+(?=[\"'“‘(]*[^\W_a-z])|(?<=[。！？])(?![”’」』）])|\n+")
_LONGEST_SENTENCE = 400
_CLAUSE = re.compile(r"[，、；：。！？,;:…「」『』“”（）()]+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def sentences(text: str) -> list[str]:
    """Split a text into sentences.

    Args:
        text: Any text.

    Returns:
        Sentences without white space around them; none is empty.
    """
    return [part.strip() for part in _END.split(text) if part and part.strip()]


def whole_sentences(text: str) -> list[str]:
    """List the sentences that rules work on: four words or more, and short enough to be one sentence in truth.

    Args:
        text: Any text.

    Returns:
        Sentences in order.
    """
    return [one for one in sentences(text) if size(one) >= 4 and len(one) <= _LONGEST_SENTENCE]


def is_unspaced(text: str) -> bool:
    """Tell whether most of a text is in Chinese or Japanese characters, which no spaces part."""
    letters = sum(character.isalpha() for character in text)
    return 2 * len(_UNSPACED.findall(text)) > letters


def clauses(text: str) -> list[str]:
    """Split a sentence at its inner punctuation.

    Args:
        text: A sentence.

    Returns:
        Clauses without punctuation around them; none is empty.
    """
    return [part.strip() for part in _CLAUSE.split(text) if part.strip()]


def size(text: str) -> int:
    """Measure a text in words; in Chinese and Japanese two characters count as a word."""
    return len(_UNSPACED.findall(text)) // 2 if is_unspaced(text) else len(text.split())

"""Whether the rules know a sentence's language."""

from __future__ import annotations

import re

from explorer.training.synthesis.sentences import is_unspaced

_KANA = re.compile(r"[\u3040-\u30ff]")
_ENGLISH = re.compile(
    r"\b(?:the|of|and|to|is|are|it|that|for|with|you|my|how|what|why|which|who|when|not|do|does|can|given|a|after|"
    r"he|she|they|we|there|from|this|were|has|have|had|will|at|by|into|than|his|its|their|our|your)\b",
    re.IGNORECASE,
)
_FOREIGN = re.compile(
    r"\b(?:der|die|das|und|nicht|ist|le|la|les|des|est|et|el|los|las|es|en|y|que|de|não|os|uma)\b",
    re.IGNORECASE,
)
_CODE = re.compile(r"[={}\[\]<>]|\w\(")


def is_english(sentence: str) -> bool:
    """Tell whether a sentence is in English: function words of English in it outnumber those of its neighbours.

    Args:
        sentence: One sentence; lines of code are in no language.
    """
    words = len(_ENGLISH.findall(sentence))
    return words > len(_FOREIGN.findall(sentence)) and not _CODE.search(sentence)


def is_chinese(sentence: str) -> bool:
    """Tell whether a sentence is in Chinese: in its characters, without Japanese syllables.

    Args:
        sentence: One sentence.
    """
    return is_unspaced(sentence) and not _KANA.search(sentence)

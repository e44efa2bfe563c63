"""How much may be asked for at once, checked here and not in a widget, which holds against nobody's API call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.errors import InputError, LimitError
from explorer.notices import Notice


@dataclass(frozen=True)
class Limits:
    """The most that one request may hold.

    Attributes:
        characters: Characters in one text.
        instruction_characters: Characters in an instruction.
        rerank_documents: Documents reranked for one query.
        instructions: Instructions compared with each other.
        instruction_pairs: Documents scored for all queries under all instructions together.
        crossed_queries: Queries paired with every document.
        judged_pairs: Pairs of all those queries and documents together.
        compared_texts: Texts on either side of a heatmap.
        attributed_tokens: Tokens of a prompt whose words are weighed.
        paired_words: Words on either side of a token-pair attribution.
        mapped_documents: Documents drawn on one map; a larger corpus is sampled, and said to be.
        upload_bytes: Size of an uploaded file.
    """

    characters: int = 100_000
    instruction_characters: int = 2_000
    rerank_documents: int = 200
    instructions: int = 6
    instruction_pairs: int = 6_000
    crossed_queries: int = 20
    judged_pairs: int = 2_000
    compared_texts: int = 300
    attributed_tokens: int = 1_024
    paired_words: int = 80
    mapped_documents: int = 50_000
    upload_bytes: int = 50_000_000


LIMITS = Limits()

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def clean(text: str) -> str:
    """Take out what no tokenizer or file format should meet: control characters, lone surrogates, outer space.

    Args:
        text: As typed or sent.

    Returns:
        The text that is used everywhere from here on.
    """
    return _SURROGATE.sub("�", _CONTROL.sub("", text)).strip()


def pasted_lines(text: str | None) -> list[str]:
    r"""Split pasted text into lines, only where a reader sees a line end.

    Args:
        text: Lines that end in ``\n``, ``\r\n`` or ``\r``, or None.

    Returns:
        The lines.
    """
    return re.split("\r\n|\r|\n", text or "")


def checked_query(query: str) -> str:
    """Check one query.

    Args:
        query: As typed or sent.

    Returns:
        The cleaned query.

    Raises:
        InputError: There is no text in it.
        LimitError: It is too long.
    """
    if not isinstance(query, str):
        raise InputError("service.not_a_text")
    cleaned = clean(query)
    if not cleaned:
        raise InputError("service.query_empty")
    if len(cleaned) > LIMITS.characters:
        raise LimitError("service.query_long", count=len(cleaned), limit=LIMITS.characters)
    return cleaned


def checked_instruction(instruction: str | None) -> str | None:
    """Check an instruction; an empty one counts as none.

    Args:
        instruction: As typed or sent, or None.

    Returns:
        The cleaned instruction, or None.

    Raises:
        LimitError: It is too long.
    """
    if not isinstance(instruction, str | None):
        raise InputError("service.not_a_text")
    cleaned = clean(instruction or "")
    if len(cleaned) > LIMITS.instruction_characters:
        raise LimitError("service.instruction_long", count=len(cleaned), limit=LIMITS.instruction_characters)
    return cleaned or None


def checked_texts(texts: Sequence[str], limit: int, empty: str) -> tuple[tuple[str, ...], tuple[Notice, ...]]:
    """Check a list of documents or queries.

    Args:
        texts: As typed, one a line, or sent.
        limit: The most that is allowed of them.
        empty: Key of the sentence that is said when no text is left.

    Returns:
        The cleaned texts that hold something, and notices about those that do not.

    Raises:
        InputError: No text is left.
        LimitError: There are too many, or one is too long.
    """
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise InputError("service.not_a_list")
    cleaned = [clean(text) for text in texts]
    kept = tuple(text for text in cleaned if text)
    if not kept:
        raise InputError(empty)
    if len(kept) > limit:
        raise LimitError("service.too_many", count=len(kept), limit=limit)
    for position, text in enumerate(kept, start=1):
        if len(text) > LIMITS.characters:
            raise LimitError("service.text_long", position=position, count=len(text), limit=LIMITS.characters)
    left_out = len(texts) - len(kept)
    notices = (Notice("service.left_out_empty", {"count": left_out, "kept": len(kept)}),) if left_out else ()
    return kept, notices

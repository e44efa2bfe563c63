"""Reading what a language model answered, which is rarely only what it was asked for."""

from __future__ import annotations

import json
import re

from explorer.training.pairs.files import well_formed

_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_MOST_TRIES = 20
_MOST_CHARACTERS = 20_000


def without_thoughts(answer: str) -> str:
    """Leave out what a thinking model thought aloud, also when its thought was cut off."""
    return _THOUGHT.sub("", answer).split("</think>")[-1].strip()


def json_object(answer: str) -> dict[str, object]:
    """Find the first JSON object in an answer, whatever stands around it.

    Args:
        answer: As the model gave it.

    Returns:
        The object; empty when there is none.
    """
    text = without_thoughts(answer)[:_MOST_CHARACTERS]
    decoder = json.JSONDecoder()
    for match in list(re.finditer(r"\{", text))[:_MOST_TRIES]:
        try:
            value, _ = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return value
    return {}


def text_field(answer: dict[str, object], name: str) -> str:
    """Read a text out of an answer's object, with its white space made single.

    Args:
        answer: The object.
        name: Field's name.

    Returns:
        The text; empty when there is none.
    """
    value = answer.get(name)
    return " ".join(well_formed(value).split()) if isinstance(value, str) else ""


def text_fields(answer: dict[str, object], name: str) -> tuple[str, ...]:
    """Read a list of texts out of an answer's object, without empty and repeated ones.

    Args:
        answer: The object.
        name: Field's name.

    Returns:
        The texts.
    """
    values = answer.get(name)
    if not isinstance(values, list):
        return ()
    texts = (" ".join(well_formed(value).split()) for value in values if isinstance(value, str))
    return tuple(dict.fromkeys(text for text in texts if text))

"""Put another name in the place of one: a city for a city, a person for a person."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from explorer.service.changes.change import Edit
from explorer.service.changes.languages import is_english
from explorer.service.changes.sentence_spans import sentence_spans

INVENTED = "Aldermoor"
"""Stands in for a capitalised name that is in no list: a name that no model can know."""

_NO_NAMES = frozenset(
    ("Earth", "Sun", "Moon", "May", "March", "Day", "Mother", "God", "Internet", "Relevant", "Score")
)
_CAPITALISED = re.compile(r"(?<![\w'’-])(?:[Tt]he )?[A-Z][a-zà-ÿ]+(?:[ -][A-Z][a-zà-ÿ]+)*(?![\w-])")
_UNSPACED = re.compile(r"[\u3400-\u9fff]")


def change_name(text: str) -> Iterator[Edit]:
    """Replace one name by the next of its kind, or by an invented one.

    Args:
        text: Any text. Names of the lists are found in English and Chinese; beyond them, capitalised words inside an
            English sentence.

    Yields:
        One edit for each name, in reading order.
    """
    pattern, others = _listed()
    found_names = {found.group() for found in pattern.finditer(text)}
    instead = {
        name: next((other for other in others[name] if other not in text), INVENTED) for name in found_names
    }
    edits = [Edit(*found.span(), instead[found.group()]) for found in pattern.finditer(text)]
    taken = {place for edit in edits for place in range(edit.start, edit.end)}
    for start, end in sentence_spans(text):
        for found in _CAPITALISED.finditer(text, start, end) if is_english(text[start:end]) else ():
            inside = found.start() > start and taken.isdisjoint(range(*found.span()))
            if inside and found.group() not in _NO_NAMES and not found.group().startswith("the "):
                edits.append(Edit(*found.span(), INVENTED))
    yield from sorted(edits, key=lambda edit: edit.start)


@cache
def _listed() -> tuple[re.Pattern[str], dict[str, tuple[str, ...]]]:
    """Read the lists: what finds a name, and what may take its place, the next of its kind first."""
    kinds = tomllib.loads((Path(__file__).parent / "names.toml").read_text("utf-8"))
    others: dict[str, tuple[str, ...]] = {}
    for names in (names for kind in kinds.values() for names in kind.values()):
        others |= {name: (*names[place + 1 :], *names[:place]) for place, name in enumerate(names)}
    forms = (
        re.escape(name) if _UNSPACED.search(name) else rf"\b{re.escape(name)}\b"
        for name in sorted(others, key=len, reverse=True)
    )
    return re.compile("|".join(forms)), others

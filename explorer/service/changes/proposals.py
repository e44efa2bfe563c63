"""Every change that the rules can make to a pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from explorer.errors import InputError
from explorer.service.changes.change import KINDS, PLACES, Change, Edit, Kind, PairVersion, Place, Rule
from explorer.service.changes.names import change_name
from explorer.service.changes.negation import negate
from explorer.service.changes.numbers import change_number
from explorer.service.changes.sentence_spans import drop_sentence
from explorer.service.changes.translations import translate

MOST = 50
"""Changes of one kind that are made to one text; a long document has thousands of sentences to leave out."""

RULES: dict[Kind, Rule] = {
    "negate": negate,
    "number": change_number,
    "name": change_name,
    "sentence": drop_sentence,
    "translate": translate,
}


def changes_of(version: PairVersion, kind: Kind, place: Place) -> Iterator[Change]:
    """Make every change of one kind to one text.

    Args:
        version: The pair as it stands.
        kind: Which rule.
        place: Which text.

    Yields:
        At most :data:`MOST` changes in reading order; none when the text holds nothing that the rule could change.

    Raises:
        InputError: There is no such rule, or no such text.
    """
    if kind not in KINDS:
        raise InputError("counterfactuals.kind_unknown", kind=kind, kinds=", ".join(KINDS))
    if place not in PLACES:
        raise InputError("counterfactuals.place_unknown", place=place, places=", ".join(PLACES))
    text = version.text(place)
    for edit in islice(RULES[kind](text), MOST):
        changed = edit.apply(text).strip()
        if changed and changed != text:
            yield _change(version, kind, place, edit, changed)


def _change(version: PairVersion, kind: Kind, place: Place, edit: Edit, changed: str) -> Change:
    before = version.text(place)[edit.start : edit.end].strip()
    return Change(kind, place, before, edit.replacement.strip(), version.with_text(place, changed))


def first_new_change(version: PairVersion, kind: Kind, place: Place, known: Sequence[PairVersion]) -> Change:
    """Make the first change of one kind that has not been tried yet.

    Args:
        version: The pair as it stands.
        kind: Which rule.
        place: Which text.
        known: Versions that were tried before.

    Returns:
        The change.

    Raises:
        InputError: The text holds nothing that the rule could change, or every such change has been tried.
    """
    found = list(changes_of(version, kind, place))
    for change in found:
        if change.version not in known:
            return change
    raise InputError(f"counterfactuals.{'all_tried' if found else f'nothing_to_{kind}'}")

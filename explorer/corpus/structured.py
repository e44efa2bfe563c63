"""JSON (RFC 8259) and JSONL: records, columns, or plain lists of texts."""

from __future__ import annotations

import json
from collections.abc import Iterable

from explorer.corpus.table import RawTable, ReadLimits
from explorer.errors import CorpusError
from explorer.notices import Notice

_TEXT_COLUMN = "text"


class _DuplicateCounter:
    """Reads objects as dictionaries and counts those that name a key twice."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        """Make a dictionary of an object's members; the last of two equal keys stays."""
        found = dict(pairs)
        self.count += len(found) != len(pairs)
        return found

    def notices(self) -> tuple[Notice, ...]:
        """Tell how many objects lost a value."""
        return (Notice("corpus.duplicate_keys", {"count": self.count}),) if self.count else ()


def looks_like_json(text: str) -> bool:
    """Say whether the first character could begin a JSON list or object.

    Args:
        text: A file's characters.

    Returns:
        Whether it is worth parsing.
    """
    return text[:1000].lstrip()[:1] in ("[", "{")


def read_json(text: str, limits: ReadLimits) -> RawTable:
    """Read one JSON document.

    Args:
        text: ``[{...}, ...]``, ``{"column": [...]}``, ``{"anything": [{...}, ...]}`` or ``["text", ...]``.
        limits: How much to accept.

    Returns:
        One row for each record.

    Raises:
        CorpusError: The text is not JSON, is no table, or holds more than the limits allow.
    """
    _refuse_many_values(text, limits)
    counter = _DuplicateCounter()
    try:
        document = json.loads(text, object_pairs_hook=counter, strict=False)
    except json.JSONDecodeError as error:
        raise CorpusError("corpus.bad_json", line=error.lineno, column=error.colno) from error
    except (RecursionError, ValueError) as error:
        raise CorpusError("corpus.json_shape") from error
    if isinstance(document, dict):
        return _from_object(document, limits, counter.notices())
    if isinstance(document, list):
        return from_records(document, limits, notices=counter.notices())
    raise CorpusError("corpus.json_shape")


def read_jsonl(text: str, limits: ReadLimits) -> RawTable:
    """Read one JSON value a line.

    Args:
        text: Lines of objects or of texts; blank lines are skipped.
        limits: How much to accept.

    Returns:
        One row for each line that could be read; the others are counted as dropped.

    Raises:
        CorpusError: No line could be read, or there is more than the limits allow.
    """
    _refuse_many_values(text, limits)
    counter = _DuplicateCounter()
    records: list[object] = []
    bad: list[int] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            records.append(json.loads(line, object_pairs_hook=counter, strict=False))
        except (ValueError, RecursionError):
            bad.append(number)
        if len(records) + len(bad) > limits.rows:
            raise CorpusError("corpus.too_many_rows", limit=limits.rows)
    if bad and not records:
        raise CorpusError("corpus.no_json_line", line=bad[0])
    notices = counter.notices()
    if bad:
        notices += (Notice("corpus.lines_dropped", {"count": len(bad), "line": bad[0]}),)
    return from_records(records, limits, unread=len(bad), notices=notices)


def from_records(
    records: list[object], limits: ReadLimits, unread: int = 0, notices: tuple[Notice, ...] = ()
) -> RawTable:
    """Lay records out as columns.

    Args:
        records: Objects, whose keys become columns, or plain values, which become the column ``text``.
        limits: How much to accept.
        unread: Rows that were lost before, counted as dropped.
        notices: What there is to tell so far.

    Returns:
        Columns in the order in which their keys first appear; a missing key is an empty cell.

    Raises:
        CorpusError: More than the limits allow.
    """
    if len(records) > limits.rows:
        raise CorpusError("corpus.too_many_rows", limit=limits.rows)
    objects: list[dict[str, object]] = [
        record if isinstance(record, dict) else {_TEXT_COLUMN: record} for record in records
    ]
    names = _key_union(objects, limits)
    if len(names) * len(objects) > limits.cells:
        raise CorpusError("corpus.too_many_rows", limit=limits.cells // len(names))
    columns: list[list[object]] = [[item.get(name) for item in objects] for name in names]
    return RawTable(names, columns, len(records) + unread, unread, notices=notices)


def _key_union(objects: Iterable[dict[str, object]], limits: ReadLimits) -> list[str]:
    """List all keys in order of appearance, refusing as soon as there are too many."""
    names: dict[str, None] = {}
    for item in objects:
        names.update(dict.fromkeys(item))
        if len(names) > limits.columns:
            raise CorpusError("corpus.too_many_columns", columns=len(names), limit=limits.columns)
    return list(names)


def _from_object(document: dict[str, object], limits: ReadLimits, notices: tuple[Notice, ...]) -> RawTable:
    """Read an object of columns, an object that wraps a list of records, or a single record."""
    lists = {name: value for name, value in document.items() if isinstance(value, list)}
    if not lists:
        return from_records([document], limits, notices=notices)
    wrapped = [value for value in lists.values() if value and all(isinstance(item, dict) for item in value)]
    if len(wrapped) == 1 and len(lists) == 1:
        return from_records(wrapped[0], limits, notices=notices)
    if len(lists) != len(document):
        raise CorpusError("corpus.json_shape")
    lengths = {len(value) for value in lists.values()}
    if len(lengths) > 1:
        raise CorpusError("corpus.json_lengths", shortest=min(lengths), longest=max(lengths))
    rows = lengths.pop()
    if len(lists) > limits.columns:
        raise CorpusError("corpus.too_many_columns", columns=len(lists), limit=limits.columns)
    most_rows = min(limits.rows, limits.cells // len(lists))
    if rows > most_rows:
        raise CorpusError("corpus.too_many_rows", limit=most_rows)
    return RawTable(list(lists), list(lists.values()), rows, notices=notices)


def _refuse_many_values(text: str, limits: ReadLimits) -> None:
    """Refuse before parsing what would become millions of small lists and objects in memory."""
    if text.count("{") + text.count("[") > 2 * max(limits.rows, 1) + limits.cells // 5:
        raise CorpusError("corpus.too_many_rows", limit=limits.rows)

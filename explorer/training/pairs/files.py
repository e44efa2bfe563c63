"""Files of records: lines to named fields with their line number, and lines to a file that is never half written."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from explorer.corpus.encoding import decode
from explorer.errors import InputError

csv.field_size_limit(2**31 - 1)

_SEPARATORS = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True)
class Record:
    """The fields of one line, not yet checked.

    Attributes:
        line: Number of the line in its file, from 1.
        fields: Values by name.
    """

    line: int
    fields: Mapping[str, object]

    def refuse_unknown(self, known: Iterable[str]) -> None:
        """Refuse a field that nobody reads, which is most often a misspelt one.

        Raises:
            InputError: There is such a field; the message names it.
        """
        names = list(known)
        for name in self.fields:
            if name not in names:
                raise InputError(
                    "pairs.unknown_key", line=self.line, field=str(name)[:40], known=", ".join(names)
                )

    def text(self, name: str, default: str | None = None) -> str:
        """Read a text; without a default it must be there.

        Raises:
            InputError: It is missing, or is no text.
        """
        value = self.fields.get(name, default)
        if value is None and default is not None:
            return default
        if value is None:
            raise InputError("pairs.missing", line=self.line, field=name)
        if not isinstance(value, str):
            raise self._wrong(name)
        return well_formed(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """Read a list of texts; empty when it is not there.

        Raises:
            InputError: It is no list of texts.
        """
        value = self.fields.get(name) or []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self._wrong(name)
        return tuple(well_formed(one) for one in value)

    def named_texts(self, name: str) -> tuple[tuple[str, str], ...]:
        """Read a list of pairs of texts; empty when it is not there.

        Raises:
            InputError: It is no list of [text, text].
        """
        value = self.fields.get(name) or []
        if not isinstance(value, list):
            raise self._wrong(name)
        found = []
        for entry in value:
            if not (isinstance(entry, list) and len(entry) == 2 and all(isinstance(e, str) for e in entry)):
                raise self._wrong(name)
            found.append((well_formed(entry[0]), well_formed(entry[1])))
        return tuple(found)

    def share(self, name: str) -> float | None:
        """Read a number from 0 to 1; None when it is not there or an empty cell.

        Raises:
            InputError: It is no number in [0, 1].
        """
        value = self.fields.get(name)
        if value is None or value == "":
            return None
        try:
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                raise ValueError
            number = float(value)
        except (ValueError, OverflowError):
            number = -1.0
        if not 0 <= number <= 1:
            raise InputError("pairs.score_range", line=self.line, score=str(value)[:40])
        return number

    def inner(self, name: str) -> Record | None:
        """Read an object within the line; None when it is not there.

        Raises:
            InputError: It is no object.
        """
        value = self.fields.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(name)
        return Record(self.line, value)

    def _wrong(self, name: str) -> InputError:
        return InputError("pairs.wrong_type", line=self.line, field=name)


def well_formed(text: str) -> str:
    """Replace halves of surrogate pairs, which no encoding and no tokenizer takes, by U+FFFD.

    Args:
        text: Any text.

    Returns:
        The text in characters that UTF-8 can hold.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def read_records(path: Path) -> Iterator[Record]:
    """Read a file's lines.

    Args:
        path: JSON Lines, or a table with a first row of names when the name ends in ``.csv`` or ``.tsv``.

    Yields:
        One record a line; blank lines are passed over.

    Raises:
        InputError: The file cannot be read, or a line is not what it should be.
        CorpusError: The bytes are no text.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError("pairs.unreadable", file=path.name) from error
    text = _characters(data)
    separator = _SEPARATORS.get(path.suffix.lower())
    yield from _rows(text, separator) if separator else _objects(text)


def _characters(data: bytes) -> str:
    """Decode UTF-8, with or without a mark; anything else is guessed and judged as uploads are."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return decode(data).text


def _objects(text: str) -> Iterator[Record]:
    """Parse JSON Lines; only a line feed ends a line, as texts may hold other separators."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError("pairs.not_json", line=number) from error
        if not isinstance(value, dict):
            raise InputError("pairs.not_object", line=number)
        yield Record(number, value)


def _rows(text: str, separator: str) -> Iterator[Record]:
    """Parse a table (RFC 4180) whose first row names the columns; an empty cell of an optional column is no value."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    names: list[str] | None = None
    begun = 1
    try:
        for row in reader:
            line, begun = begun, reader.line_num + 1
            if not row:
                continue
            if names is None:
                names = _header(row, line)
                continue
            if len(row) > len(names):
                raise InputError("pairs.row_long", line=line, cells=len(row), columns=len(names))
            required = ("query", "document")
            cells = zip(names, row, strict=False)
            yield Record(line, {name: cell for name, cell in cells if cell or name in required})
    except csv.Error as error:
        raise InputError("pairs.not_table", line=begun) from error


def _header(row: list[str], line: int) -> list[str]:
    """Read the columns' names."""
    names = [name.strip().lower() for name in row]
    for name in ("query", "document"):
        if name not in names:
            raise InputError("pairs.column_missing", column=name)
    if len(set(names)) < len(names):
        raise InputError("pairs.column_twice", line=line)
    return names


def write_whole(path: Path, lines: Iterable[str]) -> None:
    """Write a text file beside its place and move it there once it is whole and on the disk.

    Args:
        path: The file; folders above it are made.
        lines: Without their line feeds.

    Raises:
        InputError: The disk is full, or the file cannot be written; what stood there before still does.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("xb") as file:
            for line in lines:
                file.write(well_formed(line).encode("utf-8") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        key = "pairs.disk_full" if error.errno == errno.ENOSPC else "pairs.unwritable"
        raise InputError(key, file=path.name) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)

"""CSV and TSV (RFC 4180): the separator is guessed, and a row of the wrong width is never shifted into place."""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterator

from explorer.corpus.table import RawTable, ReadLimits
from explorer.errors import CorpusError
from explorer.notices import Notice

SEPARATORS = (",", "\t", ";", "|")
_NO_SEPARATOR = "\x1f"
_PROBED_ROWS = 100
_PROBED_CHARACTERS = 200_000
_END_MARK = "\x1eend of file\x1e"

csv.field_size_limit(2**31 - 1)


def guess_separator(text: str) -> str | None:
    """Guess what stands between two cells.

    Args:
        text: A file's characters.

    Returns:
        The separator that cuts the header into two or more cells and the most rows into just as many; None when the
        header has one cell only.
    """
    probe = text[:_PROBED_CHARACTERS]
    best, best_score = None, 0.0
    for separator in SEPARATORS:
        rows = list(itertools.islice(_probed_rows(probe, separator), _PROBED_ROWS))
        width = len(rows[0]) if rows else 0
        if width < 2:
            continue
        share = Counter(map(len, rows))[width] / len(rows)
        score = share + 0.001 * min(width, 100)
        if score > best_score:
            best, best_score = separator, score
    return best


def _probed_rows(probe: str, separator: str) -> Iterator[list[str]]:
    """Parse the beginning of a file, as far as it can be parsed."""
    try:
        yield from filter(None, csv.reader(io.StringIO(probe, newline=""), delimiter=separator))
    except csv.Error:
        return


def read_delimited(text: str, limits: ReadLimits, separator: str | None = None) -> RawTable:
    """Read delimited text whose first row names the columns.

    Args:
        text: A file's characters.
        limits: How much to accept.
        separator: What stands between two cells; guessed when None.

    Returns:
        Columns of text. Short rows are filled with empty cells; rows that are too long are dropped; both are counted.

    Raises:
        CorpusError: A quotation mark that is never closed, or more than the limits allow.
    """
    separator = separator or guess_separator(text)
    records = _records(text, separator or _NO_SEPARATOR)
    header = next(records, None)
    if header is None:
        raise CorpusError("corpus.empty_file")
    while len(header) > 1 and not header[-1].strip():
        header.pop()
    if len(header) > limits.columns:
        raise CorpusError("corpus.too_many_columns", columns=len(header), limit=limits.columns)
    return _collect(header, records, separator, limits)


def _collect(
    header: list[str], records: Iterator[list[str]], separator: str | None, limits: ReadLimits
) -> RawTable:
    """Gather rows as columns, counting those of another width than the header."""
    width = len(header)
    most_rows = min(limits.rows, limits.cells // width)
    rows: list[list[str]] = []
    rows_in = short = long = 0
    for record in records:
        rows_in += 1
        if rows_in > most_rows:
            raise CorpusError("corpus.too_many_rows", limit=most_rows)
        if len(record) > width and any(cell.strip() for cell in record[width:]):
            long += 1
            continue
        if len(record) < width:
            short += 1
            record += [""] * (width - len(record))
        rows.append(record[:width])
    notices = tuple(
        Notice(key, {"count": count, "width": width})
        for key, count in (("corpus.rows_long_dropped", long), ("corpus.rows_short_filled", short))
        if count
    )
    columns: list[list[object]] = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in header]
    return RawTable(header, columns, rows_in, long, separator, typed=False, notices=notices)


def _records(text: str, separator: str) -> Iterator[list[str]]:
    """Parse records, without blank lines.

    A mark is added as a last line. When it does not come back alone, an open quotation mark has swallowed it and
    everything before it, which the csv module would not tell.
    """
    lines = itertools.chain(io.StringIO(text, newline=""), ["\n", _END_MARK])
    reader = csv.reader(lines, delimiter=separator)
    begun = 1
    try:
        for record in reader:
            if record == [_END_MARK]:
                return
            if record and _END_MARK in record[-1]:
                raise CorpusError("corpus.open_quote", line=begun)
            begun = reader.line_num + 1
            if record:
                yield record
    except csv.Error as error:
        raise CorpusError("corpus.damaged", kind="CSV") from error

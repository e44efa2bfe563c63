"""One door for every kind of file: bytes in, a :class:`~explorer.corpus.table.Table` out.

A reader never opens a path and never fetches an address, so that nothing a person types can make it do either.
"""

from __future__ import annotations

import pandas as pd

from explorer.corpus.cells import CellCleaner, typed_series, unique_names
from explorer.corpus.delimited import guess_separator, read_delimited
from explorer.corpus.detect import container_of, suffix_of
from explorer.corpus.encoding import decode
from explorer.corpus.parquet import read_parquet
from explorer.corpus.structured import looks_like_json, read_json, read_jsonl
from explorer.corpus.table import Format, RawTable, ReadLimits, Table
from explorer.corpus.workbook import read_workbook
from explorer.errors import CorpusError
from explorer.notices import Notice

_DEFAULT_LIMITS = ReadLimits()
_PLAIN_SUFFIXES = ("txt", "text", "md", "log")
_TABLE_SUFFIXES = ("csv", "tsv", "tab")


def read_table(data: bytes, filename: str, limits: ReadLimits = _DEFAULT_LIMITS) -> Table:
    """Read a file that somebody uploaded.

    Args:
        data: The whole file.
        filename: What it was called; it only decides between delimited text and a document a line.
        limits: How much to accept.

    Returns:
        The cells as text, numbers and dates, with all that was guessed, repaired or left out.

    Raises:
        TypeError: ``data`` is a path, an address or an open file instead of bytes.
        CorpusError: The file cannot be read; the sentence says why and what to do.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"read_table takes the bytes of a file, not {type(data).__name__}")
    content = bytes(data)
    if not content:
        raise CorpusError("corpus.empty_file")
    if len(content) > limits.bytes:
        raise CorpusError("corpus.too_large", megabytes=len(content) / 1e6, limit=limits.bytes / 1e6)
    container = container_of(content)
    if container == "parquet":
        return _finish(read_parquet(content, limits), "parquet", None, limits, len(content))
    if container == "xlsx":
        return _finish(read_workbook(content, limits), "xlsx", None, limits, len(content))
    decoded = decode(content)
    if not decoded.text.strip("\ufeff\0 \t\r\n"):
        raise CorpusError("corpus.empty_file")
    raw, found = _read_text(decoded.text, suffix_of(filename), limits)
    return _finish(raw, found, decoded.encoding, limits, len(content), decoded.notices)


def _read_text(text: str, suffix: str, limits: ReadLimits) -> tuple[RawTable, Format]:
    """Choose among the text formats."""
    if suffix not in _TABLE_SUFFIXES and (suffix in ("json", "jsonl", "ndjson") or looks_like_json(text)):
        read = _read_json_family(text, suffix, limits)
        if read is not None:
            return read
    if suffix in _PLAIN_SUFFIXES:
        return _read_lines(text, limits), "txt"
    separator = "\t" if suffix in ("tsv", "tab") and "\t" in text else guess_separator(text)
    if separator is None and suffix not in _TABLE_SUFFIXES:
        return _read_lines(text, limits), "txt"
    return read_delimited(text, limits, separator), "tsv" if separator == "\t" else "csv"


def _read_json_family(text: str, suffix: str, limits: ReadLimits) -> tuple[RawTable, Format] | None:
    """Read JSON or JSONL; None for text that only begins like it and does not claim to be."""
    if suffix in ("jsonl", "ndjson"):
        return read_jsonl(text, limits), "jsonl"
    try:
        return read_json(text, limits), "json"
    except CorpusError as error:
        if error.key != "corpus.bad_json":
            raise
        refusal = error
    try:
        lines = read_jsonl(text, limits)
    except CorpusError as error:
        if error.key == "corpus.too_many_rows":
            raise
        lines = None
    if lines is not None and 2 * lines.rows_dropped < lines.rows_in:
        return lines, "jsonl"
    if suffix == "json":
        raise refusal
    return None


def _read_lines(text: str, limits: ReadLimits) -> RawTable:
    """Read a document a line; blank lines hold none."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    if unified.count("\n") > 2 * limits.rows + 1_000:
        raise CorpusError("corpus.too_many_rows", limit=limits.rows)
    lines: list[object] = [line for line in unified.split("\n") if line.strip()]
    if len(lines) > limits.rows:
        raise CorpusError("corpus.too_many_rows", limit=limits.rows)
    return RawTable(["text"], [lines], len(lines))


def _finish(
    raw: RawTable,
    found: Format,
    encoding: str | None,
    limits: ReadLimits,
    size: int,
    notices: tuple[Notice, ...] = (),
) -> Table:
    """Clean, type and name the columns."""
    if not raw.header or raw.rows_in == 0:
        raise CorpusError("corpus.no_rows")
    if raw.rows_in == raw.rows_dropped:
        raise CorpusError("corpus.rows_all_long", width=len(raw.header))
    cleaner = CellCleaner(limits.cell_characters, most=limits.most_contents(size))
    names, renamed = unique_names(raw.header, cleaner)
    series = [typed_series(values, cleaner, raw.typed) for values in raw.columns]
    frame = pd.concat(series, axis=1, keys=names)
    kept = raw.rows_in - raw.rows_dropped
    if len(frame) != kept:
        raise CorpusError("corpus.damaged", kind=found.upper())
    return Table(
        columns=tuple(names),
        frame=frame,
        encoding=encoding,
        separator=raw.separator,
        format=found,
        rows_in=raw.rows_in,
        rows_kept=kept,
        rows_dropped=raw.rows_dropped,
        notices=(*notices, *raw.notices, *renamed, *cleaner.notices()),
    )

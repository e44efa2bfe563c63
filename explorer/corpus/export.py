"""Results as files: CSV that no spreadsheet runs as a formula, JSONL, and Parquet.

The escape follows OWASP ASVS 5.0, requirement 1.2.10: a text cell in which a spreadsheet could see ``=``, ``+``, ``-``,
``@``, a tab or NUL first gets a single quotation mark in front. Numbers are left as they are.
"""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from datetime import datetime

import pandas as pd

_FORMULA_STARTS = ("=", "+", "-", "@")
_CONTROLS = frozenset("\t\r\n\0")


def escape_formula(text: str) -> str:
    """Keep a spreadsheet from reading a text as a formula.

    Args:
        text: A cell or a column name.

    Returns:
        The text, with a single quotation mark in front where one is needed.
    """
    length = next((place for place, character in enumerate(text) if not _is_skipped(character)), len(text))
    skipped, seen = text[:length], unicodedata.normalize("NFKC", text[length : length + 1])
    dangerous = seen.startswith(_FORMULA_STARTS) or not _CONTROLS.isdisjoint(skipped)
    return "'" + text if dangerous else text


def _is_skipped(character: str) -> bool:
    """Say whether a spreadsheet may strip a character before it looks for a formula."""
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp")


def to_csv(frame: pd.DataFrame) -> bytes:
    """Write a table as CSV.

    Args:
        frame: Columns of text, numbers and dates.

    Returns:
        UTF-8 with a byte order mark, which spreadsheets need in order to read it as such.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow([escape_formula(str(name)) for name in frame.columns])
    columns = [
        [_csv_cell(value) for value in _values(frame.iloc[:, index])] for index in range(frame.shape[1])
    ]
    writer.writerows(zip(*columns, strict=True))
    return stream.getvalue().encode("utf-8-sig", errors="replace")


def _csv_cell(value: object) -> object:
    """Escape text and leave numbers alone."""
    if value is None:
        return ""
    return escape_formula(value) if isinstance(value, str) else value


def to_jsonl(frame: pd.DataFrame) -> bytes:
    """Write a table as one JSON object a line.

    Args:
        frame: Columns of text, numbers and dates.

    Returns:
        UTF-8; an empty number or date is ``null``.
    """
    names = [str(name) for name in frame.columns]
    columns = [_values(frame.iloc[:, index]) for index in range(frame.shape[1])]
    lines = [
        json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)
        for row in zip(*columns, strict=True)
    ]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", errors="replace")


def to_parquet(frame: pd.DataFrame) -> bytes:
    """Write a table as Parquet.

    Args:
        frame: Columns of text, numbers and dates.

    Returns:
        A file with zstd-compressed columns.
    """
    stream = io.BytesIO()
    frame.to_parquet(stream, engine="pyarrow", compression="zstd", index=False)
    return stream.getvalue()


def _values(series: pd.Series) -> list[object]:
    """Take a column as plain Python values, None where a number or date is missing."""
    missing = series.isna()
    return [None if gone else _plain(value) for value, gone in zip(series.tolist(), missing, strict=True)]


def _plain(value: object) -> object:
    """Write a date in ISO 8601, without the time when it is midnight."""
    if not isinstance(value, datetime):
        return value
    text = value.isoformat()
    return text.removesuffix("T00:00:00")

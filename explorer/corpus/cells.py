"""Cells made safe and typed: characters that no text needs are removed, numbers and dates are recognised."""

from __future__ import annotations

import json
import math
import re
import sys
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

import numpy as np
import pandas as pd

from explorer.errors import CorpusError
from explorer.notices import Notice

_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NUMBER = re.compile(r"\s*[+-]?(?:(?:0|[1-9]\d{0,17})(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?\s*", re.ASCII)
_DATE = re.compile(
    r"\d{4}([-/])\d{2}\1\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?", re.ASCII
)


@dataclass
class CellCleaner:
    """Turns any cell into text, and counts what it had to change.

    Attributes:
        limit: Characters a cell may keep.
        most: Characters all cells may hold together. A workbook may name one long text in every cell.
        characters: Characters of all cells so far.
        cut: Cells that were longer.
        controls: Control characters removed.
        surrogates: Halves of a surrogate pair that stood alone and became U+FFFD.
        nested: Lists and objects written as JSON text.
    """

    limit: int
    most: int = sys.maxsize
    characters: int = 0
    cut: int = 0
    controls: int = 0
    surrogates: int = 0
    nested: int = 0

    def text(self, value: object) -> str:
        """Write a cell as text.

        Args:
            value: What a format's reader found; None for an empty cell.

        Returns:
            At most ``limit`` characters, without control characters other than tab and line ends.

        Raises:
            CorpusError: All cells together hold more than ``most`` characters.
        """
        text = value if isinstance(value, str) else self._written(value)
        if len(text) > self.limit:
            self.cut += 1
            text = text[: self.limit]
        self.characters += len(text)
        if self.characters > self.most:
            raise CorpusError("corpus.too_much_text", limit=self.most / 1e6)
        return text if _UNWANTED.search(text) is None else self._mended(text)

    def _written(self, value: object) -> str:
        """Write a value that is not text."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, datetime | date | time):
            return value.isoformat()
        if isinstance(value, bytes):
            return value.decode("utf-8", errors="replace")
        if isinstance(value, list | dict | tuple):
            self.nested += 1
            return json.dumps(value, ensure_ascii=False, default=str)
        return str(value)

    def _mended(self, text: str) -> str:
        """Join surrogate halves that belong together, replace the others, and strip control characters."""
        if _SURROGATE.search(text):
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
            self.surrogates += 1
        text, removed = _UNWANTED.subn("", text)
        self.controls += removed
        return text

    def notices(self) -> tuple[Notice, ...]:
        """Tell what was changed.

        Returns:
            One notice for each kind of change that happened.
        """
        counts = (
            ("corpus.cells_cut", self.cut),
            ("corpus.controls_stripped", self.controls),
            ("corpus.surrogates_repaired", self.surrogates),
            ("corpus.nested_as_text", self.nested),
        )
        return tuple(Notice(key, {"count": count, "limit": self.limit}) for key, count in counts if count)


def is_number_text(text: str) -> bool:
    """Say whether a text is nothing but a decimal number.

    Args:
        text: A cell. Codes with leading zeros, such as ``007``, are texts.

    Returns:
        True for ``12``, ``-0.5`` and ``1e-3``; False for an empty text.
    """
    return _NUMBER.fullmatch(text) is not None


def typed_series(values: list[object], cleaner: CellCleaner, typed: bool) -> pd.Series:
    """Make a column of numbers, dates or text out of cells.

    Args:
        values: Cells as the reader found them.
        cleaner: Cleans and counts.
        typed: Whether the format tells numbers from text, so that the text ``"12"`` stays text.

    Returns:
        A series of int64 or float64 (NaN where empty), of datetime64 in UTC without a zone (NaT where empty), or of
        text (``""`` where empty).
    """
    if typed:
        numbers = _as_numbers(values)
        if numbers is not None:
            return numbers
    texts = [cleaner.text(value) for value in values]
    filled = [text for text in texts if text]
    if not filled:
        return pd.Series(texts, dtype="str")
    if not typed and all(map(is_number_text, filled)):
        return _number_series([float(text) if text else math.nan for text in texts], texts)
    if all(_DATE.fullmatch(text) for text in filled):
        dates = _as_dates(texts)
        if dates is not None:
            return dates
    return pd.Series(texts, dtype="str")


def _as_numbers(values: list[object]) -> pd.Series | None:
    """Read cells as numbers when every filled one is a number."""
    kinds = {type(value) for value in values} - {type(None)}
    if not kinds or not all(
        issubclass(kind, int | float | Decimal | np.number) and kind is not bool for kind in kinds
    ):
        return None
    if all(issubclass(kind, int | np.integer) for kind in kinds) and None not in values:
        try:
            return pd.Series(np.array(values, dtype=np.int64))
        except OverflowError:
            return None
    try:
        numbers = [math.nan if value is None else float(value) for value in values]  # type: ignore[arg-type]
    except OverflowError:
        return None
    return pd.Series(numbers, dtype="float64")


def _number_series(numbers: list[float], texts: list[str]) -> pd.Series:
    """Keep whole numbers whole where no cell is empty and float64 holds them exactly."""
    whole = all(text.strip().lstrip("+-").isdigit() for text in texts)
    if whole and all(abs(number) < 2**53 for number in numbers):
        return pd.Series(np.array(numbers, dtype=np.int64))
    return pd.Series(numbers, dtype="float64")


def _as_dates(texts: list[str]) -> pd.Series | None:
    """Read ISO 8601 dates and times; a time with an offset is moved to UTC."""
    series = pd.Series([text.replace("/", "-") or None for text in texts], dtype="object")
    parsed = pd.to_datetime(series, format="ISO8601", errors="coerce", utc=True)
    if parsed.isna().sum() != sum(not text for text in texts):
        return None
    return parsed.dt.tz_localize(None)


def unique_names(header: list[str], cleaner: CellCleaner) -> tuple[list[str], tuple[Notice, ...]]:
    """Give every column a name that no other has.

    Args:
        header: Names as the file has them.
        cleaner: Cleans them like cells.

    Returns:
        ``["text", "text (2)", "column 3"]`` for ``["text", "text", ""]``, and a notice when a name was changed.
    """
    taken: set[str] = set()
    names: list[str] = []
    renamed: list[str] = []
    for position, raw in enumerate(header, start=1):
        wanted = " ".join(cleaner.text(raw).split())[:200] or f"column {position}"
        name, copy = wanted, 1
        while name in taken:
            copy += 1
            name = f"{wanted} ({copy})"
        if copy > 1:
            renamed.append(name)
        taken.add(name)
        names.append(name)
    if not renamed:
        return names, ()
    shown = ", ".join(name[:60] for name in renamed[:5])
    return names, (Notice("corpus.columns_renamed", {"count": len(renamed), "names": shown}),)

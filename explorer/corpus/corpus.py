"""The texts of a table, ready to be embedded, with the columns that belong to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from explorer.corpus.cells import CellCleaner, is_number_text
from explorer.corpus.table import ReadLimits, Table
from explorer.errors import CorpusError
from explorer.notices import Notice

ColourKind = Literal["category", "number", "date"]

_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\u061c\u180e\u3164\u2800"
_INVISIBLE_TO_SPACE = str.maketrans(dict.fromkeys(_INVISIBLE, " "))
_TEXT_NAMES = (
    "text", "content", "document", "body", "sentence", "passage", "message", "review", "comment", "abstract",
    "description", "question", "answer", "title", "文本", "内容", "正文", "句子", "评论", "问题", "标题",
)  # fmt: skip
_FEW_VALUES = 30
_SHOWN_COLUMNS = 10
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True)
class Corpus:
    """Texts in order, and what the file said about each.

    Attributes:
        name: What the corpus is called.
        texts: Texts [n], none of them blank.
        columns: All columns of the table [n, columns], row i belonging to text i.
        rows_in: Rows of the file; ``rows_in == len(texts) + dropped`` always.
        dropped: Rows left out by the reader, for a blank text, or as a repetition.
        empty: Rows left out because their text is blank.
        duplicates: Texts that occur before, whether they were kept or left out.
        notices: What the reader and this step have to tell.
    """

    name: str
    texts: tuple[str, ...]
    columns: pd.DataFrame
    rows_in: int
    dropped: int
    empty: int
    duplicates: int
    notices: tuple[Notice, ...]


@dataclass(frozen=True)
class ColourColumn:
    """A column that can colour a map.

    Attributes:
        name: Name of the column.
        kind: ``"category"`` (few different texts), ``"number"`` or ``"date"``.
        values: How many different values it holds.
    """

    name: str
    kind: ColourKind
    values: int


def build_corpus(
    table: Table, text_column: str, name: str = "corpus", keep_duplicates: bool = True
) -> Corpus:
    """Take one column of a table as texts.

    Args:
        table: A file that was read.
        text_column: Name of the column that holds the texts.
        name: What to call the corpus.
        keep_duplicates: Whether a text that occurs before stays in.

    Returns:
        The texts that are not blank, with their rows.

    Raises:
        CorpusError: There is no such column, it holds numbers or dates, or no text is left.
    """
    series = _text_series(table, text_column)
    blank = series.map(is_blank).astype(bool)
    repeated = series.duplicated() & ~blank
    kept = ~blank if keep_duplicates else ~(blank | repeated)
    empty, duplicates = int(blank.sum()), int(repeated.sum())
    if not kept.any():
        raise CorpusError("corpus.no_text_left", column=_shown(text_column), count=len(series))
    counts = (
        ("corpus.texts_empty", empty),
        ("corpus.texts_duplicate" if keep_duplicates else "corpus.duplicates_dropped", duplicates),
    )
    texts = tuple(str(text) for text in series[kept])
    return Corpus(
        name=name,
        texts=texts,
        columns=table.frame[kept].reset_index(drop=True),
        rows_in=table.rows_in,
        dropped=table.rows_in - len(texts),
        empty=empty,
        duplicates=duplicates,
        notices=table.notices + tuple(Notice(key, {"count": count}) for key, count in counts if count),
    )


def is_blank(text: str) -> bool:
    """Say whether nothing of a text can be seen.

    Args:
        text: Any text.

    Returns:
        True when it holds only white space and characters without width.
    """
    return not text or (text.isspace() or not text.translate(_INVISIBLE_TO_SPACE).strip())


def _text_series(table: Table, text_column: str) -> pd.Series:
    """Find the text column, and refuse one that holds no text."""
    if text_column not in table.columns:
        shown = ", ".join(_shown(column) for column in table.columns[:_SHOWN_COLUMNS])
        raise CorpusError("corpus.no_such_column", column=_shown(text_column), columns=shown)
    series = table.frame[text_column]
    if len(series) == 0:
        raise CorpusError("corpus.no_rows")
    kind = _kind(series)
    if kind == "number":
        raise CorpusError("corpus.number_column", column=_shown(text_column))
    if kind == "date":
        raise CorpusError("corpus.date_column", column=_shown(text_column))
    return series


def _shown(column: str) -> str:
    """Shorten a column's name for a sentence."""
    return column if len(column) <= _SHOWN_CHARACTERS else column[: _SHOWN_CHARACTERS - 1] + "…"


def _kind(series: pd.Series) -> Literal["text", "number", "date"]:
    """Say what a column holds; texts that are all numbers count as numbers."""
    if pd.api.types.is_numeric_dtype(series):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(series):
        return "date"
    filled = [text for text in series if not is_blank(text)]
    return "number" if filled and all(map(is_number_text, filled)) else "text"


def guess_text_column(table: Table) -> str | None:
    """Guess which column holds the texts.

    Args:
        table: A file that was read.

    Returns:
        The column of text with the longest cells, those with a telling name counting tenfold; None when every
        column holds numbers or dates.
    """
    best, best_score = None, 0.0
    for column in table.columns:
        series = table.frame[column]
        if _kind(series) != "text":
            continue
        lengths = series.str.len()
        named = any(word in column.lower() for word in _TEXT_NAMES)
        score = (float(lengths.mean()) + 0.01) * float((lengths > 0).mean() + 0.01) * (10.0 if named else 1.0)
        if score > best_score:
            best, best_score = column, score
    return best


def colour_columns(table: Table) -> tuple[ColourColumn, ...]:
    """List the columns that can colour a map, the most telling first.

    Args:
        table: A file that was read.

    Returns:
        Columns with 2 to 30 different texts, the fewest first, then numbers and dates that are not constant.
    """
    found = [
        column for name in table.columns if (column := _colour_column(name, table.frame[name])) is not None
    ]
    categories = sorted(
        (column for column in found if column.kind == "category"), key=lambda column: column.values
    )
    return (*categories, *(column for column in found if column.kind != "category"))


def _colour_column(name: str, series: pd.Series) -> ColourColumn | None:
    """Describe a column as a colour, if it can be one."""
    values = int(series.nunique())
    if values < 2:
        return None
    if pd.api.types.is_numeric_dtype(series):
        return ColourColumn(name, "number", values)
    if pd.api.types.is_datetime64_any_dtype(series):
        return ColourColumn(name, "date", values)
    return ColourColumn(name, "category", values) if values <= _FEW_VALUES and values < len(series) else None


def split_lines(text: str, limits: ReadLimits | None = None) -> list[str]:
    r"""Split pasted text into documents, one a line.

    Args:
        text: Lines that end in ``\n``, ``\r\n`` or ``\r``.
        limits: How many characters a line may keep.

    Returns:
        Lines that are not blank, without white space around them and without control characters.
    """
    cleaner = CellCleaner((limits or ReadLimits()).cell_characters)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cleaned = (cleaner.text(line).strip() for line in lines)
    return [line for line in cleaned if not is_blank(line)]

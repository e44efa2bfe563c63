"""Uploaded files: how they were read, and which column holds the texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from explorer.corpus.corpus import ColourColumn, Corpus, build_corpus, colour_columns, guess_text_column
from explorer.corpus.readers import read_table
from explorer.corpus.table import ReadLimits, Table
from explorer.errors import CorpusError, LimitError
from explorer.notices import Notice
from explorer.service.limits import LIMITS

PREVIEW_ROWS = 5
PREVIEW_CHARACTERS = 160


@dataclass(frozen=True)
class Upload:
    """A file that was read, before anything is computed.

    Attributes:
        columns: Names of all columns.
        text_column: The column that most likely holds the texts, or None.
        colours: Columns that can colour a map, the most telling first.
        first_rows: The first rows as text, one tuple a row.
        format: What the content proved to be.
        encoding: How its bytes were read, or None where the format fixes it.
        rows_in: Rows found.
        rows_kept: Rows that can be used.
        notices: What was repaired, guessed or left out.
    """

    columns: tuple[str, ...]
    text_column: str | None
    colours: tuple[ColourColumn, ...]
    first_rows: tuple[tuple[str, ...], ...]
    format: str
    encoding: str | None
    rows_in: int
    rows_kept: int
    notices: tuple[Notice, ...]


def preview(path: Path) -> Upload:
    """Read a file and describe it.

    Args:
        path: Where the upload was stored by us; its name serves for nothing but a hint in sentences.

    Returns:
        The description.

    Raises:
        CorpusError: The file cannot be read as a table of texts.
        LimitError: It is too large.
    """
    table = read_upload(path)
    rows = table.frame.head(PREVIEW_ROWS).astype(str).itertuples(index=False, name=None)
    return Upload(
        columns=table.columns,
        text_column=guess_text_column(table),
        colours=colour_columns(table),
        first_rows=tuple(tuple(value[:PREVIEW_CHARACTERS] for value in row) for row in rows),
        format=table.format,
        encoding=table.encoding,
        rows_in=table.rows_in,
        rows_kept=table.rows_kept,
        notices=table.notices,
    )


def read_upload(path: Path) -> Table:
    """Read a file within the limits.

    Args:
        path: Where the upload was stored by us.

    Returns:
        Its table.

    Raises:
        CorpusError: The file cannot be read as a table of texts.
        LimitError: It is too large.
    """
    if not path.is_file():
        raise CorpusError("service.upload_gone")
    size = path.stat().st_size
    if size > LIMITS.upload_bytes:
        raise LimitError("service.upload_large", count=size, limit=LIMITS.upload_bytes)
    return read_table(path.read_bytes(), path.name, ReadLimits(bytes=LIMITS.upload_bytes))


def read_texts(path: Path, text_column: str | None) -> Corpus:
    """Read a file's texts.

    Args:
        path: Where the upload was stored by us.
        text_column: Which column; the likeliest when None.

    Returns:
        The corpus.

    Raises:
        CorpusError: The file or the column holds no texts.
        LimitError: The file is too large.
    """
    table = read_upload(path)
    column = text_column or guess_text_column(table)
    if column is None:
        raise CorpusError("service.no_text_column", columns=", ".join(table.columns[:10]))
    return build_corpus(table, column, name=path.stem)

"""What a file is read into, and how much of it is accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from explorer.notices import Notice

Format = Literal["csv", "tsv", "json", "jsonl", "parquet", "xlsx", "txt"]


@dataclass(frozen=True)
class ReadLimits:
    """How much one file may hold.

    Attributes:
        bytes: Size of the file.
        rows: Rows below the header.
        columns: Columns.
        cells: Rows times columns, which bounds the memory that short cells take.
        cell_characters: Characters of one cell; what is longer is cut and counted.
        decompressed_bytes: Size of the contents of a compressed format (XLSX, Parquet).
        compression_ratio: How many times larger than the file its contents may be.
        ratio_floor_bytes: Contents up to this size are read whatever their ratio.
    """

    bytes: int = 50 * 10**6
    rows: int = 200_000
    columns: int = 1_000
    cells: int = 5_000_000
    cell_characters: int = 100_000
    decompressed_bytes: int = 500 * 10**6
    compression_ratio: int = 100
    ratio_floor_bytes: int = 20 * 10**6

    def most_contents(self, size: int) -> int:
        """Say how much a file may unpack to.

        Args:
            size: Bytes of the file.

        Returns:
            Bytes or characters.
        """
        return min(self.decompressed_bytes, max(self.ratio_floor_bytes, self.compression_ratio * size))


@dataclass(frozen=True)
class RawTable:
    """Cells as a format's reader found them, before they are cleaned and typed.

    Attributes:
        header: Column names, not yet unique.
        columns: One list of Python values a column, all of the length ``rows_in - rows_dropped``.
        rows_in: Rows found in the file.
        rows_dropped: Rows that could not be used.
        separator: What stands between two cells, in delimited text.
        typed: Whether the format itself tells numbers from text.
        notices: What the reader had to decide.
    """

    header: list[str]
    columns: list[list[object]]
    rows_in: int
    rows_dropped: int = 0
    separator: str | None = None
    typed: bool = True
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Table:
    """A file as columns of text, numbers and dates.

    Attributes:
        columns: Unique column names, in the file's order.
        frame: The cells [rows_kept, len(columns)]; text columns hold ``""`` for an empty cell, never NaN.
        encoding: How bytes were read as characters; None where the format fixes it.
        separator: What stands between two cells; None unless the text is delimited.
        format: What the content proved to be, whatever the file was called.
        rows_in: Rows found, without blank lines.
        rows_kept: Rows in ``frame``; ``rows_in == rows_kept + rows_dropped`` always.
        rows_dropped: Rows left out, each kind told in ``notices``.
        notices: Everything that was repaired, guessed or left out.
    """

    columns: tuple[str, ...]
    frame: pd.DataFrame
    encoding: str | None
    separator: str | None
    format: Format
    rows_in: int
    rows_kept: int
    rows_dropped: int
    notices: tuple[Notice, ...]

"""XLSX (ISO/IEC 29500): the first sheet with cells, read row by row after the zip directory has been checked."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

from openpyxl import load_workbook

from explorer.corpus.bombs import refuse_bomb
from explorer.corpus.table import RawTable, ReadLimits
from explorer.errors import CorpusError
from explorer.notices import Notice

_PROLOGUE_BYTES = 4_096


def read_workbook(data: bytes, limits: ReadLimits) -> RawTable:
    """Read a workbook's first sheet that is not empty. Its first row names the columns.

    Args:
        data: The whole file.
        limits: How much to accept, checked in the zip directory before anything is unpacked and again while reading.

    Returns:
        Columns of Python values; formulas give the value last calculated.

    Raises:
        CorpusError: The file is damaged, or holds more than the limits allow.
    """
    try:
        _check_directory(data, limits)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            try:
                return _first_sheet(book, limits)
            finally:
                book.close()
    except CorpusError:
        raise
    except Exception as error:
        raise CorpusError("corpus.damaged", kind="XLSX") from error


def _check_directory(data: bytes, limits: ReadLimits) -> None:
    """Refuse by declared sizes, and refuse parts with a document type, which spreadsheets never have.

    Reading a part stops at its declared size, so that a false declaration cannot unpack more.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        refuse_bomb(sum(part.file_size for part in parts), len(data), limits)
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                with archive.open(part) as stream:
                    if b"<!DOCTYPE" in stream.read(_PROLOGUE_BYTES):
                        raise CorpusError("corpus.damaged", kind="XLSX")


def _first_sheet(book: Any, limits: ReadLimits) -> RawTable:  # noqa: ANN401
    """Read the first sheet in which a cell is filled."""
    for sheet in book.worksheets:
        sheet.reset_dimensions()
        rows = _filled_rows(sheet, limits)
        header = next(rows, None)
        if header is None:
            continue
        notices: tuple[Notice, ...] = ()
        if len(book.worksheets) > 1:
            notices = (Notice("corpus.sheets_ignored", {"sheet": str(sheet.title)[:60]}),)
        return _collect(header, rows, limits, notices)
    raise CorpusError("corpus.empty_file")


def _filled_rows(sheet: Any, limits: ReadLimits) -> Iterator[list[object]]:  # noqa: ANN401
    """Give a sheet's rows without empty ones and without empty cells at their ends."""
    for position, row in enumerate(sheet.iter_rows(values_only=True)):
        if position > limits.rows:
            raise CorpusError("corpus.too_many_rows", limit=limits.rows)
        cells = list(row)
        while cells and cells[-1] in (None, ""):
            cells.pop()
        if len(cells) > limits.columns:
            raise CorpusError("corpus.too_many_columns", columns=len(cells), limit=limits.columns)
        if cells:
            yield cells


def _collect(
    header: list[object], rows: Iterator[list[object]], limits: ReadLimits, notices: tuple[Notice, ...]
) -> RawTable:
    """Gather rows as columns; a cell beyond the header gets a column of its own."""
    records = list(_bounded(rows, limits))
    width = max([len(header), *map(len, records)])
    if width * len(records) > limits.cells:
        raise CorpusError("corpus.too_many_rows", limit=limits.cells // width)
    names = ["" if name is None else str(name) for name in header] + [""] * (width - len(header))
    columns: list[list[object]] = [
        [record[index] if index < len(record) else None for record in records] for index in range(width)
    ]
    return RawTable(names, columns, len(records), notices=notices)


def _bounded(rows: Iterator[list[object]], limits: ReadLimits) -> Iterator[list[object]]:
    """Pass rows on until their filled cells exceed the limit."""
    cells = 0
    for record in rows:
        cells += len(record)
        if cells > limits.cells:
            raise CorpusError("corpus.too_many_cells", limit=limits.cells)
        yield record

"""Texts of a Parquet file, or of a folder of them, read a little at a time however large it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from explorer.errors import CorpusError, InputError

_BATCH_ROWS = 1_024
_BUFFER_BYTES = 1 << 20

Batches = Iterator[Any]


@dataclass(frozen=True)
class ParquetSource:
    """Parquet files of one schema, read as one table from the first row of the first file to the last of the last.

    Attributes:
        name: Name of the file or folder, for a reader.
        files: The files, in the order of their names.
        rows: Rows of each file.
        schema: Their pyarrow schema.
        digest: Changes whenever a file does: a hash of each file's size and footer, which holds the position, size
            and extremes of every column chunk.
    """

    name: str
    files: tuple[Path, ...]
    rows: tuple[int, ...]
    schema: Any
    digest: str

    def __len__(self) -> int:
        """Count the rows."""
        return sum(self.rows)

    def require_columns(self, columns: Sequence[str]) -> None:
        """Make sure that columns exist.

        Args:
            columns: Their names.

        Raises:
            InputError: One does not; the message lists those that do.
        """
        for column in columns:
            if column not in self.schema.names:
                raise InputError(
                    "embed_corpus.no_column", column=column, columns=", ".join(self.schema.names)
                )

    def require_texts(self, column: str) -> None:
        """Make sure that a column exists and holds text.

        Args:
            column: Its name.

        Raises:
            InputError: It does not.
        """
        self.require_columns([column])
        kind = self.schema.field(column).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
            raise InputError("embed_corpus.not_text", column=column, kind=str(kind))

    def texts(self, column: str, start: int = 0) -> Iterator[list[str | None]]:
        """Read one column's texts.

        Args:
            column: Its name.
            start: Rows to leave out at the beginning.

        Yields:
            Neighbouring texts, None where there is none.

        Raises:
            CorpusError: A file is damaged.
        """
        for batch in self._batches([column], start):
            yield texts_of(batch.column(0))

    def tables(self, columns: Sequence[str], rows: int) -> Batches:
        """Read whole columns in tables of a fixed size.

        Args:
            columns: Their names.
            rows: Rows of each table; the last may have fewer.

        Yields:
            pyarrow tables.

        Raises:
            CorpusError: A file is damaged.
        """
        schema = pa.schema([self.schema.field(column) for column in columns])
        held: list[Any] = []
        count = 0
        for batch in self._batches(columns, 0):
            while count + batch.num_rows >= rows:
                room = rows - count
                yield pa.Table.from_batches([*held, batch.slice(0, room)], schema)
                batch, held, count = batch.slice(room), [], 0
            held.append(batch)
            count += batch.num_rows
        if count:
            yield pa.Table.from_batches(held, schema)

    def _batches(self, columns: Sequence[str], start: int) -> Batches:
        """Read record batches from a row on, without reading what lies before its row group."""
        for file, rows in zip(self.files, self.rows, strict=True):
            if start >= rows:
                start -= rows
                continue
            for batch in _read(file, columns, start):
                # Metadata of a file's own schema, such as that of pandas, differs from file to file.
                yield batch.replace_schema_metadata(None)
            start = 0


def open_source(path: Path) -> ParquetSource:
    """Look at the footers of a Parquet file or of a folder's Parquet files.

    Args:
        path: A file, or a folder whose own ``*.parquet`` files are read; those whose names begin with a dot or an
            underscore are left out, as all Parquet readers do.

    Returns:
        The source.

    Raises:
        InputError: There is no such file, or no Parquet file in the folder.
        CorpusError: A file is damaged, or their columns differ.
    """
    files = [path] if path.is_file() else sorted(path.glob("*.parquet"))
    files = [file for file in files if file == path or file.name[0] not in "._"]
    if not files:
        raise InputError("embed_corpus.no_source", source=str(path))
    digest = hashlib.blake2b(digest_size=16)
    rows: list[int] = []
    schema: Any = None
    for file in files:
        try:
            digest.update(_footer(file))
            footer = pq.read_metadata(file)
            found = footer.schema.to_arrow_schema()
        except (OSError, ValueError, pa.ArrowException) as error:
            raise CorpusError("embed_corpus.not_parquet", file=file.name) from error
        schema = found if schema is None else schema
        if not found.equals(schema, check_metadata=False):
            raise CorpusError("embed_corpus.other_columns", file=file.name, first=files[0].name)
        rows.append(footer.num_rows)
    return ParquetSource(path.name, tuple(files), tuple(rows), schema, digest.hexdigest())


def texts_of(array: Any) -> list[str | None]:  # noqa: ANN401
    """Convert a column of text; broken UTF-8, which some writers let pass, is shown as such.

    Args:
        array: pyarrow array or chunked array of text.

    Returns:
        The texts, None where there is none.
    """
    try:
        texts: list[str | None] = array.to_pylist()
    except UnicodeDecodeError:
        cells = array.cast(pa.large_binary()).to_pylist()
        texts = [None if cell is None else cell.decode("utf-8", "replace") for cell in cells]
    return texts


def _read(file: Path, columns: Sequence[str], start: int) -> Batches:
    """Read one file's batches from a row on."""
    try:
        # Without these two, pyarrow holds the whole column chunk, which for most writers is the whole file.
        reader = pq.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False)
        groups = list(range(reader.metadata.num_row_groups))
        while start >= reader.metadata.row_group(groups[0]).num_rows:
            start -= reader.metadata.row_group(groups.pop(0)).num_rows
        for batch in reader.iter_batches(_BATCH_ROWS, groups, list(columns), use_threads=False):
            skipped = min(start, batch.num_rows)
            start -= skipped
            if skipped < batch.num_rows:
                yield batch.slice(skipped)
    except (OSError, pa.ArrowException) as error:
        raise CorpusError("embed_corpus.not_parquet", file=file.name) from error


def _footer(file: Path) -> bytes:
    """Read the size of a file and its footer, which the last eight bytes give the length of."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        stream.seek(max(0, size - 8))
        length = int.from_bytes(stream.read(4), "little")
        stream.seek(max(0, size - 8 - length))
        return size.to_bytes(8, "little") + stream.read(length)

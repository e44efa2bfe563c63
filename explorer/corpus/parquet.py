"""Apache Parquet: sizes are checked in the footer, and repeated texts stay shared in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from explorer.corpus.bombs import refuse_bomb
from explorer.corpus.table import RawTable, ReadLimits
from explorer.errors import CorpusError

_FOOTER_BYTES = 10 * 10**6
_BATCH_ROWS = 2_048


def read_parquet(data: bytes, limits: ReadLimits) -> RawTable:
    """Read a Parquet file.

    Args:
        data: The whole file.
        limits: How much to accept, checked in the footer before anything is decoded and again while decoding.

    Returns:
        Columns of Python values.

    Raises:
        CorpusError: The file is damaged, or holds more than the limits allow.
    """
    try:
        return _read(data, limits)
    except CorpusError:
        raise
    except Exception as error:
        raise CorpusError("corpus.damaged", kind="Parquet") from error


def _read(data: bytes, limits: ReadLimits) -> RawTable:
    """Check the footer, then decode batch by batch."""
    reader = pa.BufferReader(data)
    footer = pq.read_metadata(reader)
    _check_footer(footer, len(data), limits)
    reader.seek(0)
    source = pq.ParquetFile(
        reader,
        metadata=footer,
        read_dictionary=_text_columns(pq.ParquetFile(reader, metadata=footer).schema_arrow),
        thrift_string_size_limit=_FOOTER_BYTES,
        thrift_container_size_limit=_FOOTER_BYTES,
    )
    names = [str(name) for name in source.schema_arrow.names]
    columns: list[list[object]] = [[] for _ in names]
    decoded = 0
    for batch in source.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
        for cells, array in zip(columns, batch.columns, strict=True):
            decoded += _decoded_bytes(array)
            refuse_bomb(decoded, len(data), limits)
            cells.extend(_python_values(array))
    return RawTable(names, columns, footer.num_rows)


def _check_footer(footer: Any, size: int, limits: ReadLimits) -> None:  # noqa: ANN401
    """Refuse by what the footer declares."""
    width = footer.num_columns
    if width > limits.columns:
        raise CorpusError("corpus.too_many_columns", columns=width, limit=limits.columns)
    most_rows = min(limits.rows, limits.cells // max(width, 1))
    if footer.num_rows > most_rows:
        raise CorpusError("corpus.too_many_rows", limit=most_rows)
    contents = 0
    for group in range(footer.num_row_groups):
        chunks = footer.row_group(group)
        contents += sum(max(chunks.column(index).total_uncompressed_size, 0) for index in range(width))
        refuse_bomb(contents, size, limits)


def _text_columns(schema: Any) -> list[str]:  # noqa: ANN401
    """Name the text columns, which are read as dictionaries so that an equal text is kept once."""
    return [
        field.name
        for field in schema
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    ]


def _decoded_bytes(array: Any) -> int:  # noqa: ANN401
    """Measure what an array's cells take when each is written out."""
    if not pa.types.is_dictionary(array.type):
        return int(array.nbytes)
    lengths = pc.fill_null(pc.binary_length(array.dictionary), 0).to_numpy(zero_copy_only=False)
    indices = pc.drop_null(array.indices).to_numpy(zero_copy_only=False)
    return int(np.asarray(lengths, dtype=np.int64)[indices].sum()) + int(array.indices.nbytes)


def _python_values(array: Any) -> list[object]:  # noqa: ANN401
    """Convert an array to Python values, one object for equal texts."""
    if not pa.types.is_dictionary(array.type):
        return list(array.to_pylist())
    shared = array.dictionary.to_pylist()
    return [None if index is None else shared[index] for index in array.indices.to_pylist()]

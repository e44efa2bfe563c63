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
from explorer.notices import Notice

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
    bounds = {"thrift_string_size_limit": _FOOTER_BYTES, "thrift_container_size_limit": _FOOTER_BYTES}
    footer = pq.ParquetFile(reader, **bounds).metadata
    _check_footer(footer, len(data), limits)
    schema = footer.schema.to_arrow_schema()
    kept = [index for index, field in enumerate(schema) if not _is_left_out(field.type)]
    texts = [schema.field(index).name for index in kept if _is_text(schema.field(index).type)]
    source = pq.ParquetFile(reader, read_dictionary=texts, **bounds)
    names = [str(schema.field(index).name) for index in kept]
    columns: list[list[object]] = [[] for _ in kept]
    decoded = 0
    for batch in source.iter_batches(batch_size=_BATCH_ROWS, columns=names, use_threads=False):
        for cells, array in zip(columns, batch.columns, strict=True):
            decoded += _decoded_bytes(array)
            refuse_bomb(decoded, len(data), limits)
            cells.extend(_python_values(array))
    left_out = [str(field.name)[:60] for field in schema if _is_left_out(field.type)]
    notices = (Notice("corpus.columns_left_out", {"count": len(left_out), "names": ", ".join(left_out[:5])}),)
    return RawTable(names, columns, footer.num_rows, notices=notices if left_out else ())


def _is_left_out(kind: Any) -> bool:  # noqa: ANN401
    """Say whether a column holds lists, records or binary data, which are neither texts nor colours.

    Lists of a few bytes in the file can stand for gigabytes in memory, which the footer does not tell.
    """
    binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    return bool(binary or pa.types.is_nested(kind))


def _is_text(kind: Any) -> bool:  # noqa: ANN401
    """Say whether a column holds text, which is read as a dictionary so that equal texts are kept once."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


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


def _decoded_bytes(array: Any) -> int:  # noqa: ANN401
    """Measure what an array's cells take when each is written out."""
    if not pa.types.is_dictionary(array.type):
        return int(array.nbytes)
    used, counts = np.unique(pc.drop_null(array.indices).to_numpy(zero_copy_only=False), return_counts=True)
    lengths = pc.fill_null(pc.binary_length(array.dictionary.take(pa.array(used))), 0).to_numpy(
        zero_copy_only=False
    )
    return int((lengths.astype(np.int64) * counts).sum()) + int(array.indices.nbytes)


def _python_values(array: Any) -> list[object]:  # noqa: ANN401
    """Convert an array to Python values, one object for equal texts."""
    if not pa.types.is_dictionary(array.type):
        return list(array.to_pylist())
    indices = array.indices.to_pylist()
    used = sorted({index for index in indices if index is not None})
    shared = dict(zip(used, array.dictionary.take(pa.array(used, pa.int64())).to_pylist(), strict=True))
    return [shared.get(index) for index in indices]

"""Vectors in Parquet files: a fixed-size list a row, null where there is no text, with what made them beside them."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from explorer.corpus.whole_file import whole_path
from explorer.provenance import Provenance

VectorFormat = Literal["float32", "float16"]
VECTOR_FORMATS: tuple[VectorFormat, ...] = get_args(VectorFormat)

VECTOR = "vector"
"""Name of the column."""

_RECORD = b"explorer.embedding"
_COUNTS = b"explorer.counts"


@dataclass(frozen=True)
class VectorRecord:
    """How the vectors of a file were made. Runs with equal records can go on from each other.

    Attributes:
        source: Name of the file or folder with the texts; another name does not make another record.
        source_digest: Of its content, see :class:`explorer.corpus.parquet_source.ParquetSource`.
        rows: Its rows.
        column: The texts.
        instruction: The task, or None for documents.
        max_length: Longest input in tokens; 0 when not known.
        dimensions: Length of each vector.
        format: Number format of the vectors.
        part_rows: Rows of one part while the file is being made, and of one row group of it.
        provenance: Model, dtype, device and attention.
    """

    source: str = dataclasses.field(compare=False)
    source_digest: str
    rows: int
    column: str
    instruction: str | None
    max_length: int
    dimensions: int
    format: VectorFormat
    part_rows: int
    provenance: Provenance

    @classmethod
    def from_json(cls, text: str | bytes) -> VectorRecord:
        """Read what :meth:`to_json` wrote.

        Args:
            text: JSON.

        Returns:
            The record.

        Raises:
            ValueError: It is not the JSON of a record.
        """
        values = json.loads(text)
        try:
            return cls(**values | {"provenance": Provenance(**values["provenance"])})
        except (TypeError, KeyError) as error:
            raise ValueError("not a record of vectors") from error

    def to_json(self) -> str:
        """Write the record as JSON."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)

    def differences(self, other: VectorRecord) -> str:
        """Say what another record has in place of this one's values.

        Args:
            other: The other record.

        Returns:
            ``name: this one's value -> the other's``, with commas; empty when the records are equal.
        """
        mine, theirs = self._compared(), other._compared()
        changed = [name for name in mine if mine[name] != theirs[name]]
        return ", ".join(f"{name}: {mine[name]} -> {theirs[name]}" for name in changed)

    def _compared(self) -> dict[str, object]:
        values: dict[str, object] = dataclasses.asdict(self.provenance)
        names = [field.name for field in dataclasses.fields(self) if field.compare]
        return values | {name: getattr(self, name) for name in names if name != "provenance"}


@dataclass(frozen=True)
class VectorCounts:
    """What the rows of a file held.

    Attributes:
        empty: Rows without a text, whose vector is null.
        cut: Texts that were longer than the model reads; 0 where a server did not say.
    """

    empty: int = 0
    cut: int = 0

    def __add__(self, other: VectorCounts) -> VectorCounts:
        """Add up the counts of two files."""
        return VectorCounts(self.empty + other.empty, self.cut + other.cut)


@dataclass(frozen=True)
class VectorFile:
    """What a file of vectors says about itself.

    Attributes:
        record: How the vectors were made.
        counts: What the rows held; None where the file does not say.
        columns: The columns beside the vectors.
    """

    record: VectorRecord
    counts: VectorCounts | None
    columns: tuple[str, ...]


def vector_schema(
    others: Any,  # noqa: ANN401
    record: VectorRecord,
    counts: VectorCounts | None = None,
) -> Any:  # noqa: ANN401
    """Describe a file of vectors.

    Args:
        others: pyarrow schema of the columns beside the vectors.
        record: How the vectors were made.
        counts: What the rows held, when that is known.

    Returns:
        The pyarrow schema, the vectors last; their record and counts are in its metadata.
    """
    element = pa.from_numpy_dtype(np.dtype(record.format))
    metadata = {**(others.metadata or {}), _RECORD: record.to_json()}
    if counts is not None:
        metadata[_COUNTS] = json.dumps(dataclasses.asdict(counts))
    return others.append(pa.field(VECTOR, pa.list_(element, record.dimensions))).with_metadata(metadata)


def vector_array(vectors: npt.NDArray[np.floating[Any]], present: npt.NDArray[np.bool_]) -> Any:  # noqa: ANN401
    """Turn vectors into a column.

    Args:
        vectors: float32 or float16 [n, d].
        present: Which rows have a vector, bool [n]; the others become null.

    Returns:
        pyarrow array of fixed-size lists.
    """
    return pa.FixedSizeListArray.from_arrays(
        pa.array(vectors.reshape(-1)), vectors.shape[1], mask=pa.array(~present)
    )


def read_record(file: Path) -> VectorFile | None:
    """Read how the vectors of a file were made.

    Args:
        file: Any file.

    Returns:
        What the file says, or None when it is not a whole file of vectors.
    """
    try:
        schema = pq.read_schema(file)
        record = VectorRecord.from_json(schema.metadata[_RECORD])
        counted = schema.metadata.get(_COUNTS)
        counts = None if counted is None else VectorCounts(**json.loads(counted))
        return VectorFile(record, counts, tuple(schema.names[:-1]))
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None


@contextmanager
def vector_writer(place: Path, schema: Any, folder: Path) -> Iterator[Any]:  # noqa: ANN401
    """Write a file of vectors that is whole, and on the disk, whenever it is there.

    Vectors are written without a dictionary and statistics, which would cost time for nothing.

    Args:
        place: The file.
        schema: From :func:`vector_schema`.
        folder: Where it is written until it is whole, on the same disk.

    Yields:
        A ``pyarrow.parquet.ParquetWriter``; each table written becomes a row group.

    Raises:
        InputError: The disk is full, or the file cannot be written; what stood there before still does.
    """
    others = [path for path in _leaves(schema) if not path.startswith(f"{VECTOR}.")]
    options = {"compression": "zstd", "use_dictionary": others, "write_statistics": others}
    with whole_path(place, folder) as unfinished, pq.ParquetWriter(unfinished, schema, **options) as writer:
        yield writer


def _leaves(schema: Any) -> list[str]:  # noqa: ANN401
    """List the paths by which Parquet knows the columns, those within lists and records each for itself."""
    written = io.BytesIO()
    pq.write_table(schema.empty_table(), written)
    columns = pq.ParquetFile(written).schema
    return [columns.column(index).path for index in range(len(columns.names))]

"""Embed a corpus of any size from file to file: memory stays bounded, and a run that was killed goes on.

The texts are read a little at a time and embedded in one continuous stream; their vectors are written in parts beside
the file to come (:mod:`explorer.corpus.vector_parts`). At the end the source is read once more, and its columns and
the parts are put together into one file.
"""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from explorer.corpus.parquet_source import ParquetSource, open_source
from explorer.corpus.vector_file import VectorCounts, VectorRecord, read_record, vector_schema, vector_writer
from explorer.corpus.vector_parts import VectorParts, open_parts, remove_parts
from explorer.engine.text_embedder import TextEmbedder
from explorer.engine.vectors import truncate
from explorer.errors import CorpusError, InputError
from explorer.progress import CancelToken, Progress
from explorer.service.embed_corpus_request import (
    EmbedCorpusRequest,
    checked_source,
    holds_text,
    kept_columns,
    record_of,
)

EMBEDDING = "embed_corpus.stage_embedding"
JOINING = "embed_corpus.stage_joining"
DONE = "embed_corpus.stage_done"


@dataclass(frozen=True)
class EmbeddedCorpus:
    """A corpus with its vectors.

    Attributes:
        out: The file, with a column ``vector`` after the others.
        record: How the vectors were made.
        counts: Rows without a text, whose vector is null, and texts that were cut.
    """

    out: Path
    record: VectorRecord
    counts: VectorCounts


def embed_corpus(
    embedder: TextEmbedder, request: EmbedCorpusRequest, *, cancel: CancelToken | None = None
) -> Generator[Progress[EmbeddedCorpus], None, None]:
    """Embed a corpus from file to file.

    The same request after a kill, a crash or a full disk goes on after the last whole part. When the file is already
    there and was made by the same request, that is the result.

    Args:
        embedder: The model, best from :func:`explorer.service.embed_corpus_request.job_embedder`, or a server.
        request: What to embed and where to.
        cancel: Stops between batches; closing the generator does so too. Whole parts are kept.

    Yields:
        Steps in rows, first of embedding, beginning at the row where it goes on, then of putting the file together;
        the last with the result.

    Raises:
        InputError: The source, a column or a number cannot be used; the file is another job's; the disk is full. The
            message says what to do.
        CorpusError: A file is damaged.
        OutOfMemoryError: One text alone does not fit the device.
        Cancelled: The person asked to stop.
    """
    source = checked_source(request)
    record = record_of(embedder, request, source)
    parts_folder = request.out.with_name(f"{request.out.name}.parts")
    counts = _made_before(request, source, record)
    if counts is None:
        with open_parts(parts_folder, record) as parts:
            yield Progress(parts.start, len(source), EMBEDDING)
            _check_room(request.out, record, parts.start)
            yield from _embed(embedder, source, parts, record, cancel)
            counts = yield from _join(request, record, parts, cancel)
    remove_parts(parts_folder)
    yield Progress(len(source), len(source), DONE, EmbeddedCorpus(request.out, record, counts))


class _Feed:
    """The texts of a source that hold something, with the rows that they came from."""

    def __init__(self, source: ParquetSource, column: str, start: int) -> None:
        """Read nothing yet."""
        self._source = source
        self._column = column
        self._start = start
        self._rows: deque[int] = deque()

    def __iter__(self) -> Iterator[str]:
        """Read on."""
        row = self._start
        for texts in self._source.texts(self._column, self._start):
            for text in texts:
                if holds_text(text):
                    self._rows.append(row)
                    yield text
                row += 1

    def rows_of(self, count: int) -> npt.NDArray[np.int64]:
        """Give the rows of the oldest texts that were read and not yet asked for, int64 [count]."""
        return np.array([self._rows.popleft() for _ in range(count)], np.int64)


def _embed(
    embedder: TextEmbedder,
    source: ParquetSource,
    parts: VectorParts,
    record: VectorRecord,
    cancel: CancelToken | None,
) -> Generator[Progress[EmbeddedCorpus], None, None]:
    """Embed the rows that are in no part yet."""
    feed = _Feed(source, record.column, parts.start)
    for batch in embedder.stream_in_order(feed, record.instruction, cancel=cancel):
        rows = feed.rows_of(len(batch.indices))
        parts.add(rows, truncate(batch.vectors, record.dimensions), batch.cut_tokens > 0)
        yield Progress(int(rows[-1]) + 1, record.rows, EMBEDDING)
    parts.finish()


def _join(
    request: EmbedCorpusRequest,
    record: VectorRecord,
    parts: VectorParts,
    cancel: CancelToken | None,
) -> Generator[Progress[EmbeddedCorpus], None, VectorCounts]:
    """Put the source's columns and the parts together, a part at a time."""
    source = open_source(request.source)
    if source.digest != record.source_digest:
        raise CorpusError("embed_corpus.source_changed", source=source.name)
    columns = kept_columns(request, source)
    fields = [source.schema.field(column) for column in columns]
    counts = parts.counts()
    schema = vector_schema(pa.schema(fields, source.schema.metadata), record, counts)
    done = 0
    with vector_writer(request.out, schema, parts.folder) as writer:
        for table, vectors in zip(source.tables(columns, record.part_rows), parts.vectors(), strict=True):
            if cancel:
                cancel.raise_if_cancelled()
            writer.write_table(pa.Table.from_arrays([*table.columns, vectors], schema=schema))
            done += len(table)
            yield Progress(done, record.rows, JOINING)
    return counts


def _made_before(
    request: EmbedCorpusRequest, source: ParquetSource, record: VectorRecord
) -> VectorCounts | None:
    """Look whether the file is there already; one that this request did not make is not touched."""
    if not request.out.exists():
        return None
    found = read_record(request.out)
    if found is None or found.counts is None:
        raise InputError("embed_corpus.out_taken", file=request.out.name)
    if found.record != record or list(found.columns) != kept_columns(request, source):
        raise InputError("embed_corpus.out_taken", file=request.out.name)
    return found.counts


def _check_room(out: Path, record: VectorRecord, start: int) -> None:
    """Refuse to begin what the disk cannot hold: the parts to come, and all vectors once more in the file."""
    vectors = 2 * record.rows - start
    needed = vectors * record.dimensions * np.dtype(record.format).itemsize
    free = shutil.disk_usage(out.parent).free
    if needed > free:
        raise InputError("embed_corpus.disk_small", needed=needed / 1e9, free=free / 1e9)

"""What to embed from file to file, checked before anything long begins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeGuard

from explorer.corpus.parquet_source import ParquetSource, open_source
from explorer.corpus.vector_file import VECTOR, VECTOR_FORMATS, VectorFormat, VectorRecord
from explorer.engine.embedder import Embedder
from explorer.engine.store.cache import VectorCache
from explorer.engine.text_embedder import TextEmbedder
from explorer.engine.vectors import checked_dimensions
from explorer.errors import InputError
from explorer.models.loading import load_model
from explorer.progress import CancelToken, LoadProgress
from explorer.service.limits import checked_instruction
from explorer.settings import Settings

CACHE_BYTES = 32 << 20
"""Vectors that a job remembers, so that a text that comes again soon is not computed again."""


@dataclass(frozen=True)
class EmbedCorpusRequest:
    """What to embed and where to.

    Attributes:
        source: A Parquet file, or a folder of them with the same columns.
        column: The texts. They are embedded exactly as they stand there.
        out: The Parquet file to write.
        instruction: The task, which makes the texts queries; None for documents.
        dimensions: How many leading dimensions to keep before the rows are scaled to length one; None for all.
        format: Number format of the vectors in the file.
        keep: Columns that go with the vectors; all of them when empty.
        part_rows: Rows that are written at once, and that are lost at most when the run is killed.
    """

    source: Path
    column: str
    out: Path
    instruction: str | None = None
    dimensions: int | None = None
    format: VectorFormat = "float32"
    keep: tuple[str, ...] = ()
    part_rows: int = 4096


def job_embedder(
    settings: Settings,
    *,
    reproducible: bool = False,
    progress: LoadProgress | None = None,
    cancel: CancelToken | None = None,
) -> Embedder:
    """Load the embedding model for a job of many texts, with a small memory of its own.

    Args:
        settings: Which model, where and how.
        reproducible: Whether a text's vector must not depend on its neighbours, to the last bit; slower.
        progress: Called with (stage, bytes done, bytes in all) while it is loaded.
        cancel: Stops the loading.

    Returns:
        The model.

    Raises:
        ModelLoadError: It cannot be found, read or used.
        OutOfMemoryError: The device has no room.
        Cancelled: The person asked to stop.
    """
    loaded = load_model(
        settings.embedding,
        "embedding",
        settings.device,
        settings.dtype,
        accelerate=settings.accelerate,
        offline=settings.offline,
        progress=progress,
        cancel=cancel,
    )
    return Embedder(loaded, VectorCache(CACHE_BYTES), reproducible=reproducible)


def checked_source(request: EmbedCorpusRequest) -> ParquetSource:
    """Check everything about a request that does not take a model.

    Args:
        request: What to embed and where to.

    Returns:
        The source.

    Raises:
        InputError: The source, a column or a number cannot be used.
        CorpusError: A file is damaged.
    """
    if request.format not in VECTOR_FORMATS:
        raise InputError("embed_corpus.format", format=request.format, formats=", ".join(VECTOR_FORMATS))
    if request.part_rows < 1:
        raise InputError("embed_corpus.part_rows", rows=request.part_rows)
    source = open_source(request.source)
    source.require_texts(request.column)
    source.require_columns(request.keep)
    if VECTOR in kept_columns(request, source):
        raise InputError("embed_corpus.vector_taken", column=VECTOR)
    if request.source.is_dir() and request.out.resolve().parent == request.source.resolve():
        raise InputError("embed_corpus.out_in_source", folder=request.source.name)
    return source


def kept_columns(request: EmbedCorpusRequest, source: ParquetSource) -> list[str]:
    """List the columns that go with the vectors, in the source's order."""
    return [name for name in source.schema.names if not request.keep or name in request.keep]


def holds_text(text: str | None) -> TypeGuard[str]:
    """Tell whether there is anything to embed; the vector of a row without is null."""
    return bool(text and not text.isspace())


def record_of(embedder: TextEmbedder, request: EmbedCorpusRequest, source: ParquetSource) -> VectorRecord:
    """Write down how the vectors of a request are made.

    Args:
        embedder: The model.
        request: What to embed.
        source: Where from.

    Returns:
        The record, which names the kind of device without its number.

    Raises:
        InputError: ``dimensions`` is out of range, or the instruction is too long.
    """
    dimensions = checked_dimensions(request.dimensions, embedder.dimensions)
    provenance = embedder.provenance
    return VectorRecord(
        source=source.name,
        source_digest=source.digest,
        rows=len(source),
        column=request.column,
        instruction=checked_instruction(request.instruction),
        max_length=embedder.max_length,
        dimensions=dimensions,
        format=request.format,
        part_rows=request.part_rows,
        provenance=replace(provenance, device=provenance.device.partition(":")[0]),
    )

"""The same job past one machine: a Ray Data pipeline over the same :class:`Embedder`.

Ray reads the texts, hands them to as many workers as there are GPUs, each with the model in memory, writes what they
give back, and starts anything again that was on a machine that died. Source and result must be where every machine
sees them, and so must this program and the model. Ray is optional: ``pip install "ray[data]"``.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from explorer.corpus.parquet_source import ParquetSource, texts_of
from explorer.corpus.vector_file import VectorRecord, read_record, vector_array, vector_schema
from explorer.engine.vectors import truncate
from explorer.errors import CorpusError, ExplorerError, InputError
from explorer.service.embed_corpus_request import (
    EmbedCorpusRequest,
    checked_source,
    holds_text,
    job_embedder,
    kept_columns,
    record_of,
)
from explorer.settings import ROOT, Settings

LOCAL = "local"
"""The address that starts Ray on this machine, for this job only, reached from nowhere else."""


@dataclass(frozen=True)
class RayWorkers:
    """Where the workers run.

    Attributes:
        count: How many, each with the model in its memory, and with a GPU of its own where the cluster has any.
        address: Of a running Ray cluster, or :data:`LOCAL`.
        reproducible: Whether a text's vector must not depend on its neighbours, to the last bit; slower.
    """

    count: int = 1
    address: str = LOCAL
    reproducible: bool = False


@dataclass(frozen=True)
class EmbeddedFolder:
    """A corpus with its vectors.

    Attributes:
        folder: Parquet files with a column ``vector`` after the others; in the order of their names, and of the rows
            in each, they are in the order of the source.
        record: How the vectors were made.
    """

    folder: Path
    record: VectorRecord


class EmbedBlocks:
    """What a worker does: one block of rows after the other gets its vectors.

    Args:
        settings: Which model, where and how.
        request: What to embed.
        source: Where the rows come from.
        reproducible: As in :class:`RayWorkers`.
    """

    def __init__(
        self, settings: Settings, request: EmbedCorpusRequest, source: ParquetSource, reproducible: bool
    ) -> None:
        """Load the model."""
        self._embedder = job_embedder(settings, reproducible=reproducible)
        self._record = record_of(self._embedder, request, source)
        self._columns = kept_columns(request, source)

    def __call__(self, rows: Any) -> Any:  # noqa: ANN401
        """Add the vectors to some rows.

        Args:
            rows: pyarrow table with the texts and the columns to keep.

        Returns:
            pyarrow table of the columns to keep and the vectors.
        """
        record = self._record
        texts = texts_of(rows.column(record.column))
        present = np.array([holds_text(text) for text in texts], dtype=bool)
        vectors = np.zeros((len(texts), record.dimensions), record.format)
        found = self._embedder.encode([text for text in texts if holds_text(text)], record.instruction)
        vectors[present] = truncate(found, record.dimensions)
        kept = rows.select(self._columns)
        schema = vector_schema(kept.schema, record)
        return pa.Table.from_arrays([*kept.columns, vector_array(vectors, present)], schema=schema)


def embed_corpus_with_ray(
    settings: Settings, request: EmbedCorpusRequest, workers: RayWorkers
) -> EmbeddedFolder:
    """Embed a corpus from files to a folder of files with Ray Data.

    Ray shows its own progress. What it writes gets its name only when all of it is there.

    Args:
        settings: Which model, where and how.
        request: What to embed; ``out`` is a folder to make, and ``part_rows`` the rows of a block.
        workers: Where the workers run.

    Returns:
        The folder and how its vectors were made.

    Raises:
        InputError: Ray is not installed or has too few CPUs or GPUs; the source, a column or a number cannot be used;
            the folder is there already. The message says what to do.
        CorpusError: A file is damaged.
    """
    source = checked_source(request)
    if len(source) == 0:
        raise InputError("embed_corpus.no_rows", source=source.name)
    if request.out.exists():
        raise InputError("embed_corpus.out_taken", file=request.out.name)
    unfinished = request.out.with_name(f"{request.out.name}.unfinished")
    if unfinished.exists():
        raise InputError("embed_corpus.unfinished", folder=unfinished.name)
    try:
        with connected(workers) as ray:
            _run(ray, _pipeline(ray, settings, request, source, workers), unfinished)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    unfinished.replace(request.out)
    first = min(request.out.glob("*.parquet"))
    made = read_record(first)
    if made is None:
        raise CorpusError("embed_corpus.not_parquet", file=first.name)
    return EmbeddedFolder(request.out, made.record)


def _run(ray: Any, rows: Any, folder: Path) -> None:  # noqa: ANN401
    """Compute a Ray dataset and write it."""
    try:
        rows.write_parquet(str(folder.resolve()))
    except ray.exceptions.RayError as error:
        # Ray's message is a log of several processes; its last line is what was raised first.
        reason = str(error).strip().rpartition("\n")[2]
        raise ExplorerError("embed_corpus.ray_failed", reason=reason) from error


def _pipeline(
    ray: Any,  # noqa: ANN401
    settings: Settings,
    request: EmbedCorpusRequest,
    source: ParquetSource,
    workers: RayWorkers,
) -> Any:  # noqa: ANN401
    """Describe the Ray dataset of the columns to keep and the vectors; nothing runs yet."""
    rows = ray.data.read_parquet([str(file.resolve()) for file in source.files], partitioning=None)
    rows.context.execution_options.preserve_order = True
    columns = dict.fromkeys([*kept_columns(request, source), request.column])
    # Blocks of one size keep all workers busy and bound the memory; as read, one may hold a million short texts.
    blocks = rows.select_columns(list(columns)).repartition(target_num_rows_per_block=request.part_rows)
    return blocks.map_batches(
        EmbedBlocks,
        fn_constructor_args=(settings, request, source, workers.reproducible),
        batch_size=request.part_rows,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=workers.count),
        num_cpus=1,
        num_gpus=_gpus_each(ray, settings, workers),
        runtime_env={"env_vars": {"PYTHONPATH": f"{ROOT}{os.pathsep}${{PYTHONPATH}}"}},
    )


@contextmanager
def connected(workers: RayWorkers) -> Iterator[Any]:
    """Connect to Ray, start it on this machine, or use what this process is connected to already.

    Started here, it can be reached from this machine only, provided that nobody imported Ray before.

    Args:
        workers: Where the workers are to run.

    Yields:
        The module ``ray``.

    Raises:
        InputError: Ray is not installed.
    """
    ray = _imported(workers.address == LOCAL)
    if ray.is_initialized():
        yield ray
        return
    if workers.address == LOCAL:
        # Workers keep a CPU each; reading and writing need one more.
        ray.init(address=LOCAL, num_cpus=workers.count + 1, include_dashboard=False)
    else:
        ray.init(address=workers.address)
    try:
        yield ray
    finally:
        ray.shutdown()


def _imported(local: bool) -> Any:  # noqa: ANN401
    """Import Ray, with its reports to its makers switched off."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if local and "ray" not in sys.modules:
        # Ray's own switch, meant for laptops, which makes it listen on the loopback address alone.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise InputError("embed_corpus.no_ray") from error
    return ray


def _gpus_each(ray: Any, settings: Settings, workers: RayWorkers) -> int:  # noqa: ANN401
    """Decide whether each worker takes a GPU, and refuse what would wait for ever."""
    resources = ray.cluster_resources()
    cpus, gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
    each = int(gpus > 0 and settings.device in ("auto", "cuda"))
    if cpus <= workers.count or (each and gpus < workers.count):
        raise InputError("embed_corpus.ray_small", workers=workers.count, cpus=cpus, gpus=gpus)
    return each

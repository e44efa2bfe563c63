"""Vectors of a long job on the disk, part by part, so that a job that was killed can go on after the last whole part.

::

    vectors.parquet.parts/
        record.json         how the vectors are made
        lock                held by the run that writes here
        00000000.parquet    the vectors of the first rows, the next ones ...
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from explorer.corpus.vector_file import (
    VectorCounts,
    VectorRecord,
    read_record,
    vector_array,
    vector_schema,
    vector_writer,
)
from explorer.corpus.whole_file import remove_unfinished, unwritable, whole_path
from explorer.errors import CorpusError, InputError

_RECORD = "record.json"


class VectorParts:
    """The parts of one job. Rows are added in their order; a part is written as soon as it is full.

    ``folder`` is where they lie.

    Args:
        folder: Where the parts lie.
        record: How the vectors are made.
    """

    def __init__(self, folder: Path, record: VectorRecord) -> None:
        """Count the whole parts that are there."""
        self.folder = folder
        self._record = record
        self._rows = record.part_rows
        self._part = 0
        while self._place(self._part).exists():
            self._part += 1
        self._begin()

    @property
    def start(self) -> int:
        """The first row that is not yet in a whole part."""
        return min(self._part * self._rows, self._record.rows)

    def add(
        self,
        rows: npt.NDArray[np.int64],
        vectors: npt.NDArray[np.float32],
        cut: npt.NDArray[np.bool_],
    ) -> None:
        """Add the vectors of some rows; rows that are passed over have none.

        Args:
            rows: Which rows, growing from call to call, int64 [n].
            vectors: Their vectors, float32 [n, dimensions].
            cut: Which of their texts were longer than the model reads, bool [n].

        Raises:
            InputError: A part cannot be written; the whole parts are kept.
        """
        taken = 0
        while taken < len(rows):
            self._write_up_to(int(rows[taken]))
            stop = int(np.searchsorted(rows, self.start + self._rows))
            within = rows[taken:stop] - self.start
            self._vectors[within] = vectors[taken:stop]
            self._present[within] = True
            self._cut += int(cut[taken:stop].sum())
            taken = stop

    def finish(self) -> None:
        """Write what is left, up to the last row.

        Raises:
            InputError: A part cannot be written; the whole parts are kept.
        """
        self._write_up_to(self._record.rows)

    def counts(self) -> VectorCounts:
        """Add up what the rows held.

        Returns:
            The counts of all parts.

        Raises:
            CorpusError: A part was damaged after it was written.
        """
        total = VectorCounts()
        for place in self._places():
            found = read_record(place)
            if found is None or found.counts is None:
                raise CorpusError("embed_corpus.part_damaged", part=place.name, folder=self.folder.name)
            total += found.counts
        return total

    def vectors(self) -> Iterator[Any]:
        """Read the parts in order.

        Yields:
            The vectors of each as a pyarrow column.

        Raises:
            CorpusError: A part was damaged after it was written.
        """
        for place in self._places():
            try:
                yield pq.read_table(place).column(0)
            except (OSError, pa.ArrowException) as error:
                raise CorpusError(
                    "embed_corpus.part_damaged", part=place.name, folder=self.folder.name
                ) from error

    def _places(self) -> list[Path]:
        return [self._place(part) for part in range(self._part)]

    def _write_up_to(self, row: int) -> None:
        """Write parts until a row lies in the one being filled, or none is left."""
        while self.start + len(self._present) <= row and len(self._present):
            counts = VectorCounts(int((~self._present).sum()), self._cut)
            schema = vector_schema(pa.schema([]), self._record, counts)
            column = vector_array(self._vectors, self._present)
            with vector_writer(self._place(self._part), schema, self.folder) as writer:
                writer.write_table(pa.Table.from_arrays([column], schema=schema))
            self._part += 1
            self._begin()

    def _begin(self) -> None:
        """Make room for the next part."""
        rows = min(self._rows, self._record.rows - self.start)
        self._vectors = np.zeros((rows, self._record.dimensions), self._record.format)
        self._present = np.zeros(rows, bool)
        self._cut = 0

    def _place(self, part: int) -> Path:
        return self.folder / _part_name(part)


@contextmanager
def open_parts(folder: Path, record: VectorRecord) -> Iterator[VectorParts]:
    """Begin a job or go on with it, while no other run does.

    Args:
        folder: Where the parts lie; it is made when missing.
        record: How the vectors are made.

    Yields:
        The parts.

    Raises:
        InputError: The folder belongs to another job, another run is writing there, or it cannot be written.
    """
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(FileLock(folder / "lock", blocking=False))
            remove_unfinished(folder)
            _claim(folder, record)
        except Timeout as error:
            raise InputError("embed_corpus.locked", folder=folder.name) from error
        except OSError as error:
            raise unwritable(folder, error) from error
        yield VectorParts(folder, record)


def remove_parts(folder: Path) -> None:
    """Remove the parts of a job that is done.

    Args:
        folder: Where the parts lie; it need not exist.
    """
    shutil.rmtree(folder, ignore_errors=True)


def _claim(folder: Path, record: VectorRecord) -> None:
    """Compare the record of the job that was begun here; where no part was finished yet, write this one's."""
    place = folder / _RECORD
    if place.exists():
        try:
            begun = VectorRecord.from_json(place.read_text("utf-8"))
        except ValueError as error:
            raise InputError("embed_corpus.other_version", folder=folder.name) from error
        if begun == record:
            return
        if (folder / _part_name(0)).exists():
            differences = begun.differences(record)
            raise InputError("embed_corpus.other_job", folder=folder.name, differences=differences)
    with whole_path(place, folder) as unfinished:
        unfinished.write_text(record.to_json(), "utf-8")


def _part_name(part: int) -> str:
    return f"{part:08d}.parquet"

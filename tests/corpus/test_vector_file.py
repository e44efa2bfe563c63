from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from explorer.corpus import whole_file
from explorer.corpus.vector_file import (
    VectorCounts,
    VectorRecord,
    read_record,
    vector_array,
    vector_schema,
    vector_writer,
)
from explorer.corpus.whole_file import whole_path
from explorer.errors import InputError
from explorer.provenance import Provenance

RECORD = VectorRecord(
    source="texts.parquet",
    source_digest="00",
    rows=4,
    column="text",
    instruction="任务",
    max_length=64,
    dimensions=3,
    format="float32",
    part_rows=2,
    provenance=Provenance("tiny", "embedding", "other", "ab", "float32", "cpu", "packed sdpa"),
)


def write(place: Path, record: VectorRecord, vectors: np.ndarray, present: np.ndarray) -> None:
    others = pa.table({"id": range(len(vectors)), "nested": [[{"a": "x"}]] * len(vectors)})
    schema = vector_schema(others.schema, record, VectorCounts(1, 2))
    with vector_writer(place, schema, place.parent) as writer:
        table = pa.Table.from_arrays([*others.columns, vector_array(vectors, present)], schema=schema)
        writer.write_table(table)


@pytest.mark.parametrize("number_format", ["float32", "float16"])
def test_vectors_come_back_as_they_were_written(tmp_path: Path, number_format: str) -> None:
    record = replace(RECORD, format=number_format)
    vectors = np.random.default_rng(0).normal(size=(4, 3)).astype(number_format)
    present = np.array([True, False, True, True])
    write(tmp_path / "v.parquet", record, vectors, present)
    column = pq.read_table(tmp_path / "v.parquet")["vector"]
    assert (
        str(column.type)
        == f"fixed_size_list<element: {'float' if number_format == 'float32' else 'halffloat'}>[3]"
    )
    assert column.is_valid().to_pylist() == present.tolist()
    assert np.array_equal(np.array(column.drop_null().to_pylist(), number_format), vectors[present])
    found = read_record(tmp_path / "v.parquet")
    assert found.record == record
    assert found.record.source == "texts.parquet"
    assert found.counts == VectorCounts(1, 2)
    assert found.columns == ("id", "nested")


def test_other_files_have_no_record(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    (tmp_path / "text").write_text("PAR1")
    assert read_record(tmp_path / "other.parquet") is None
    assert read_record(tmp_path / "text") is None
    assert read_record(tmp_path / "missing") is None


def test_a_record_says_what_differs_and_survives_json() -> None:
    assert VectorRecord.from_json(RECORD.to_json()) == RECORD
    assert replace(RECORD, source="renamed.parquet") == RECORD
    other = replace(RECORD, column="body", provenance=replace(RECORD.provenance, model="large"))
    assert RECORD.differences(other) == "model: tiny -> large, column: text -> body"
    for text in ("{}", "[]", "not json", '{"provenance": 1}'):
        with pytest.raises(ValueError):
            VectorRecord.from_json(text)


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "v.parquet"
    place.write_text("before")
    with pytest.raises(ZeroDivisionError), whole_path(place, tmp_path) as unfinished:
        unfinished.write_text("half")
        raise ZeroDivisionError
    assert place.read_text() == "before"
    assert list(tmp_path.iterdir()) == [place]


def test_a_full_disk_is_said_also_when_it_fills_while_flushing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(whole_file.os, "fsync", full)
    with pytest.raises(InputError, match="disk is full"):
        write(tmp_path / "v.parquet", RECORD, np.zeros((4, 3), np.float32), np.ones(4, bool))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"v\.parquet.*No such file or directory"):
        write(tmp_path / "missing" / "v.parquet", RECORD, np.zeros((4, 3), np.float32), np.ones(4, bool))

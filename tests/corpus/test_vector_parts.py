from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.corpus.vector_file import VectorCounts, VectorRecord
from explorer.corpus.vector_parts import open_parts, remove_parts
from explorer.errors import CorpusError, InputError
from explorer.provenance import Provenance

RECORD = VectorRecord(
    source="texts.parquet",
    source_digest="00",
    rows=23,
    column="text",
    instruction=None,
    max_length=64,
    dimensions=2,
    format="float32",
    part_rows=5,
    provenance=Provenance("tiny", "embedding", "other", "ab", "float32", "cpu", "packed sdpa"),
)


def vector_of(row: int) -> list[float]:
    return [float(row), -float(row)]


def add(parts: object, rows: list[int]) -> None:
    vectors = np.array([vector_of(row) for row in rows], np.float32).reshape(-1, 2)
    parts.add(np.array(rows, np.int64), vectors, np.array(rows) % 2 == 0)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(present=st.sets(st.integers(0, 22)), batch=st.integers(1, 23), part_rows=st.integers(1, 30))
def test_rows_come_back_in_their_place_whatever_the_batches(
    tmp_path_factory: pytest.TempPathFactory, present: set[int], batch: int, part_rows: int
) -> None:
    folder = tmp_path_factory.mktemp("job") / "parts"
    rows = sorted(present)
    with open_parts(folder, replace(RECORD, part_rows=part_rows)) as parts:
        for first in range(0, len(rows), batch):
            add(parts, rows[first : first + batch])
        parts.finish()
        assert parts.start == 23
        found = pa.chunked_array([chunk for part in parts.vectors() for chunk in part.chunks]).to_pylist()
        counts = parts.counts()
    assert found == [vector_of(row) if row in present else None for row in range(23)]
    assert counts == VectorCounts(empty=23 - len(rows), cut=sum(row % 2 == 0 for row in rows))


def test_only_whole_parts_survive_and_the_next_run_begins_after_them(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    with open_parts(folder, RECORD) as parts:
        add(parts, list(range(13)))
    (folder / ".unfinished-0123").write_text("half a part")
    with open_parts(folder, RECORD) as parts:
        assert parts.start == 10
        add(parts, list(range(10, 23)))
        parts.finish()
        assert sum(len(part) for part in parts.vectors()) == 23
    assert not (folder / ".unfinished-0123").exists()
    remove_parts(folder)
    assert not folder.exists()


def test_another_job_is_told_what_differs(tmp_path: Path) -> None:
    with open_parts(tmp_path / "parts", RECORD) as parts:
        add(parts, list(range(13)))
    other = replace(RECORD, column="body", provenance=replace(RECORD.provenance, fingerprint="cd"))
    with pytest.raises(InputError) as refused, open_parts(tmp_path / "parts", other):
        pass
    assert "fingerprint: ab -> cd, column: text -> body" in str(refused.value)
    assert "“parts”" in str(refused.value) and "--out" in str(refused.value)


def test_a_job_that_has_not_finished_a_part_gives_way(tmp_path: Path) -> None:
    other = replace(RECORD, dimensions=1)
    for record in (RECORD, other):
        with open_parts(tmp_path, record) as parts:
            assert parts.start == 0
    assert VectorRecord.from_json((tmp_path / "record.json").read_text()) == other


def test_a_folder_of_something_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text('{"other": 1}')
    with pytest.raises(InputError, match="another version"), open_parts(tmp_path, RECORD):
        pass


def test_two_runs_do_not_write_at_once(tmp_path: Path) -> None:
    with (
        open_parts(tmp_path, RECORD),
        pytest.raises(InputError, match="Another run"),
        open_parts(tmp_path, RECORD),
    ):
        pass
    with open_parts(tmp_path, RECORD):
        pass


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    with open_parts(tmp_path, RECORD) as parts:
        add(parts, list(range(23)))
        parts.finish()
        (tmp_path / "00000002.parquet").write_bytes(b"PAR1")
        with pytest.raises(CorpusError, match=r"00000002\.parquet"):
            parts.counts()
        with pytest.raises(CorpusError, match=r"00000002\.parquet"):
            list(parts.vectors())

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.corpus import parquet_source
from explorer.corpus.parquet_source import open_source, texts_of
from explorer.errors import CorpusError, InputError

ROWS = 250


def table(first: int = 0, rows: int = ROWS) -> pa.Table:
    ids = range(first, first + rows)
    texts = [None if i % 9 == 4 else f"text {i}" for i in ids]
    return pa.table({"id": pa.array(ids, pa.int64()), "text": pa.array(texts, pa.string())})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files, of which the second is empty, in row groups of 40 rows."""
    folder = tmp_path_factory.mktemp("source")
    for place, part in enumerate([table(0, 90), table(0, 0), table(90, 160)]):
        pq.write_table(part, folder / f"{place}.parquet", row_group_size=40)
    (folder / "_metadata.parquet").write_bytes(b"not a part")
    return folder


@settings(max_examples=40, deadline=None, derandomize=True)
@given(start=st.integers(0, ROWS), batch=st.integers(1, 300))
def test_texts_are_read_from_any_row_on(folder: Path, start: int, batch: int) -> None:
    source = open_source(folder)
    assert len(source) == ROWS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet_source, "_BATCH_ROWS", batch)
        read = list(source.texts("text", start))
    assert max(map(len, read), default=0) <= batch
    assert [text for texts in read for text in texts] == table()["text"].to_pylist()[start:]


@settings(max_examples=20, deadline=None, derandomize=True)
@given(rows=st.integers(1, 300))
def test_tables_have_the_rows_asked_for(folder: Path, rows: int) -> None:
    read = list(open_source(folder).tables(["id", "text"], rows))
    assert {len(part) for part in read[:-1]} <= {rows}
    assert 0 < len(read[-1]) <= rows
    assert pa.concat_tables(read).equals(table())


def test_a_row_group_is_never_held_as_a_whole(tmp_path: Path) -> None:
    options = {"use_dictionary": False, "compression": "none"}
    pq.write_table(pa.table({"text": ["x" * 1000] * 40_000}), tmp_path / "t.parquet", **options)
    before = pa.total_allocated_bytes()
    for _ in open_source(tmp_path / "t.parquet").texts("text"):
        assert pa.total_allocated_bytes() - before < 20_000_000  # of 40,000,000


def test_the_digest_tells_contents_and_not_names_or_dates(tmp_path: Path) -> None:
    places = [tmp_path / name for name in ("a.parquet", "b.parquet", "c.parquet")]
    changed = table().set_column(1, "text", pa.array(["other", *table()["text"].to_pylist()[1:]]))
    for place, contents in zip(places, [table(), table(), changed], strict=True):
        pq.write_table(contents, place, use_dictionary=False)
    os.utime(places[1], (0, 0))
    first, second, third = (open_source(place).digest for place in places)
    assert first == second != third


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_every_kind_of_text_is_read(tmp_path: Path, kind: pa.DataType) -> None:
    pq.write_table(pa.table({"text": pa.array(["a", None, "b", "a"]).cast(kind)}), tmp_path / "t.parquet")
    source = open_source(tmp_path / "t.parquet")
    source.require_texts("text")
    assert list(source.texts("text")) == [["a", None, "b", "a"]]


def test_broken_utf8_is_shown_as_such() -> None:
    broken = pa.Array.from_buffers(
        pa.string(), 2, pa.array([b"ok", b"a\xffb"], pa.binary()).buffers(), null_count=0
    )
    assert texts_of(broken) == ["ok", "a�b"]


def test_columns_are_checked_by_name_and_kind(folder: Path) -> None:
    source = open_source(folder)
    with pytest.raises(InputError, match=r"“body”.*id, text"):
        source.require_texts("body")
    with pytest.raises(InputError, match="int64, not text"):
        source.require_texts("id")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.parquet"):
        open_source(tmp_path / "nothing.parquet")
    with pytest.raises(InputError, match="no Parquet file"):
        open_source(tmp_path)
    place = tmp_path / "cut.parquet"
    pq.write_table(table(), place)
    place.write_bytes(place.read_bytes()[:-20])
    with pytest.raises(CorpusError, match=r"cut\.parquet.*damaged"):
        open_source(place)


def test_a_file_that_is_damaged_inside_is_named_when_it_is_read(tmp_path: Path) -> None:
    place = tmp_path / "texts.parquet"
    pq.write_table(pa.table({"text": [f"{i} {np.pi * i}" for i in range(5000)]}), place, compression="zstd")
    data = bytearray(place.read_bytes())
    data[200:6000] = bytes(5800)
    place.write_bytes(data)
    with pytest.raises(CorpusError, match=r"texts\.parquet.*damaged"):
        list(open_source(place).texts("text"))


def test_files_of_two_tables_are_not_read_as_one(tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "a.parquet")
    pq.write_table(table().rename_columns(["id", "body"]), tmp_path / "b.parquet")
    with pytest.raises(CorpusError, match=r"b\.parquet.*a\.parquet"):
        open_source(tmp_path)

"""Whatever bytes arrive, the reader gives a table or a refusal, and nothing else."""

from __future__ import annotations

import io

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.corpus.corpus import Corpus, build_corpus, colour_columns, guess_text_column
from explorer.corpus.export import to_csv, to_jsonl, to_parquet
from explorer.corpus.readers import read_table
from explorer.corpus.table import ReadLimits
from explorer.errors import CorpusError

SUFFIXES = st.sampled_from(
    ["a.csv", "a.tsv", "a.json", "a.jsonl", "a.txt", "a.parquet", "a.xlsx", "", "../../x", "a\0b"]
)
PIECES = st.sampled_from(
    [b",", b";", b"\t", b"|", b"\n", b"\r\n", b"\r", b'"', b"'", b"text", b"a", b"1", b"-0.5", b"2024-01-01", b"\0",
     b"\xff", b"\xfe", b"\xef\xbb\xbf", b"\xe4\xbd\xa0", b"{", b"}", b"[", b"]", b":", b"null", b"\\ud800", b"=1+1",
     b"\xc4\xe3", b"\x1f", b"\x85", b"NaN", b"PAR1", b"PK\x03\x04", b"\xed\xa0\x80"]
)  # fmt: skip
SMALL = ReadLimits(rows=50, columns=20, cells=400, cell_characters=40)


def a_workbook() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["text", "n"])
    book.active.append(["a", 1])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def a_parquet() -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table({"text": ["a", "b"], "n": [1, 2]}), stream)
    return stream.getvalue()


WORKBOOK, PARQUET = a_workbook(), a_parquet()


def check(data: bytes, filename: str, limits: ReadLimits) -> None:
    try:
        table = read_table(data, filename, limits)
    except CorpusError as error:
        assert error.text("en") != error.text("zh")
        return
    assert table.rows_in == table.rows_kept + table.rows_dropped
    assert table.frame.shape == (table.rows_kept, len(table.columns))
    assert len(set(table.columns)) == len(table.columns)
    assert table.rows_in <= limits.rows
    assert [to_csv(table.frame), to_jsonl(table.frame), to_parquet(table.frame)]
    colour_columns(table)
    column = guess_text_column(table)
    if column is not None:
        try:
            corpus = build_corpus(table, column)
        except CorpusError:
            return
        assert isinstance(corpus, Corpus)
        assert all(len(text) <= limits.cell_characters for text in corpus.texts)
        assert corpus.rows_in == len(corpus.texts) + corpus.dropped


@settings(derandomize=True, max_examples=500, deadline=None)
@given(st.binary(max_size=400), SUFFIXES)
def test_arbitrary_bytes(data: bytes, filename: str) -> None:
    check(data, filename, ReadLimits())


@settings(derandomize=True, max_examples=500, deadline=None)
@given(st.lists(PIECES, max_size=60).map(b"".join), SUFFIXES)
def test_pieces_of_tables(data: bytes, filename: str) -> None:
    check(data, filename, SMALL)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    st.sampled_from([WORKBOOK, PARQUET]),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=4),
)
def test_damaged_containers(whole: bytes, changes: list[tuple[float, int]]) -> None:
    data = bytearray(whole)
    for place, byte in changes:
        data[int(place * len(data))] = byte
    check(bytes(data), "a.xlsx", ReadLimits())

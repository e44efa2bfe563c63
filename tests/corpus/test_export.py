"""What is exported comes back unchanged, and no spreadsheet runs it."""

from __future__ import annotations

import csv
import io
import unicodedata

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.corpus.export import escape_formula, to_csv, to_jsonl, to_parquet
from explorer.corpus.readers import read_table

STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "\0"]
BEFORE = ["", " ", "  ", "\t", "\r\n", "\0", "\u00a0", "\u3000", "\u200b", "\ufeff"]
FULL_WIDTH = ["＝", "＋", "－", "＠", "﹢", "﹣", "﹦", "﹫"]

LETTERS = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])
CELLS = st.text(LETTERS, max_size=12)
FRAMES = st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6).map(
    lambda rows: pd.DataFrame({"text": ["x" + a for a, _ in rows], "other": [b + "y" for _, b in rows]})
)


def rows(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    return list(frame.astype(str).itertuples(index=False, name=None))


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("start", STARTS + FULL_WIDTH)
def test_no_exported_text_begins_like_a_formula(start: str, before: str) -> None:
    text = f"{before}{start}cmd|' /C calc'!A0"
    frame = pd.DataFrame({text: [text]})
    for row in csv.reader(io.StringIO(to_csv(frame).decode("utf-8-sig"), newline="")):
        seen = unicodedata.normalize("NFKC", row[0]).strip("\0 \t\r\n\u00a0\u200b\ufeff")
        assert seen[0] not in "=+-@"
        assert row[0] == "'" + text


@pytest.mark.parametrize(
    "text", ["plain", "a=b", "2+2", "'quoted", "e-mail@example.org", "", " spaced", "负—数"]
)
def test_harmless_text_is_left_alone(text: str) -> None:
    assert escape_formula(text) == text


def test_numbers_and_dates_are_left_alone() -> None:
    frame = pd.DataFrame(
        {
            "n": [-5, 3],
            "x": [-0.5, float("nan")],
            "day": pd.to_datetime(["2024-01-31", None]),
            "moment": pd.to_datetime(["2024-01-31T12:30:00", "2024-01-31"], format="ISO8601"),
        }
    )
    lines = to_csv(frame).decode("utf-8-sig").splitlines()
    assert lines == ["n,x,day,moment", "-5,-0.5,2024-01-31,2024-01-31T12:30:00", "3,,,2024-01-31"]
    assert (
        to_jsonl(frame).decode().splitlines()[1] == '{"n": 3, "x": null, "day": null, "moment": "2024-01-31"}'
    )


@settings(derandomize=True, max_examples=60, deadline=None)
@given(FRAMES)
def test_csv_comes_back_as_it_was_written(frame: pd.DataFrame) -> None:
    table = read_table(to_csv(frame), "a.csv")
    assert rows(table.frame) == [tuple(map(escape_formula, row)) for row in rows(frame)]


@settings(derandomize=True, max_examples=40, deadline=None)
@given(FRAMES)
def test_tsv_comes_back_as_it_was_written(frame: pd.DataFrame) -> None:
    data = frame.to_csv(sep="\t", index=False).encode()
    assert rows(read_table(data, "a.tsv").frame) == rows(frame)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(FRAMES)
def test_jsonl_and_json_come_back_as_they_were_written(frame: pd.DataFrame) -> None:
    lines = to_jsonl(frame)
    assert rows(read_table(lines, "a.jsonl").frame) == rows(frame)
    as_json = b"[" + lines.strip(b"\n").replace(b"\n", b",") + b"]"
    assert rows(read_table(as_json, "a.json").frame) == rows(frame)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(FRAMES)
def test_parquet_comes_back_as_it_was_written(frame: pd.DataFrame) -> None:
    assert rows(read_table(to_parquet(frame), "a.parquet").frame) == rows(frame)


@settings(derandomize=True, max_examples=20, deadline=None)
@given(FRAMES)
def test_a_workbook_is_read_as_it_was_written(frame: pd.DataFrame) -> None:
    book = openpyxl.Workbook()
    for row in [tuple(frame.columns), *rows(frame)]:
        book.active.append(row)
        for cell in book.active[book.active.max_row]:
            cell.data_type = "s"
    stream = io.BytesIO()
    book.save(stream)
    assert rows(read_table(stream.getvalue(), "a.xlsx").frame) == rows(frame)


def test_every_type_survives_parquet() -> None:
    frame = pd.DataFrame(
        {"text": ["a", ""], "n": [1, 2], "x": [0.5, None], "day": pd.to_datetime(["2024-01-31", None])}
    )
    table = read_table(to_parquet(frame), "a.parquet")
    assert [table.frame[name].dtype.kind for name in ("n", "x", "day")] == ["i", "f", "M"]
    assert list(table.frame["text"]) == ["a", ""]
    assert table.frame["x"].isna().tolist() == [False, True]
    assert table.frame["day"].isna().tolist() == [False, True]

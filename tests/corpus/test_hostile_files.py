"""Files that people and attackers upload: each gives the right rows or one clear refusal, and loses nothing."""

from __future__ import annotations

import gzip
import io
import json
import time
import zipfile
from collections.abc import Callable

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from explorer.corpus.readers import read_table
from explorer.corpus.table import Table
from explorer.errors import CorpusError

CHINESE = "标题,正文\n天气,今天北京天气晴朗，适合出去散步。\n新闻,上海举办了国际书展。\n"


def texts(table: Table, column: str = "text") -> list[str]:
    return [str(cell) for cell in table.frame[column]]


def notice_keys(table: Table) -> set[str]:
    return {notice.key for notice in table.notices}


def workbook(rows: list[list[object]], sheets: int = 1) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for _ in range(sheets - 1):
        book.create_sheet()
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def parquet(columns: dict[str, list[object]]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    return stream.getvalue()


READ: dict[str, tuple[bytes, str, list[str]]] = {
    "utf-8 with mark": (b"\xef\xbb\xbftext,n\ncaf\xc3\xa9,1\n", "text", ["café"]),
    "utf-16 with mark": ("text,n\ncafé,1\n".encode("utf-16"), "text", ["café"]),
    "utf-16 without mark": ("text,n\nplain words,1\n".encode("utf-16-le"), "text", ["plain words"]),
    "utf-16 big-endian Chinese": (CHINESE.encode("utf-16-be"), "标题", ["天气", "新闻"]),
    "utf-32 with mark": ("text,n\nhi,1\n".encode("utf-32"), "text", ["hi"]),
    "latin-1": (
        "text,n\nLe café est près de la forêt,1\n".encode("latin-1"),
        "text",
        ["Le café est près de la forêt"],
    ),
    "cp1252 quotes": ("text,n\nit’s “quoted”,1\n".encode("cp1252"), "text", ["it’s “quoted”"]),
    "GB18030": (CHINESE.encode("gb18030"), "标题", ["天气", "新闻"]),
    "NUL and controls": (b"text,n\na\0b\x01c,1\n", "text", ["abc"]),
    "several NULs on one side": (
        b"text,n\na\0\0b,1\nc\0,2\n" + b"d,3\n" * 3,
        "text",
        ["ab", "c", "d", "d", "d"],
    ),
    "ragged, too long": (b"text,n\na,1\nb,2,3\nc,4\n", "text", ["a", "c"]),
    "ragged, too short": (b"text,n\na\nb,2\n", "text", ["a", "b"]),
    "ragged below one name": (b"text\na,b,c\n", "text", ["a,b,c"]),
    "trailing separators": (b"text,n,\na,1,\n", "text", ["a"]),
    "quoted newline": (b'text,n\n"a\nb",1\n', "text", ["a\nb"]),
    "mixed newlines": (b"text,n\r\na,1\nb,2\rc,3\r\n", "text", ["a", "b", "c"]),
    "missing-value words": (b"text,n\nNA,1\nnull,2\nNaN,3\nNone,4\n", "text", ["NA", "null", "NaN", "None"]),
    "right-to-left": ("text,n\nשלום \u202e‮ world,1\n".encode(), "text", ["שלום \u202e‮ world"]),
    "zero width": ("text,n\na\u200bb,1\n".encode(), "text", ["a\u200bb"]),
    "lone surrogate in JSON": (b'["a\\ud800b"]', "text", ["a\ufffdb"]),
    "pair of surrogates as CESU-8": (b"text,n\n\xed\xa0\xbd\xed\xb8\x80,1\n", "text", ["😀"]),
    "markup": (b'text,n\n"<script>alert(1)</script>",1\n', "text", ["<script>alert(1)</script>"]),
    "one broken byte": (
        ("text,n\n" + "é" * 40 + ",1\n").encode() + b"\xff,2\n",
        "text",
        ["é" * 40, "\ufffd"],
    ),
    "semicolons": (b"text;n\na, b;1\nc, d;2\n", "text", ["a, b", "c, d"]),
    "pipes": (b"text|n\na|1\n", "text", ["a"]),
    "no newline at the end": (b"text,n\na,1", "text", ["a"]),
    "blank lines": (b"\n\ntext,n\n\na,1\n\n", "text", ["a"]),
    "one column": (b"text\nHello, world\nno comma\n", "text", ["Hello, world", "no comma"]),
}


@pytest.mark.parametrize("name", READ)
def test_hostile_text_gives_the_right_rows(name: str) -> None:
    data, column, expected = READ[name]
    begun = time.perf_counter()
    table = read_table(data, "upload.csv" if not name.endswith("JSON") else "upload.json")
    assert texts(table, column) == expected
    assert table.rows_in == table.rows_kept + table.rows_dropped
    assert time.perf_counter() - begun < 5


REFUSED: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "no byte": (lambda: b"", "a.csv", "corpus.empty_file"),
    "only blank lines": (lambda: b"\n \r\n\t\n", "a.csv", "corpus.empty_file"),
    "only a byte order mark": (lambda: b"\xef\xbb\xbf", "a.csv", "corpus.empty_file"),
    "row names without a name": (lambda: b"text,n\n1,a,2\n2,b,3\n", "a.csv", "corpus.rows_all_long"),
    "header only": (lambda: b"text,n\n", "a.csv", "corpus.no_rows"),
    "unterminated quote": (lambda: b'text,n\na,1\n"b,2\nc,3\n', "a.csv", "corpus.open_quote"),
    "ten thousand columns": (
        lambda: b",".join(b"c%d" % i for i in range(10_000)) + b"\n" + b"," * 9_999 + b"\n",
        "a.csv",
        "corpus.too_many_columns",
    ),
    "a million rows": (lambda: b"text\n" + b"a\n" * 1_000_000, "a.csv", "corpus.too_many_rows"),
    "a million lines": (lambda: b"a\n" * 1_000_000, "a.txt", "corpus.too_many_rows"),
    "a million records": (lambda: b'{"a":1}\n' * 1_000_000, "a.jsonl", "corpus.too_many_rows"),
    "a million lists": (lambda: b"[" + b"[]," * 10_000_000 + b"[]]", "a.json", "corpus.too_many_rows"),
    "gzip": (lambda: gzip.compress(b"text\na\n"), "a.csv", "corpus.archive"),
    "zip": (lambda: zipped({"a.csv": b"text\na\n"}), "a.csv", "corpus.archive"),
    "bzip2": (lambda: b"BZh91AY&SY" + bytes(20), "a.csv", "corpus.archive"),
    "picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(100), "a.csv", "corpus.binary"),
    "document": (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a.txt", "corpus.binary"),
    "program": (lambda: b"MZ\x90\0\x03\0\0\0", "a.csv", "corpus.binary"),
    "old workbook": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "a.xlsx", "corpus.binary"),
    "word document": (lambda: zipped({"[Content_Types].xml": b"", "word/a.xml": b""}), "a.xlsx", "corpus.binary"),
    "pickle": (lambda: b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x02os\x94.", "a.csv", "corpus.binary"),
    "random bytes": (lambda: bytes((i * 197 + i // 7) % 256 for i in range(5_000)), "a.csv", "corpus.not_text"),
    "truncated parquet": (lambda: parquet({"text": ["a"]})[:-20], "a.parquet", "corpus.damaged"),
    "truncated workbook": (lambda: workbook([["text"], ["a"]])[:-50], "a.xlsx", "corpus.damaged"),
    "broken JSON": (lambda: b'[{"text": "a"}, {"text": ]', "a.json", "corpus.bad_json"),
    "deep JSON": (lambda: b"[" * 100_000 + b"]" * 100_000, "a.json", "corpus.json_shape"),
    "JSON number": (lambda: b"12", "a.json", "corpus.json_shape"),
    "JSON columns of two lengths": (lambda: b'{"a": [1, 2], "b": [1]}', "a.json", "corpus.json_lengths"),
    "no line of JSON": (lambda: b"a\nb\n", "a.jsonl", "corpus.no_json_line"),
    "more than 50 MB": (lambda: b"a" * 50_000_001, "a.txt", "corpus.too_large"),
}  # fmt: skip


def zipped(parts: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize("name", REFUSED)
def test_unreadable_files_are_refused_in_both_languages(name: str) -> None:
    make, filename, key = REFUSED[name]
    data = make()
    begun = time.perf_counter()
    with pytest.raises(CorpusError) as caught:
        read_table(data, filename)
    assert caught.value.key == key
    assert time.perf_counter() - begun < 5
    english, chinese = caught.value.text("en"), caught.value.text("zh")
    assert english != chinese
    assert "{" not in english + chinese


@pytest.mark.parametrize(
    "wrong", ["http://localhost/a.csv", "/etc/passwd", io.BytesIO(b"text\na\n"), None, 3]
)
def test_only_bytes_are_read(wrong: object) -> None:
    with pytest.raises(TypeError):
        read_table(wrong, "a.csv")  # type: ignore[arg-type]


def test_a_cell_of_five_megabytes_is_cut_and_counted() -> None:
    table = read_table(b"text,n\n" + b"x" * 5_000_000 + b",1\n", "a.csv")
    assert len(table.frame["text"][0]) == 100_000
    assert "corpus.cells_cut" in notice_keys(table)


def test_duplicate_and_missing_names_are_made_unique_and_told() -> None:
    table = read_table(b"text,text,,text\na,b,c,d\n", "a.csv")
    assert table.columns == ("text", "text (2)", "column 3", "text (3)")
    assert list(table.frame.iloc[0]) == ["a", "b", "c", "d"]
    assert "corpus.columns_renamed" in notice_keys(table)


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (READ["latin-1"][0], "corpus.encoding_guessed"),
        (READ["NUL and controls"][0], "corpus.controls_stripped"),
        (READ["ragged, too long"][0], "corpus.rows_long_dropped"),
        (READ["ragged, too short"][0], "corpus.rows_short_filled"),
        (READ["one broken byte"][0], "corpus.bytes_replaced"),
        (READ["pair of surrogates as CESU-8"][0], "corpus.surrogates_repaired"),
    ],
)
def test_what_was_changed_is_told(data: bytes, key: str) -> None:
    table = read_table(data, "a.csv")
    assert key in notice_keys(table)
    for notice in table.notices:
        assert notice.text("en") != notice.text("zh")


@pytest.mark.parametrize(
    ("data", "filename", "found"),
    [
        (parquet({"text": ["a", "b"]}), "renamed.csv", "parquet"),
        (workbook([["text"], ["a"], ["b"]]), "renamed.txt", "xlsx"),
        (b'[{"text": "a"}, {"text": "b"}]', "renamed.txt", "json"),
        (b'{"text": ["a", "b"]}', "a.json", "json"),
        (b'{"data": [{"text": "a"}, {"text": "b"}]}', "a.json", "json"),
        (b'["a", "b"]', "a.json", "json"),
        (b'{"text": "a"}\n\n{"text": "b"}\n', "renamed.json", "jsonl"),
        (b'{"text": "a"}\n{"text": "b"}\n', "", "jsonl"),
        (b"a\nb\n", "", "txt"),
        (b"text\tn\na\t1\nb\t2\n", "a.csv", "tsv"),
        (b"a\r\n\r\nb\r\n", "a.txt", "txt"),
    ],
)
def test_the_content_decides(data: bytes, filename: str, found: str) -> None:
    table = read_table(data, filename)
    assert table.format == found
    assert texts(table) == ["a", "b"]


def test_prose_in_a_text_file_is_not_cut_at_commas() -> None:
    table = read_table(b"One, two, three.\nFour, five, six.\n[sic] seven\n", "a.txt")
    assert texts(table) == ["One, two, three.", "Four, five, six.", "[sic] seven"]


def test_broken_lines_of_jsonl_are_dropped_with_a_count() -> None:
    table = read_table(b'{"text": "a"}\n{"text": \n{"text": "b", "text": "c"}\n', "a.jsonl")
    assert (table.rows_in, table.rows_kept, table.rows_dropped) == (3, 2, 1)
    assert texts(table) == ["a", "c"]
    assert notice_keys(table) == {"corpus.lines_dropped", "corpus.duplicate_keys"}


def test_columns_become_numbers_dates_and_text() -> None:
    data = b"text,n,share,day,code,empty\na,1,0.5,2024-01-31,007,\nb,-2,,2024/02/01,1,\n"
    table = read_table(data, "a.csv")
    kinds = {name: table.frame[name].dtype.kind for name in table.columns}
    assert kinds["n"] == "i"
    assert kinds["share"] == "f"
    assert kinds["day"] == "M"
    assert texts(table, "code") == ["007", "1"]
    assert texts(table, "empty") == ["", ""]


def test_typed_formats_keep_texts_that_look_like_numbers() -> None:
    table = read_table(
        json.dumps([{"text": "1.50", "n": 3, "flag": True, "nested": {"a": 1}}]).encode(), "a.json"
    )
    assert texts(table) == ["1.50"]
    assert table.frame["n"].dtype.kind == "i"
    assert texts(table, "flag") == ["true"]
    assert texts(table, "nested") == ['{"a": 1}']


def test_huge_numbers_in_json_do_not_break_a_column() -> None:
    table = read_table(b'[{"text": "a", "n": 1' + b"0" * 400 + b"}]", "a.json")
    assert table.rows_kept == 1
    with pytest.raises(CorpusError):
        read_table(b'[{"text": "a", "n": 1' + b"0" * 5_000 + b"}]", "a.json")


def test_only_the_first_filled_sheet_is_read_and_told() -> None:
    table = read_table(workbook([["text", "n"], ["a", 1], [None, None], ["b", 2]], sheets=2), "a.xlsx")
    assert texts(table) == ["a", "b"]
    assert "corpus.sheets_ignored" in notice_keys(table)


def test_cells_beyond_the_header_of_a_sheet_are_kept() -> None:
    table = read_table(workbook([["text"], ["a", "extra"]]), "a.xlsx")
    assert table.columns == ("text", "column 2")
    assert texts(table, "column 2") == ["extra"]


def test_lists_and_binary_columns_of_parquet_are_left_out_and_told() -> None:
    data = parquet({"text": ["a", "b"], "vector": [[1.0, 2.0], [3.0]], "image": [b"x", b"y"], "n": [1, None]})
    table = read_table(data, "a.parquet")
    assert table.columns == ("text", "n")
    assert "vector, image" in table.notices[0].text("en")


def test_columns_of_parquet_with_dots_and_equal_texts_are_read() -> None:
    table = read_table(parquet({"a.b": ["x", None, "x"], "c": [True, False, True]}), "a.parquet")
    assert texts(table, "a.b") == ["x", "", "x"]
    assert texts(table, "c") == ["true", "false", "true"]

"""Files of some hundred kilobytes that would unpack to hundreds of megabytes are refused quickly and cheaply."""

from __future__ import annotations

import gzip
import io
import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

MEGABYTES = 300

CHILD = """
import json, resource, sys, time
from pathlib import Path
from explorer.corpus.readers import read_table
from explorer.errors import CorpusError

data = Path(sys.argv[1]).read_bytes()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begun = time.process_time()
try:
    table = read_table(data, sys.argv[2])
    key = f"read {table.rows_kept}"
except CorpusError as error:
    key = error.key
seconds = time.process_time() - begun
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps({"key": key, "seconds": seconds, "megabytes": grown / 1024}))
"""


def in_a_child(data: bytes, filename: str, folder: Path) -> dict[str, object]:
    path = folder / "bomb"
    path.write_bytes(data)
    command = [sys.executable, "-c", CHILD, str(path), filename]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return dict(json.loads(done.stdout))


def workbook_parts() -> dict[str, bytes]:
    book = openpyxl.Workbook()
    book.active.append(["text"])
    book.active.append(["a"])
    stream = io.BytesIO()
    book.save(stream)
    with zipfile.ZipFile(stream) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def workbook_bomb() -> bytes:
    parts = workbook_parts()
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(
        b"</worksheet>", b" " * MEGABYTES * 10**6 + b"</worksheet>"
    )
    return zipped(parts)


def lying_workbook_bomb() -> bytes:
    """The same, with a zip directory and local headers that declare 1,000 bytes."""
    data = bytearray(workbook_bomb())
    true_size = struct.pack(
        "<I", max(item.file_size for item in zipfile.ZipFile(io.BytesIO(data)).infolist())
    )
    position = data.find(true_size)
    while position >= 0:
        data[position : position + 4] = struct.pack("<I", 1_000)
        position = data.find(true_size, position)
    return bytes(data)


def entity_bomb() -> bytes:
    parts = workbook_parts()
    entities = b'<!DOCTYPE x [<!ENTITY a0 "' + b"lol" * 1_000 + b'">'
    entities += b"".join(b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 10) for i in range(1, 9)) + b"]>"
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = entities + sheet.replace(b"</worksheet>", b"&a8;</worksheet>")
    return zipped(parts)


def parquet_bomb(dictionary: bool) -> bytes:
    stream = io.BytesIO()
    table = pa.table({"text": ["x" * 10**6] * MEGABYTES})
    pq.write_table(table, stream, compression="zstd", use_dictionary=dictionary, write_statistics=False)
    return stream.getvalue()


def many_parts() -> bytes:
    return zipped({**workbook_parts(), **{str(index): b"" for index in range(30_000)}})


def one_text_in_every_cell() -> bytes:
    parts = workbook_parts()
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(
        b"</Types>", b'<Override PartName="/xl/sharedStrings.xml" ContentType="' + kind + b'"/></Types>'
    )
    space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    parts["xl/sharedStrings.xml"] = (
        b'<sst xmlns="' + space + b'"><si><t>' + b"x" * 30_000 + b"</t></si></sst>"
    )
    rows = b"".join(
        b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (row, row) for row in range(3, 10_000)
    )
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b"</sheetData>", rows + b"</sheetData>")
    return zipped(parts)


def parquet_lists() -> bytes:
    stream = io.BytesIO()
    lists = pa.FixedSizeListArray.from_arrays(pa.array(np.full(50_000_000, 7, dtype=np.int16)), 500_000)
    pq.write_table(pa.table({"text": ["a"] * 100, "list": lists}), stream, compression="zstd")
    return stream.getvalue()


BOMBS = {
    "gzip": (lambda: gzip.compress(bytes(MEGABYTES * 10**6)), "a.csv", "corpus.archive"),
    "zip": (lambda: zipped({"a.csv": b"a" * MEGABYTES * 10**6}), "a.zip", "corpus.archive"),
    "workbook": (workbook_bomb, "a.xlsx", "corpus.bomb"),
    "lying workbook": (lying_workbook_bomb, "a.xlsx", "corpus.damaged"),
    "workbook with entities": (entity_bomb, "a.xlsx", "corpus.damaged"),
    "parquet": (lambda: parquet_bomb(dictionary=False), "a.parquet", "corpus.bomb"),
    "workbook of many parts": (many_parts, "a.xlsx", "corpus.damaged"),
    "workbook of one text in every cell": (one_text_in_every_cell, "a.xlsx", "corpus.too_much_text"),
    "parquet of long lists, which are left out": (parquet_lists, "a.parquet", "read 100"),
    "parquet with a dictionary": (lambda: parquet_bomb(dictionary=True), "a.parquet", "corpus.bomb"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_a_second_and_fifty_megabytes(name: str, tmp_path: Path) -> None:
    make, filename, key = BOMBS[name]
    data = make()
    assert len(data) < 6_000_000
    result = in_a_child(data, filename, tmp_path)
    assert result["key"] == key
    assert float(str(result["seconds"])) < 1
    assert float(str(result["megabytes"])) < 50


def test_a_million_rows_of_parquet_are_refused_by_the_footer(tmp_path: Path) -> None:
    stream = io.BytesIO()
    pq.write_table(pa.table({"text": ["a"] * 1_000_000}), stream)
    result = in_a_child(stream.getvalue(), "a.parquet", tmp_path)
    assert result["key"] == "corpus.too_many_rows"
    assert float(str(result["seconds"])) < 1


def test_a_sheet_with_one_cell_at_its_far_corner_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "text"
    book.active["XFD1048576"] = "far"
    stream = io.BytesIO()
    book.save(stream)
    result = in_a_child(stream.getvalue(), "a.xlsx", tmp_path)
    assert result["key"] in ("corpus.too_many_rows", "corpus.too_many_columns")
    assert float(str(result["seconds"])) < 5
    assert float(str(result["megabytes"])) < 50

"""Tell from a file's first bytes what it is; its name is only asked where the content leaves a choice.

Signatures are those of the formats' own specifications (RFC 1952 gzip, RFC 8878 zstd, PKWARE APPNOTE 4.3.7 zip,
Apache Parquet ``PAR1``, ISO 32000 PDF, PNG ISO 15948, PE/COFF ``MZ``, System V ABI ``ELF``).
"""

from __future__ import annotations

import io
import zipfile
from pathlib import PurePath
from typing import Literal

from explorer.errors import CorpusError

Container = Literal["parquet", "xlsx", "text"]

_ARCHIVES = (
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
)
_OTHERS = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"%PDF-", "PDF"),
    (b"\x7fELF", "ELF"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "XLS / DOC"),
    (b"SQLite format 3\x00", "SQLite"),
    (b"ARROW1\x00\x00", "Arrow"),
    (b"\x93NUMPY", "NumPy"),
    (b"\x00\x00\x01\x00", "ICO"),
    (b"OggS", "Ogg"),
    (b"fLaC", "FLAC"),
    (b"ID3", "MP3"),
    (b"\xca\xfe\xba\xbe", "Java / Mach-O"),
)

_DIRECTORY_BYTES = 10**6


def suffix_of(filename: str) -> str:
    """Take the last suffix of a file name.

    Args:
        filename: Any string; it is never opened.

    Returns:
        The suffix in lower case without its dot, ``""`` when there is none.
    """
    return PurePath(filename.strip()).suffix.lower().removeprefix(".")


def container_of(data: bytes) -> Container:
    """Tell what kind of file these bytes are.

    Args:
        data: The whole file.

    Returns:
        ``"parquet"``, ``"xlsx"``, or ``"text"`` for anything that may be text.

    Raises:
        CorpusError: An archive, an image, a program or another binary format.
    """
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _inside_zip(data)
    if data.startswith(b"PAR1"):
        return "parquet"
    for signature, archive in _ARCHIVES:
        if data.startswith(signature):
            raise CorpusError("corpus.archive", kind=archive)
    kind = _binary_kind(data)
    if kind is not None:
        raise CorpusError("corpus.binary", kind=kind)
    return "text"


def _binary_kind(data: bytes) -> str | None:
    """Name the binary format of a file that can never hold a table, if it is one."""
    if data.startswith(b"BZh") and data[4:10] == b"1AY&SY":
        raise CorpusError("corpus.archive", kind="bzip2")
    if data[257:262] == b"ustar":
        raise CorpusError("corpus.archive", kind="tar")
    if data.startswith(b"MZ") and b"\0" in data[:1024]:
        return "EXE"
    if data.startswith(b"RIFF") and data[8:12] in (b"WEBP", b"WAVE", b"AVI "):
        return data[8:12].decode("ascii").strip()
    if data[4:8] == b"ftyp" and b"\0" in data[:4]:
        return "MP4"
    if len(data) > 2 and data[0] == 0x80 and data[1] in range(2, 6) and data.endswith(b"."):
        return "pickle"
    return next((name for signature, name in _OTHERS if data.startswith(signature)), None)


def _inside_zip(data: bytes) -> Container:
    """Tell a workbook from any other zip by the parts that ISO/IEC 29500 requires.

    The end record (APPNOTE 4.3.16) is read first: a directory of many thousand parts is refused unread.
    """
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - 66_000))
    if end < 0 or int.from_bytes(data[end + 12 : end + 16], "little") > _DIRECTORY_BYTES:
        raise CorpusError("corpus.damaged", kind="ZIP / XLSX")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError) as error:
        raise CorpusError("corpus.damaged", kind="ZIP / XLSX") from error
    if "[Content_Types].xml" not in names:
        raise CorpusError("corpus.archive", kind="zip")
    if "xl/workbook.xml" in names:
        return "xlsx"
    raise CorpusError("corpus.binary", kind="Office")

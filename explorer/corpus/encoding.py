"""Bytes to characters: byte order marks first, then UTF-8, then UTF-16 without a mark, then a guess.

A guess is always reported. RFC 3629 makes valid UTF-8 with non-ASCII characters nearly impossible to mistake, so a
guess is only made where UTF-8 fails.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

from explorer.errors import CorpusError
from explorer.notices import Notice

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_GUESSES = ["gb18030", "cp1252", "latin_1", "big5", "shift_jis", "euc_jp", "euc_kr", "cp1251", "koi8_r"]
_SAMPLE_BYTES = 65_536
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_GB2312_PAIR = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_ASCII_LETTER = re.compile(rb"[A-Za-z]")
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")


@dataclass(frozen=True)
class Decoded:
    """A file's characters.

    Attributes:
        text: The characters, without a byte order mark.
        encoding: Python's name of the encoding.
        notices: Whether it was guessed, and how many characters could not be read.
    """

    text: str
    encoding: str
    notices: tuple[Notice, ...] = ()


def decode(data: bytes) -> Decoded:
    """Read bytes as characters.

    Args:
        data: A file that is not one of the known binary formats.

    Returns:
        The characters and the encoding that gave them.

    Raises:
        CorpusError: The bytes are no text in any encoding that is tried.
    """
    decoded = _marked(data) or _utf16_unmarked(data) or _utf8(data) or _guessed(data)
    if decoded is None or _looks_binary(decoded.text):
        raise CorpusError("corpus.not_text")
    return decoded


def _marked(data: bytes) -> Decoded | None:
    """Decode by the byte order mark, when there is one."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _lenient(data[len(mark) :], encoding)
    return None


def _lenient(data: bytes, encoding: str) -> Decoded:
    """Decode with a known encoding; what it cannot read becomes U+FFFD and is counted."""
    text = data.decode(encoding, errors="replace")
    replaced = text.count("\ufffd") - _own_replacements(data, encoding)
    notices = (
        (Notice("corpus.bytes_replaced", {"count": replaced, "encoding": encoding}),) if replaced > 0 else ()
    )
    return Decoded(text, encoding, notices)


def _own_replacements(data: bytes, encoding: str) -> int:
    """Count the U+FFFD that the file itself holds."""
    return data.count("\ufffd".encode(encoding))


def _is_utf8(data: bytes) -> bool:
    """Say whether bytes are valid UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _utf8(data: bytes) -> Decoded | None:
    """Decode as UTF-8, also when a few bytes of a long file are broken."""
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        pass
    try:
        return Decoded(data.decode("utf-8", errors="surrogatepass"), "utf-8")
    except UnicodeDecodeError:
        pass
    decoded = _lenient(data, "utf-8")
    broken = decoded.text.count("\ufffd")
    sound = sum(1 for character in decoded.text[:1_000_000] if character > "\x7f") - broken
    return decoded if sound >= 20 * broken else None


def _utf16_unmarked(data: bytes) -> Decoded | None:
    """Decode UTF-16 without a mark: its ASCII characters leave zero bytes on one side of every pair only.

    A stray zero byte in other text must not turn it into UTF-16, hence the least share of pairs that hold one.
    """
    sample = data[:_SAMPLE_BYTES]
    pairs = len(sample) // 2
    first, second = sample[0::2].count(0), sample[1::2].count(0)
    zeros = max(first, second)
    if len(data) % 2 or zeros < 2 or min(first, second) > 0 or zeros < 0.02 * pairs:
        return None
    if zeros < 0.5 * pairs and _is_utf8(data):
        return None
    encoding = "utf-16-le" if second else "utf-16-be"
    try:
        text = data.decode(encoding, errors="surrogatepass")
    except UnicodeDecodeError:
        return None
    return Decoded(text, encoding, (Notice("corpus.encoding_guessed", {"encoding": encoding}),))


def _guessed(data: bytes) -> Decoded | None:
    """Decode by the likeliest of the older encodings, judged on the lines that are not ASCII."""
    if data.count(0) > 0.1 * len(data):
        return None
    sample = _telling_lines(data)
    for encoding in _candidates(sample):
        try:
            text = data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        return Decoded(text, encoding, (Notice("corpus.encoding_guessed", {"encoding": encoding}),))
    return None


def _telling_lines(data: bytes) -> bytes:
    """Gather lines with a byte above 127, which alone tell one encoding from another."""
    found: list[bytes] = []
    size = 0
    for line in data.splitlines():
        if size < _SAMPLE_BYTES and _HIGH_BYTE.search(line):
            found.append(line[:4096])
            size += len(found[-1])
    return b"\n".join(found)


def _candidates(sample: bytes) -> list[str]:
    """Order the encodings to try, the likeliest first.

    In GB 18030 nearly all high bytes form pairs of the GB 2312 plane; in a Latin script most letters are ASCII.
    Between the others charset-normalizer judges.
    """
    high = len(_HIGH_BYTE.findall(sample))
    pairs = _GB2312_PAIR.findall(sample)
    if 2 * len(pairs) >= 0.9 * high and _is_chinese(sample, pairs):
        return ["gb18030"]
    if 2 * len(pairs) < 0.5 * high and high < 0.4 * (high + len(_ASCII_LETTER.findall(sample))):
        return ["cp1252", "latin_1"]
    return [*(match.encoding for match in from_bytes(sample, cp_isolation=_GUESSES)), "cp1252", "latin_1"]


def _is_chinese(sample: bytes, pairs: list[bytes]) -> bool:
    """Say whether byte pairs are GB 18030 rather than EUC-KR (no hangul above 0xC8) or EUC-JP (kana at 0xA4, 0xA5)."""
    try:
        sample.decode("gb18030")
    except UnicodeDecodeError:
        return False
    hanzi = sum(0xC9 <= pair[0] <= 0xF7 for pair in pairs)
    kana = sum(pair[0] in (0xA4, 0xA5) for pair in pairs)
    return hanzi >= 0.1 * len(pairs) and kana < 0.2 * len(pairs)


def _looks_binary(text: str) -> bool:
    """Say whether control characters are too many for text that a person wrote."""
    sample = text[:200_000]
    controls = len(_CONTROL.findall(sample))
    return controls > 8 and controls > 0.05 * len(sample)

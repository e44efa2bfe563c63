"""Put another number in the place of one: twice as much, half of a percentage, a year ten years earlier."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from explorer.service.changes.change import Edit

_DIGITS = re.compile(r"(?<![A-Za-z0-9_.,])(\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(\.\d{1,9})?(?![0-9_])(%|％)?")
_YEARS = range(1000, 2100)
_YEARS_BACK = 10

_WORDS = {
    "two": "four",
    "three": "six",
    "four": "eight",
    "five": "ten",
    "six": "twelve",
    "seven": "fourteen",
    "eight": "sixteen",
    "nine": "eighteen",
    "ten": "twenty",
    "eleven": "twenty-two",
    "twelve": "twenty-four",
    "fifteen": "thirty",
    "twenty": "forty",
    "thirty": "sixty",
    "forty": "eighty",
    "fifty": "twenty",
}
"""Numbers as words: doubled, as long as the double is one word."""
_WORD = re.compile(rf"(?<![\w-])({'|'.join(_WORDS)})(?![\w-])", re.IGNORECASE)

_NUMERALS = {numeral: value for value, numeral in enumerate("零一二三四五六七八九")} | {"两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000}
_MEASURES = (
    "小时|分钟|公里|公斤|毫升|平方|个月|摄氏度|"
    "[秒天日周月年岁次个倍位种块元人克斤升米度瓦点篇只条张件成滴碗勺片层颗英里]"
)
_CHINESE = re.compile(
    rf"(?<![零一二两三四五六七八九十百千万第])([零一二两三四五六七八九十百千万]{{1,9}})(?={_MEASURES})"
)


def change_number(text: str) -> Iterator[Edit]:
    """Replace one number by another of the same form.

    Args:
        text: Any text; digits, English words from two to fifty, and Chinese numerals before a measure word.

    Yields:
        One edit for each number, in reading order.
    """
    edits = [Edit(found.start(), found.end(), _other_digits(found)) for found in _DIGITS.finditer(text)]
    edits += [Edit(found.start(), found.end(), _other_word(found.group())) for found in _WORD.finditer(text)]
    edits += [
        Edit(found.start(), found.end(), _written(2 * _read(found.group())))
        for found in _CHINESE.finditer(text)
        if 0 < _read(found.group()) < 5000
    ]
    yield from sorted(edits, key=lambda edit: edit.start)


def _other_digits(found: re.Match[str]) -> str:
    whole, decimals, percent = found.group(1), found.group(2) or "", found.group(3) or ""
    value = Decimal(whole.replace(",", "") + decimals)
    if len(whole) == 4 and not decimals and int(whole) in _YEARS:
        return f"{int(value) - _YEARS_BACK}{percent}"
    other = value / 2 if percent and value > 50 else value * 2 or Decimal(1)
    places = max(len(decimals) - 1, 0)
    return f"{other:{',' if ',' in whole else ''}.{places}f}{percent}"


def _other_word(word: str) -> str:
    other = _WORDS[word.lower()]
    return other.capitalize() if word[0].isupper() else other


def _read(numeral: str) -> int:
    """Read a Chinese numeral below a hundred million."""
    total, section, digit = 0, 0, 0
    for character in numeral:
        if character in _NUMERALS:
            digit = _NUMERALS[character]
        elif character == "万":
            total, section, digit = (section + digit) * 10_000, 0, 0
        else:
            section, digit = section + (digit or 1) * _UNITS[character], 0
    return total + section + digit


def _written(value: int) -> str:
    """Write a number from 1 to 9,999 as a Chinese numeral before a measure word."""
    if value == 2:
        return "两"
    written, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, unit)
        if digit:
            written += ("零" if gap else "") + "零一二三四五六七八九"[digit] + name
        gap = bool(written) and not digit
    return written.removeprefix("一") if written.startswith("一十") else written

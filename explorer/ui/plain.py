"""Small pieces of fixed markup around text that is never markup: everything from outside is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from explorer.notices import Notice
from explorer.texts import Language


def notice_lines(notices: Iterable[Notice], language: Language) -> str:
    """Write notices as paragraphs.

    Args:
        notices: What a reader should know.
        language: The visitor's language.

    Returns:
        HTML; empty when there is nothing to say.
    """
    return "".join(f"<p>{escape(notice.text(language))}</p>" for notice in notices)


def source_line(*sentences: str) -> str:
    """Write where numbers came from, or what to do next, as one quiet line.

    Args:
        *sentences: Plain sentences; empty ones are left out.

    Returns:
        HTML.
    """
    return f"<div class='source'>{' '.join(escape(sentence) for sentence in sentences if sentence)}</div>"


def pair_panel(left: tuple[str, str, str], right: tuple[str, str, str], number: str, meaning: str) -> str:
    """Write two texts side by side with a number about both.

    Args:
        left: Kind (``"query"`` or ``"document"``), heading and text of the first.
        right: The same of the second.
        number: As it is written.
        meaning: What it is.

    Returns:
        HTML.
    """
    sides = "".join(
        f"<div class='side {kind}'><small>{escape(heading)}</small>{escape(text)}</div>"
        for kind, heading, text in (left, right)
    )
    return f"<div class='pair'>{sides}<div class='number'>{number}<br><small>{escape(meaning)}</small></div></div>"


def document_panel(heading: str, text: str, facts: Iterable[tuple[str, str]]) -> str:
    """Write one document with its columns.

    Args:
        heading: What the reader sees above it.
        text: The document.
        facts: Column names and values.

    Returns:
        HTML.
    """
    values = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    body = f"<p>{escape(text)}</p><dl>{values}</dl>"
    return f"<div class='document-panel'><small>{escape(heading)}</small>{body}</div>"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """Write a table of plain text.

    Args:
        headers: Names of the columns.
        rows: Cells, as many in each row as there are headers.
        caption: Sentence above the table.

    Returns:
        HTML.
    """
    head = "".join(f"<th scope='col'>{escape(header)}</th>" for header in headers)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    # A long table scrolls in its frame, which the keyboard must reach.
    whole = f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div class='plain-table' tabindex='0'>{whole}</div>"

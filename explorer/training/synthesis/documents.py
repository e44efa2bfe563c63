"""Documents that pairs are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from explorer.corpus.readers import read_table
from explorer.corpus.table import Table
from explorer.errors import InputError
from explorer.training.pairs.pair import checked_language

_COLUMNS = {
    "text": ("text", "body", "document", "passage", "content", "definition", "description"),
    "title": ("title", "term", "name", "headline"),
    "language": ("language", "lang"),
    "label": ("label", "topic", "category", "class"),
}
"""Column names that are understood, the likeliest first."""


@dataclass(frozen=True)
class SourceDocument:
    """One text to make pairs from.

    Attributes:
        text: The text itself.
        title: Its title, or the term that it defines; empty when it has none.
        language: BCP 47 tag of the text.
        label: The class it belongs to; empty when unknown.
    """

    text: str
    title: str = ""
    language: str = "en"
    label: str = ""


@dataclass(frozen=True)
class Batch:
    """Some of the documents, and what must be known of all.

    Attributes:
        documents: The documents of this batch.
        first: Number of the first of them among all, from 0; draws depend on it.
        labels: Every label that any of all documents has, each once.
    """

    documents: tuple[SourceDocument, ...]
    first: int
    labels: tuple[str, ...]


def read_documents(path: Path, language: str = "en") -> list[SourceDocument]:
    """Read documents from a file that the corpus readers understand (CSV, JSONL, TXT and others).

    Args:
        path: A table with a column called ``text``, and perhaps ``title``, ``language`` and ``label`` or ``topic``;
            or plain text with a document a line.
        language: BCP 47 tag of rows that name none.

    Returns:
        The documents that are not empty, in the file's order.

    Raises:
        InputError: The file cannot be opened, has no column of texts, or holds a wrong language tag.
        CorpusError: It cannot be read as a table.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError("pairs.unreadable", file=path.name) from error
    return documents_of(read_table(data, path.name), language)


def documents_of(table: Table, language: str = "en") -> list[SourceDocument]:
    """Take documents from a table that has been read.

    Args:
        table: See :func:`read_documents` for its columns.
        language: BCP 47 tag of rows that name none.

    Returns:
        The documents that are not empty.

    Raises:
        InputError: It has no column of texts, or holds a wrong language tag.
    """
    texts = _column(table, "text")
    if texts is None:
        raise InputError("pairs.no_text_column", known=", ".join(_COLUMNS["text"]))
    blank = [""] * len(texts)
    titles, languages, labels = (_column(table, role) or blank for role in ("title", "language", "label"))
    return [
        SourceDocument(text.strip(), title.strip(), checked_language(tag.strip() or language), label.strip())
        for text, title, tag, label in zip(texts, titles, languages, labels, strict=True)
        if text.strip()
    ]


def _column(table: Table, role: str) -> Sequence[str] | None:
    """Find the first column whose name says that it has a role."""
    names = {name.strip().lower(): name for name in table.columns}
    for known in _COLUMNS[role]:
        if known in names:
            return [str(cell) for cell in table.frame[names[known]]]
    return None

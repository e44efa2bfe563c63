"""Choosing one of the view's documents within a panel."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from explorer.service.limits import LIMITS, checked_texts
from explorer.ui.language import LABELS
from explorer.ui.panels.view import documents_from

LABEL_CHARACTERS = 42


@dataclass(frozen=True)
class ChosenDocument:
    """One document and the list it was chosen from.

    Attributes:
        text: The document.
        choice: Update of the drop-down list.
    """

    text: str
    choice: gr.Dropdown


def document_choice(panel: str) -> gr.Dropdown:
    """Give the drop-down list of a panel.

    Args:
        panel: Name of the panel, for the element's id.
    """
    return gr.Dropdown(
        [],
        value=None,
        label=LABELS("prompt.document"),
        elem_id=f"{panel}-document",
        scale=3,
        filterable=False,
    )


def choose_document(
    index: int | None, source: str, lines: str, table: list[list[str]], file: str | None, column: str | None
) -> ChosenDocument:
    """Take one of the documents that the view holds now.

    Args:
        index: Which of those that hold text; the nearest there is when there are not so many.
        source: See :func:`explorer.ui.panels.view.documents_from`, as for the others.
        lines: Pasted lines.
        table: Rows of one cell.
        file: Path of an uploaded file.
        column: Its column that holds the documents.

    Returns:
        The document and the list.

    Raises:
        InputError: There are no documents, or too many.
    """
    given = documents_from(source, lines, table, file, column)
    documents, _ = checked_texts(given, LIMITS.rerank_documents, "service.documents_empty")
    at = min(max(index or 0, 0), len(documents) - 1)
    labels = [
        f"{place}. {' '.join(text.split())[:LABEL_CHARACTERS]}"
        for place, text in enumerate(documents, start=1)
    ]
    choices = [(label, place) for place, label in enumerate(labels)]
    return ChosenDocument(documents[at], gr.Dropdown(choices=choices, value=at))

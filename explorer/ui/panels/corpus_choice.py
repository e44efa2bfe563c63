"""Which documents a panel searches: those of the view, the demo corpus, or those of the Map."""

from __future__ import annotations

import json
from typing import Literal, get_args

import gradio as gr

from explorer.service.searched import Source
from explorer.ui.jobs import INSTANT
from explorer.ui.language import LABELS
from explorer.ui.panels.view import RerankView, documents_from

CorpusChoice = Literal["demo", "map", "view"]
CORPORA: tuple[CorpusChoice, ...] = get_args(CorpusChoice)


def corpus_radio(panel: str, view: RerankView) -> gr.Radio:
    """Lay out the choice; it turns to the view's documents as soon as a visitor brings some.

    Args:
        panel: Name of the panel, for the element's id.
        view: Where a visitor brings documents.

    Returns:
        The choice, one of :data:`CORPORA`.
    """
    choice = gr.Radio(
        [(LABELS(f"two_stages.source_{name}"), name) for name in CORPORA],
        value=CORPORA[0],
        label=LABELS("two_stages.source"),
        elem_id=f"{panel}-source",
    )
    for brought, place in ((view.lines.change, "rerank-lines"), (view.table.change, "rerank-table")):
        brought(None, choice, choice, js=typed_in(place, "view"), **INSTANT)
    view.file.upload(lambda: "view", None, choice, **INSTANT)
    return choice


def typed_in(place: str, value: str) -> str:
    """Write the browser's answer to a change: another value when a visitor typed or pasted, else the value as it was.

    An example and a link change inputs too, but nobody's cursor stands in them; gradio's own event for typing does not
    come when a text is pasted.

    Args:
        place: Id of the element that a visitor types in.
        value: What a typed change sets.

    Returns:
        JavaScript for an event whose input and output are the same component.
    """
    return f"(held) => document.activeElement?.closest('#{place}') ? {json.dumps(value)} : held"


def source_of(
    choice: CorpusChoice,
    project: str | None,
    source: str,
    lines: str,
    table: list[list[str]],
    file: str | None,
    column: str | None,
) -> Source:
    """Take the documents from where the visitor chose.

    Args:
        choice: One of :data:`CORPORA`.
        project: Name of the project that the Map view shows; None before its first map.
        source: And the others: the view's documents, see :func:`explorer.ui.panels.view.documents_from`.
        lines: Pasted lines.
        table: Rows of one cell.
        file: Path of an uploaded file.
        column: Its column that holds the documents.

    Returns:
        What the service searches.

    Raises:
        InputError: There is no file, or it cannot be read.
    """
    if choice == "demo":
        return Source()
    if choice == "map":
        return Source(project=project or "")
    return Source(documents=documents_from(source, lines, table, file, column))

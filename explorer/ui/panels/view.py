"""What a panel can read of the Rerank view: its inputs, its last result and the chosen document."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from explorer.errors import InputError
from explorer.service import uploads
from explorer.service.limits import pasted_lines


@dataclass(frozen=True)
class RerankView:
    """Components of the Rerank view that its panels read.

    Attributes:
        query: What is looked for.
        instruction: What counts as relevant.
        source: Where the documents come from: lines, table or file.
        lines: Documents, one a line.
        table: Documents, one a row.
        file: A file with documents.
        column: The file's column that holds them.
        template: Which official prompt.
        shown: The last :class:`~explorer.service.rerank.Reranking`, or None.
        chosen: Index of the document whose card was clicked; the best one's at first.
        project: Name of the project that the Map view shows, or None.
    """

    query: gr.Textbox
    instruction: gr.Textbox
    source: gr.Radio
    lines: gr.Textbox
    table: gr.Dataframe
    file: gr.File
    column: gr.Dropdown
    template: gr.Radio
    shown: gr.State
    chosen: gr.State
    project: gr.State

    @property
    def documents(self) -> list[Any]:
        """The inputs that :func:`documents_from` takes, in its order."""
        return [self.source, self.lines, self.table, self.file, self.column]


def documents_from(
    source: str, lines: str, table: list[list[str]], file: str | None, column: str | None
) -> list[str]:
    """Take the documents from where the visitor put them.

    Args:
        source: ``"lines"``, ``"table"`` or ``"file"``.
        lines: Pasted lines.
        table: Rows of one cell.
        file: Path of an uploaded file.
        column: Its column that holds the documents.

    Returns:
        The documents, unchecked.

    Raises:
        InputError: There is no file, or it cannot be read.
    """
    if source == "lines":
        return pasted_lines(lines)
    if source == "table":
        return [str(row[0] or "") for row in table if row]
    if file is None:
        raise InputError("rerank.no_file")
    return list(uploads.read_texts(Path(file), column).texts)

"""The link of the Rerank view, and its code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from explorer.service.links import LinkedInputs
from explorer.service.rerank import RerankTemplate
from explorer.ui.jobs import said
from explorer.ui.panels.view import documents_from
from explorer.ui.rerank_parts import Parts
from explorer.ui.share.link import connect_link, linked, restored


def share_rerank(parts: Parts, inputs: Sequence[Any], results: Sequence[Any]) -> None:
    """Connect the button for the link, and write the code after each result.

    Args:
        parts: The view.
        inputs: Its inputs, in the order in which :func:`explorer.ui.rerank_tab.Handlers.run` takes them.
        results: The events that end with a result.
    """
    connect_link(parts.link, inputs, _link)
    for result in results:
        parts.write_code(result)


@said
def _link(
    query: str,
    instruction: str,
    source: str,
    lines: str,
    table: list[list[str]],
    file: str | None,
    column: str | None,
    template: RerankTemplate,
    tab: str,
    request: gr.Request,
) -> tuple[str, gr.Textbox]:
    """Write the link of what the view holds; documents of a file go into it as texts."""
    documents = [text for text in documents_from(source, lines, table, file, column) if text.strip()]
    return linked(LinkedInputs("rerank", (query,), tuple(documents), instruction, template, tab))


def restored_rerank(parts: Parts, after: Callable[..., Any], tabs: Sequence[str]) -> Any:  # noqa: ANN401
    """Fill the view when the page was opened by one of its links.

    Args:
        parts: The view.
        after: What opens the page.
        tabs: Names of the panels.

    Returns:
        The event, after which the view may run.
    """

    def fill(inputs: LinkedInputs) -> tuple[Any, ...]:
        """Give the inputs; a document of several lines needs the table."""
        lines = not any("\n" in document or "\r" in document for document in inputs.documents)
        tab = gr.Tabs(selected=inputs.tab) if inputs.tab in tabs else gr.skip()
        return (
            inputs.queries[0] if inputs.queries else "",
            inputs.instruction,
            "lines" if lines else "table",
            "\n".join(inputs.documents) if lines else gr.skip(),
            [[document] for document in inputs.documents],
            inputs.template,
            None,
            "",
            tab,
        )

    outputs = [
        parts.query,
        parts.instruction,
        parts.source,
        parts.lines,
        parts.table,
        parts.template,
        parts.example,
        parts.note,
        parts.tools,
    ]
    return restored(after, "rerank", outputs, fill)

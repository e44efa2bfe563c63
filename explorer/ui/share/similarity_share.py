"""The link of the Similarity view, and its code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from explorer.service.limits import pasted_lines
from explorer.service.links import LinkedInputs
from explorer.ui.jobs import said
from explorer.ui.share.link import connect_link, linked, restored
from explorer.ui.similarity_parts import Parts


def share_similarity(parts: Parts, results: Sequence[Any]) -> None:
    """Connect the button for the link, and write the code after each result.

    Args:
        parts: The view.
        results: The events that end with a comparison.
    """
    texts = parts.texts
    connect_link(parts.link, [texts.queries, texts.documents, texts.instruction], _link)
    for result in results:
        parts.write_code(result)


@said
def _link(
    queries: str, documents: str, instruction: str | None, tab: str, request: gr.Request
) -> tuple[str, gr.Textbox]:
    """Write the link of what the view holds."""
    asked, read = (
        tuple(line for line in pasted_lines(text) if line.strip()) for text in (queries, documents)
    )
    return linked(LinkedInputs("similarity", asked, read, instruction or ""))


def restored_similarity(parts: Parts, after: Callable[..., Any]) -> Any:  # noqa: ANN401
    """Fill the view when the page was opened by one of its links.

    Args:
        parts: The view.
        after: What opens the page.

    Returns:
        The event, after which the view may run.
    """

    def fill(inputs: LinkedInputs) -> tuple[Any, ...]:
        """Give the inputs; a line break within a text becomes a space, as every line is a text."""
        sides = (
            "\n".join(" ".join(text.split()) for text in side) for side in (inputs.queries, inputs.documents)
        )
        return (*sides, inputs.instruction or None)

    texts = parts.texts
    return restored(after, "similarity", [texts.queries, texts.documents, texts.instruction], fill)

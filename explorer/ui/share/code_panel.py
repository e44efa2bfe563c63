"""*Use via code*: the calls that give what is on screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import gradio as gr

from explorer.service.code import code_of
from explorer.service.compare import Comparison
from explorer.service.rerank import Reranking
from explorer.service.workspace import Workspace
from explorer.ui.components import CodeBlock, code_block_data, part_words
from explorer.ui.jobs import QUIET, said
from explorer.ui.language import LABELS, language_of


def code_panel(workspace: Workspace, view: str, shown: gr.State) -> Callable[[Any], None]:
    """Lay out the panel of one view; it is written when it is opened.

    Args:
        workspace: Where the models are.
        view: The view's name, which begins every element's id.
        shown: The result on screen.

    Returns:
        A function that is given the view's event of a new result, after which the panel is written anew.
    """
    with gr.Accordion(LABELS("code.panel"), open=False, elem_id=f"{view}-code-panel") as panel:
        gr.Markdown(LABELS("code.about"), elem_classes="reading")
        block = CodeBlock(elem_id=f"{view}-code")

    @said
    def written(result: Reranking | Comparison | None, request: gr.Request) -> CodeBlock:
        """Write the code of the result on screen."""
        words = part_words("code", language_of(request))
        if result is None:
            return CodeBlock(words=words)
        code = code_of(workspace, result, _address(request))
        return CodeBlock(data=code_block_data(asdict(code)), words=words)

    panel.expand(written, shown, block, **QUIET)
    return lambda result: result.then(written, shown, block, **QUIET)


def _address(request: gr.Request) -> str:
    """Give the page's address as the visitor's browser sees it."""
    headers = request.headers
    return str(headers.get("origin") or f"http://{headers.get('host', '127.0.0.1:7860')}")

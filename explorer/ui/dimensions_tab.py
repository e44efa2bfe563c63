"""The Dimensions view: a slider over the Matryoshka dimensions that works in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from explorer.service import dimensions
from explorer.service.examples import comparison_example
from explorer.service.prompts import default_instruction
from explorer.service.workspace import Workspace
from explorer.texts import say
from explorer.ui.components import DimensionsView, dimensions_data, part_words
from explorer.ui.jobs import QUIET, follow, on_device, said
from explorer.ui.language import LABELS, language_of
from explorer.ui.plain import notice_lines, source_line


@dataclass(frozen=True)
class Parts:
    """The components of this view."""

    queries: gr.Textbox
    documents: gr.Textbox
    instruction: gr.Textbox
    run: gr.Button
    stop: gr.Button
    view: DimensionsView
    caption: gr.HTML
    notices: gr.HTML


def components() -> Parts:
    """Lay out the view: the slider and what it moves first, the texts folded below."""
    example = comparison_example()
    gr.Markdown(LABELS("dimensions.lead"), elem_classes="lead")
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            queries = gr.Textbox(
                "\n".join(example.queries),
                label=LABELS("ui.queries"),
                lines=6,
                max_lines=12,
                elem_id="dimensions-queries",
            )
            documents = gr.Textbox(
                "\n".join(example.documents),
                label=LABELS("ui.documents"),
                lines=10,
                max_lines=18,
                elem_id="dimensions-documents",
            )
            instruction = gr.Textbox(
                default_instruction(),
                label=LABELS("ui.instruction"),
                lines=2,
                elem_id="dimensions-instruction",
            )
            with gr.Row():
                run = gr.Button(
                    LABELS("dimensions.run"), variant="primary", elem_id="dimensions-run", scale=3
                )
                stop = gr.Button(LABELS("ui.stop"), elem_id="dimensions-stop", scale=1, min_width=80)
        with gr.Column(scale=2, min_width=320):
            view = DimensionsView(elem_id="dimensions-view")
            caption = gr.HTML(elem_id="dimensions-caption")
            notices = gr.HTML(elem_classes="notices", elem_id="dimensions-notices")
            with gr.Accordion(LABELS("ui.how_to_read"), open=False):
                gr.Markdown(LABELS("dimensions.reading"), elem_classes="reading")
    return Parts(queries, documents, instruction, run, stop, view, caption, notices)


class Handlers:
    """What happens when a visitor does something here."""

    def __init__(self, workspace: Workspace) -> None:
        """Remember where the models are."""
        self.workspace = workspace

    @said
    def run(
        self,
        queries: str,
        documents: str,
        instruction: str,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Embed the texts once, at full size; every smaller size is cut from these vectors in the browser."""
        language = language_of(request)
        job = dimensions.embed_for_slider(
            self.workspace, queries.splitlines(), documents.splitlines(), instruction
        )
        for result in follow(job, progress, language):
            if result is None:
                yield (gr.skip(),) * 3
                continue
            data = dimensions_data(
                result.queries, result.documents, result.query_vectors, result.document_vectors
            )
            caption = say("similarity.model_line", language, embedding=result.provenance.line)
            view = DimensionsView(data=data, words=part_words("dimensions", language))
            yield view, source_line(caption), notice_lines(result.notices, language)


def build(workspace: Workspace, page: gr.Blocks) -> None:
    """Lay out the view and connect it.

    Args:
        workspace: Where the models are.
        page: The page, for what happens when it opens.
    """
    parts, handlers = components(), Handlers(workspace)
    inputs = [parts.queries, parts.documents, parts.instruction]
    outputs = [parts.view, parts.caption, parts.notices]
    heavy = on_device(parts.caption)
    first = page.load(handlers.run, inputs, outputs, **heavy)
    pressed = gr.on([parts.run.click, parts.instruction.submit], handlers.run, inputs, outputs, **heavy)
    parts.stop.click(None, cancels=[first, pressed], **QUIET)

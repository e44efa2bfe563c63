"""The Dimensions view: a slider over the Matryoshka dimensions that works in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from explorer.figures.matryoshka import dimensions_curve
from explorer.service import dimensions
from explorer.service.dimensions import SliderVectors
from explorer.service.limits import pasted_lines
from explorer.service.workspace import Workspace
from explorer.texts import Language, say
from explorer.ui.components import DimensionsView, FigureView, dimensions_data, part_words
from explorer.ui.jobs import QUIET, follow, on_device, said
from explorer.ui.language import LABELS, language_of
from explorer.ui.plain import notice_lines, source_line
from explorer.ui.text_inputs import TextInputs, text_inputs


@dataclass(frozen=True)
class Parts:
    """The components of this view."""

    texts: TextInputs
    view: DimensionsView
    curve: FigureView
    caption: gr.HTML
    notices: gr.HTML


def components() -> Parts:
    """Lay out the view: texts in the left third, the slider and what it moves at the right."""
    gr.Markdown(LABELS("dimensions.lead"), elem_classes="lead")
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            texts = text_inputs("dimensions")
        with gr.Column(scale=2, min_width=320):
            view = DimensionsView(elem_id="dimensions-view")
            curve = FigureView(height=300, elem_id="dimensions-curve")
            caption = gr.HTML(elem_id="dimensions-caption")
            notices = gr.HTML(elem_classes="notices", elem_id="dimensions-notices")
            with gr.Accordion(LABELS("ui.how_to_read"), open=False):
                gr.Markdown(LABELS("dimensions.reading"), elem_classes="reading")
    return Parts(texts, view, curve, caption, notices)


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
            self.workspace, pasted_lines(queries), pasted_lines(documents), instruction
        )
        for result in follow(job, progress, language):
            if result is None:
                yield (gr.skip(),) * 4
                continue
            data = dimensions_data(
                result.queries, result.documents, result.query_vectors, result.document_vectors
            )
            caption = say("similarity.model_line", language, embedding=result.provenance.line)
            view = DimensionsView(data=data, words=part_words("dimensions", language))
            yield (
                view,
                curve_view(result, language),
                source_line(caption),
                notice_lines(result.notices, language),
            )


def curve_view(result: SliderVectors, language: Language) -> FigureView:
    """Draw how much of the full ranking each size keeps."""
    figure = dimensions_curve(result.curve, language)
    return FigureView(figure=figure.to_json(), words=part_words("figure", language))


def build(workspace: Workspace, page: gr.Blocks) -> None:
    """Lay out the view and connect it.

    Args:
        workspace: Where the models are.
        page: The page, for what happens when it opens.
    """
    parts, handlers = components(), Handlers(workspace)
    texts = parts.texts
    inputs = [texts.queries, texts.documents, texts.instruction]
    outputs = [parts.view, parts.curve, parts.caption, parts.notices]
    heavy = on_device(parts.caption)
    first = page.load(handlers.run, inputs, outputs, **heavy)
    pressed = gr.on([texts.run.click, texts.instruction.input], handlers.run, inputs, outputs, **heavy)
    texts.stop.click(None, cancels=[first, pressed], **QUIET)

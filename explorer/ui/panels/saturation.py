"""The saturation meter: whether P(yes) of the last ranking still tells its documents apart."""

from __future__ import annotations

import gradio as gr

from explorer.service.rerank import Reranking
from explorer.service.saturation import saturation_of
from explorer.service.workspace import Workspace
from explorer.texts import say
from explorer.ui.components import SaturationLines, part_words, saturation_lines_data
from explorer.ui.jobs import QUIET, said
from explorer.ui.language import LABELS, language_of
from explorer.ui.panels.view import RerankView
from explorer.ui.plain import source_line


@said
def measure(shown: Reranking | None, request: gr.Request) -> tuple[SaturationLines, str]:
    """Measure what the ranking holds; the model does not run again."""
    language = language_of(request)
    words = part_words("saturation", language)
    if shown is None:
        return SaturationLines(data="", words=words), ""
    result = saturation_of(shown.documents, shown.scores)
    model = result.scores.provenance
    bundled = say("rerank.bundled_line", language) if model.weights == "bundled" else ""
    caption = source_line(
        say("saturation.model_line", language, reranker=model.line),
        say("saturation.simulated" if result.both_logits else "saturation.simulated_difference", language),
        bundled,
    )
    return SaturationLines(data=saturation_lines_data(result), words=words), caption


def build(workspace: Workspace, view: RerankView, tab: gr.Tab) -> None:
    """Lay out the panel and connect it; it follows the ranking.

    Args:
        workspace: Where the models are; nothing is computed here.
        view: What it reads of the Rerank view.
        tab: Its tab.
    """
    gr.Markdown(LABELS("saturation.lead"), elem_classes="lead")
    lines = SaturationLines(elem_id="saturation-lines")
    caption = gr.HTML(elem_id="saturation-caption")
    with gr.Accordion(LABELS("ui.how_to_read"), open=False):
        gr.Markdown(LABELS("saturation.reading"), elem_classes="reading")
    gr.on([tab.select, view.shown.change], measure, view.shown, [lines, caption], **QUIET)

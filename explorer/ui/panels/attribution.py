"""Attribution: the words of one document's pair, coloured by how they moved the score."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from explorer.service.attribution import PairAttribution, attribute
from explorer.service.rerank import RerankTemplate
from explorer.service.workspace import Workspace
from explorer.texts import Language, say
from explorer.ui.components import AttributionText, attribution_data, part_words
from explorer.ui.jobs import QUIET, follow, on_device, said
from explorer.ui.language import LABELS, language_of
from explorer.ui.panels.chosen_document import choose_document, document_choice
from explorer.ui.panels.view import RerankView
from explorer.ui.plain import notice_lines, source_line


class Handlers:
    """What happens when a visitor does something here."""

    def __init__(self, workspace: Workspace) -> None:
        """Remember where the models are."""
        self.workspace = workspace

    @said
    def run(
        self,
        index: int | None,
        query: str,
        instruction: str,
        template: RerankTemplate,
        source: str,
        lines: str,
        table: list[list[str]],
        file: str | None,
        column: str | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Weigh the words of one document that the view holds."""
        language = language_of(request)
        chosen = choose_document(index, source, lines, table, file, column)
        job = attribute(self.workspace, query, chosen.text, instruction, template)
        for result in follow(job, progress, language):
            if result is None:
                yield (chosen.choice, *(gr.skip(),) * 3)
            else:
                yield chosen.choice, *show(result, language)


def show(result: PairAttribution, language: Language) -> tuple[AttributionText, str, str]:
    """Hand a result to the text and the captions."""
    lines = [
        say(
            "attribution.model_line",
            language,
            log_odds=f"{result.log_odds:+.2f}",
            reranker=result.provenance.line,
            template=say(f"rerank.template_{result.template}", language),
        )
    ]
    if result.provenance.weights == "bundled":
        lines.append(say("rerank.bundled_line", language))
    text = AttributionText(data=attribution_data(result), words=part_words("attribution", language))
    return text, source_line(*lines), notice_lines(result.notices, language)


def build(workspace: Workspace, view: RerankView, tab: gr.Tab) -> None:
    """Lay out the panel and connect it.

    Args:
        workspace: Where the models are.
        view: What it reads of the Rerank view.
        tab: Its tab.
    """
    handlers = Handlers(workspace)
    gr.Markdown(LABELS("attribution.lead"), elem_classes="lead")
    with gr.Row(equal_height=False):
        choice = document_choice("attribution")
        run = gr.Button(LABELS("attribution.run"), elem_id="attribution-run", scale=1, min_width=140)
        stop = gr.Button(LABELS("ui.stop"), elem_id="attribution-stop", scale=1, min_width=80)
    caption = gr.HTML(elem_id="attribution-caption")
    notices = gr.HTML(elem_classes="notices", elem_id="attribution-notices")
    text = AttributionText(elem_id="attribution-text")
    with gr.Accordion(LABELS("ui.how_to_read"), open=False):
        gr.Markdown(LABELS("attribution.reading"), elem_classes="reading")
    inputs = [view.query, view.instruction, view.template, *view.documents]
    outputs = [choice, text, caption, notices]
    heavy = on_device(caption)
    opened = tab.select(handlers.run, [view.chosen, *inputs], outputs, **heavy)
    pressed = run.click(handlers.run, [choice, *inputs], outputs, **heavy)
    chosen = choice.input(handlers.run, [choice, *inputs], outputs, **heavy)
    stop.click(None, cancels=[opened, pressed, chosen], **QUIET)

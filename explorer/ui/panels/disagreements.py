"""Disagreements: all pairs of queries and documents by cosine and by log-odds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from explorer.service.disagreements import Disagreements, disagreements
from explorer.service.judgements import plain_queries
from explorer.service.limits import pasted_lines
from explorer.service.rerank import RerankTemplate
from explorer.service.workspace import Workspace
from explorer.texts import Language, say
from explorer.ui.components import QuadrantPlot, part_words, quadrant_plot_data
from explorer.ui.jobs import QUIET, follow, on_device, said
from explorer.ui.language import LABELS, language_of
from explorer.ui.panels.corpus_choice import CorpusChoice, corpus_radio, source_of
from explorer.ui.panels.view import RerankView
from explorer.ui.plain import notice_lines, source_line

SHOWN_FIRST = 4
"""Demo queries that stand in the panel at first."""

DOCUMENTS = 40
"""Documents that are read at first: few enough to wait for, enough for both lists to hold something."""


@dataclass(frozen=True)
class Parts:
    """The components of this panel."""

    corpus: gr.Radio
    queries: gr.Textbox
    documents: gr.Slider
    run: gr.Button
    stop: gr.Button
    plot: QuadrantPlot
    caption: gr.HTML
    notices: gr.HTML


def components(view: RerankView) -> Parts:
    """Lay out the panel: what is paired, then the plot."""
    gr.Markdown(LABELS("disagreements.lead"), elem_classes="lead")
    corpus = corpus_radio("disagreements", view)
    with gr.Row():
        queries = gr.Textbox(
            "\n".join(plain_queries()[:SHOWN_FIRST]),
            label=LABELS("disagreements.queries"),
            info=LABELS("disagreements.queries_info"),
            lines=4,
            max_lines=10,
            elem_id="disagreements-queries",
            scale=3,
        )
        documents = gr.Slider(
            5,
            100,
            value=DOCUMENTS,
            step=1,
            label=LABELS("disagreements.documents"),
            elem_id="disagreements-documents",
            scale=2,
        )
    with gr.Row():
        run = gr.Button(LABELS("disagreements.run"), elem_id="disagreements-run", scale=3)
        stop = gr.Button(LABELS("ui.stop"), elem_id="disagreements-stop", scale=1, min_width=80)
    plot = QuadrantPlot(elem_id="disagreements-plot")
    caption = gr.HTML(elem_id="disagreements-caption")
    notices = gr.HTML(elem_classes="notices", elem_id="disagreements-notices")
    with gr.Accordion(LABELS("ui.how_to_read"), open=False):
        gr.Markdown(LABELS("disagreements.reading"), elem_classes="reading")
    return Parts(corpus, queries, documents, run, stop, plot, caption, notices)


class Handlers:
    """What happens when a visitor does something here."""

    def __init__(self, workspace: Workspace) -> None:
        """Remember where the models are."""
        self.workspace = workspace

    @said
    def run(
        self,
        query: str,
        instruction: str,
        template: RerankTemplate,
        queries: str,
        documents: float,
        corpus: CorpusChoice,
        project: str | None,
        source: str,
        lines: str,
        table: list[list[str]],
        file: str | None,
        column: str | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Judge all pairs of what the view and this panel hold."""
        language = language_of(request)
        paired = source_of(corpus, project, source, lines, table, file, column)
        asked = [line for line in (query, *pasted_lines(queries)) if line.strip()]
        job = disagreements(self.workspace, asked, paired, int(documents), instruction, template)
        for result in follow(job, progress, language):
            yield (gr.skip(),) * 3 if result is None else show(result, language)


def show(result: Disagreements, language: Language) -> tuple[Any, ...]:
    """Hand a result to the plot and captions."""
    models = {"embedding": result.embedding, "reranker": result.reranker}
    lines = {name: model.line for name, model in models.items()}
    sentences = [say("disagreements.model_line", language, pairs=result.log_odds.size, **lines)]
    if "bundled" in (model.weights for model in models.values()):
        sentences.append(say("rerank.bundled_line", language))
    data = quadrant_plot_data(
        result.queries, result.documents, result.cosines, result.log_odds, result.cosine_cut, result.grades
    )
    return (
        QuadrantPlot(data=data, words=part_words("quadrants", language)),
        source_line(*sentences),
        notice_lines(result.notices, language),
    )


def build(workspace: Workspace, view: RerankView, tab: gr.Tab) -> None:
    """Lay out the panel and connect it.

    Args:
        workspace: Where the models are.
        view: What it reads of the Rerank view.
        tab: Its tab.
    """
    parts, handlers = components(view), Handlers(workspace)
    own = [parts.queries, parts.documents, parts.corpus]
    inputs = [view.query, view.instruction, view.template, *own, view.project, *view.documents]
    outputs = [parts.plot, parts.caption, parts.notices]
    heavy = on_device(parts.caption)
    opened = tab.select(handlers.run, inputs, outputs, **heavy)
    pressed = parts.run.click(handlers.run, inputs, outputs, **heavy)
    parts.stop.click(None, cancels=[opened, pressed], **QUIET)

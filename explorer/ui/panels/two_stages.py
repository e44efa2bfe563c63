"""Two stages: what the embedding model retrieves from a corpus, and where the reranker moves it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from explorer.service.judgements import judged_queries
from explorer.service.rerank import RerankTemplate
from explorer.service.two_stages import TwoStages, two_stages
from explorer.service.workspace import Workspace
from explorer.texts import Language, say
from explorer.ui.components import BumpChart, BumpItem, bump_chart_data, part_words
from explorer.ui.jobs import INSTANT, QUIET, follow, on_device, said
from explorer.ui.language import LABELS, language_of
from explorer.ui.panels.corpus_choice import CorpusChoice, corpus_radio, source_of, typed_in
from explorer.ui.panels.view import RerankView
from explorer.ui.plain import notice_lines, source_line

MOST_LINES = 100
"""Lines that can still be told apart; the endpoint retrieves more."""


@dataclass(frozen=True)
class Parts:
    """The components of this panel."""

    corpus: gr.Radio
    question: gr.Dropdown
    k: gr.Slider
    run: gr.Button
    stop: gr.Button
    chart: BumpChart
    caption: gr.HTML
    notices: gr.HTML


def components(view: RerankView) -> Parts:
    """Lay out the panel: where to search, then the chart."""
    gr.Markdown(LABELS("two_stages.lead"), elem_classes="lead")
    corpus = corpus_radio("two-stages", view)
    with gr.Row():
        question = gr.Dropdown(
            [(LABELS("two_stages.question_view"), ""), *((query, query) for query in judged_queries())],
            value=judged_queries()[0],
            label=LABELS("two_stages.question"),
            info=LABELS("two_stages.question_info"),
            elem_id="two-stages-question",
            scale=3,
        )
        k = gr.Slider(
            5, MOST_LINES, value=20, step=1, label=LABELS("two_stages.k"), elem_id="two-stages-k", scale=2
        )
    with gr.Row():
        run = gr.Button(LABELS("two_stages.run"), elem_id="two-stages-run", scale=3)
        stop = gr.Button(LABELS("ui.stop"), elem_id="two-stages-stop", scale=1, min_width=80)
    chart = BumpChart(elem_id="two-stages-chart")
    caption = gr.HTML(elem_id="two-stages-caption")
    notices = gr.HTML(elem_classes="notices", elem_id="two-stages-notices")
    with gr.Accordion(LABELS("ui.how_to_read"), open=False):
        gr.Markdown(LABELS("two_stages.reading"), elem_classes="reading")
    return Parts(corpus, question, k, run, stop, chart, caption, notices)


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
        question: str | None,
        k: float,
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
        """Retrieve and rerank what the view and this panel hold."""
        language = language_of(request)
        searched = source_of(corpus, project, source, lines, table, file, column)
        asked = question if question and corpus == "demo" else query
        job = two_stages(self.workspace, asked, searched, int(k), instruction, template)
        for result in follow(job, progress, language):
            yield (gr.skip(),) * 3 if result is None else show(result, language)


def show(result: TwoStages, language: Language) -> tuple[Any, ...]:
    """Hand a result to the chart and captions."""
    reranker = result.scores.provenance
    sentences = [
        say("two_stages.model_line", language, embedding=result.embedding.line, reranker=reranker.line)
    ]
    if "bundled" in (reranker.weights, result.embedding.weights):
        sentences.append(say("rerank.bundled_line", language))
    return (
        BumpChart(data=chart_data(result), words=part_words("bump", language)),
        source_line(*sentences),
        notice_lines(result.notices, language),
    )


def chart_data(result: TwoStages) -> str:
    """Write a result in the form the chart draws."""
    items = [
        BumpItem(
            row=int(result.rows[place]),
            text=document,
            first_rank=int(result.movement.first_ranks[place]),
            final_rank=int(result.movement.second_ranks[place]),
            cosine=float(result.cosines[place]),
            log_odds=float(result.scores.log_odds[place]),
            probability=float(result.scores.probability[place]),
            tokens=int(result.scores.tokens[place]),
            cut_tokens=int(result.scores.cut_tokens[place]),
            grade=result.grades[place],
        )
        for place, document in enumerate(result.documents)
    ]
    quality = result.quality
    measured = None if quality is None else (quality.ranks, quality.retrieved, quality.reranked)
    return bump_chart_data(result.query, result.searched, items, result.missed, measured)


def build(workspace: Workspace, view: RerankView, tab: gr.Tab) -> None:
    """Lay out the panel and connect it.

    Args:
        workspace: Where the models are.
        view: What it reads of the Rerank view.
        tab: Its tab.
    """
    parts, handlers = components(view), Handlers(workspace)
    own = [parts.question, parts.k, parts.corpus]
    inputs = [view.query, view.instruction, view.template, *own, view.project, *view.documents]
    outputs = [parts.chart, parts.caption, parts.notices]
    heavy = on_device(parts.caption)
    opened = tab.select(handlers.run, inputs, outputs, **heavy)
    pressed = parts.run.click(handlers.run, inputs, outputs, **heavy)
    asked = parts.question.input(handlers.run, inputs, outputs, **heavy)
    parts.stop.click(None, cancels=[opened, pressed, asked], **QUIET)
    view.query.change(None, parts.question, parts.question, js=typed_in("rerank-query", ""), **INSTANT)
    parts.corpus.change(
        lambda corpus: gr.Dropdown(visible=corpus == "demo"), parts.corpus, parts.question, **INSTANT
    )

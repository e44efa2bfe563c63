"""The Similarity view: cosines of every pair as a heatmap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from explorer.figures.heatmap import similarity_heatmap
from explorer.service import compare
from explorer.service.compare import Comparison, Order, Pairs
from explorer.service.limits import pasted_lines
from explorer.service.workspace import Workspace
from explorer.texts import Language, say
from explorer.ui.components import FigureView, part_words
from explorer.ui.jobs import QUIET, STATE_SECONDS, follow, on_device, said
from explorer.ui.language import LABELS, language_of
from explorer.ui.plain import notice_lines, pair_panel, source_line
from explorer.ui.text_inputs import TextInputs, text_inputs


@dataclass(frozen=True)
class Parts:
    """The components of this view."""

    texts: TextInputs
    pairs: gr.Radio
    order: gr.Radio
    heatmap: FigureView
    pair: gr.HTML
    caption: gr.HTML
    notices: gr.HTML
    shown: gr.State


def components() -> Parts:
    """Lay out the view: texts in the left third, heatmap and chosen pair at the right."""
    gr.Markdown(LABELS("similarity.lead"), elem_classes="lead")
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            texts = text_inputs("similarity")
        with gr.Column(scale=2, min_width=320):
            with gr.Row():
                pairs = _choice("pairs", compare.PAIRS)
                order = _choice("order", compare.ORDERS)
            heatmap = FigureView(height=520, elem_id="similarity-heatmap")
            pair = gr.HTML(elem_id="similarity-pair")
            caption = gr.HTML(elem_id="similarity-caption")
            notices = gr.HTML(elem_classes="notices", elem_id="similarity-notices")
            with gr.Accordion(LABELS("ui.how_to_read"), open=False):
                gr.Markdown(LABELS("similarity.reading"), elem_classes="reading")
    shown = gr.State(None, time_to_live=STATE_SECONDS)
    return Parts(texts, pairs, order, heatmap, pair, caption, notices, shown)


def _choice(name: str, values: tuple[str, ...]) -> gr.Radio:
    labels = [(LABELS(f"similarity.{name}_{value}"), value) for value in values]
    return gr.Radio(labels, value=values[0], label=LABELS(f"similarity.{name}"), elem_id=f"similarity-{name}")


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
        pairs: Pairs,
        order: Order,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Compare the texts that the view holds."""
        language = language_of(request)
        job = compare.compare(self.workspace, pasted_lines(queries), pasted_lines(documents), instruction)
        for result in follow(job, progress, language):
            if result is None:
                yield (gr.skip(),) * 5
                continue
            caption = source_line(say("similarity.model_line", language, embedding=result.provenance.line))
            yield (
                draw(result, pairs, order, language),
                source_line(say("similarity.pick", language)),
                caption,
                notice_lines(result.notices, language),
                result,
            )


@said
def redraw(
    shown: Comparison | None, pairs: Pairs, order: Order, request: gr.Request
) -> tuple[FigureView, str]:
    """Draw other pairs or another order of what was computed."""
    language = language_of(request)
    if shown is None:
        return FigureView(words=part_words("figure", language)), ""
    return draw(shown, pairs, order, language), source_line(say("similarity.pick", language))


def draw(result: Comparison, pairs: Pairs, order: Order, language: Language) -> FigureView:
    """Draw the chosen pairs in the chosen order."""
    view = result.view(pairs, order)
    figure = similarity_heatmap(
        view.cosines, list(view.row_texts), list(view.column_texts), language=language, same_texts=view.square
    )
    return FigureView(figure=figure.to_json(), words=part_words("figure", language))


@said
def read_pair(
    shown: Comparison | None, pairs: Pairs, order: Order, event: gr.EventData, request: gr.Request
) -> str:
    """Show both texts of the clicked cell."""
    row, column = int(event._data["row"]), int(event._data["column"])
    language = language_of(request)
    if shown is None or min(row, column) < 0:
        return source_line(say("similarity.pick", language))
    view = shown.view(pairs, order)
    left = "document" if view.square else "query"
    return pair_panel(
        (left, say(f"similarity.{left}", language), view.row_texts[row]),
        ("document", say("similarity.document", language), view.column_texts[column]),
        float(view.cosines[row, column]),
        language,
    )


def build(workspace: Workspace, page: gr.Blocks) -> None:
    """Lay out the view and connect it.

    Args:
        workspace: Where the models are.
        page: The page, for what happens when it opens.
    """
    parts, handlers = components(), Handlers(workspace)
    texts = parts.texts
    inputs = [texts.queries, texts.documents, texts.instruction, parts.pairs, parts.order]
    outputs = [parts.heatmap, parts.pair, parts.caption, parts.notices, parts.shown]
    heavy = on_device(parts.caption)

    first = page.load(handlers.run, inputs, outputs, **heavy)
    pressed = gr.on([texts.run.click, texts.instruction.input], handlers.run, inputs, outputs, **heavy)
    texts.stop.click(None, cancels=[first, pressed], **QUIET)
    chosen = [parts.shown, parts.pairs, parts.order]
    gr.on([parts.pairs.change, parts.order.change], redraw, chosen, [parts.heatmap, parts.pair], **QUIET)
    parts.heatmap.pick(read_pair, chosen, parts.pair, **QUIET)

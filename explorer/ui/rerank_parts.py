"""The components of the Rerank view and where they stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import gradio as gr

from explorer.service import rerank
from explorer.service.examples import rerank_examples
from explorer.service.prompts import PROMPT_VIEWS, instruction_presets
from explorer.service.workspace import Workspace
from explorer.ui.components import RankedCards, TokenStrip
from explorer.ui.jobs import STATE_SECONDS
from explorer.ui.language import LABELS
from explorer.ui.panels.view import RerankView
from explorer.ui.plain import source_line

SOURCES = ("lines", "table", "file")
"""Where the documents may come from."""

READ = ("query", "instruction", "source", "lines", "table", "file", "column", "template")
"""The inputs that panels read."""


@dataclass(frozen=True)
class Parts:
    """The components of this view."""

    example: gr.Dropdown
    note: gr.HTML
    query: gr.Textbox
    preset: gr.Dropdown
    instruction: gr.Textbox
    source: gr.Radio
    lines: gr.Textbox
    table: gr.Dataframe
    file: gr.File
    column: gr.Dropdown
    template: gr.Radio
    run: gr.Button
    stop: gr.Button
    cards: RankedCards
    caption: gr.HTML
    notices: gr.HTML
    download: gr.DownloadButton
    prompt_view: gr.Radio
    prompt: TokenStrip
    shown: gr.State
    chosen: gr.State


PANELS: dict[str, ModuleType] = {}
"""The panels beside the ranking, by the name of their tab."""


def components(workspace: Workspace) -> Parts:
    """Lay out the view: inputs in the left third, the ranking and the other panels at the right.

    Args:
        workspace: Where the models are, for the panels.
    """
    shown, chosen = gr.State(None, time_to_live=STATE_SECONDS), gr.State(0)
    gr.Markdown(LABELS("rerank.lead"), elem_classes="lead")
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            inputs = _inputs()
        view = RerankView(**{name: inputs[name] for name in READ}, shown=shown, chosen=chosen)
        with gr.Column(scale=2, min_width=320), gr.Tabs(elem_id="rerank-tools"):
            with gr.Tab(LABELS("rerank.ranking"), id="ranking", elem_id="tab-rerank-ranking"):
                outputs = _outputs()
            for name, panel in PANELS.items():
                with gr.Tab(LABELS(f"rerank.{name}"), id=name, elem_id=f"tab-rerank-{name}") as tab:
                    panel.build(workspace, view, tab)
    return Parts(**inputs, **outputs, shown=shown, chosen=chosen)


def _inputs() -> dict[str, Any]:
    first = rerank_examples()[0]
    example = gr.Dropdown(
        [(entry.title["en"], entry.identifier) for entry in rerank_examples()],
        value=first.identifier,
        label=LABELS("ui.example"),
        elem_id="rerank-example",
    )
    note = gr.HTML(source_line(first.note["en"]))
    query = gr.Textbox(first.query, label=LABELS("ui.query"), lines=2, elem_id="rerank-query")
    with gr.Row():
        run = gr.Button(LABELS("rerank.run"), variant="primary", elem_id="rerank-run", scale=3)
        stop = gr.Button(LABELS("ui.stop"), elem_id="rerank-stop", scale=1, min_width=80)
    instruction = gr.Textbox(
        first.instruction,
        label=LABELS("ui.instruction"),
        info=LABELS("ui.instruction_info"),
        lines=2,
        elem_id="rerank-instruction",
    )
    preset = gr.Dropdown(
        [(text, text) for text in instruction_presets("reranker")],
        value=None,
        label=LABELS("ui.preset"),
        elem_id="rerank-preset",
    )
    documents = _document_inputs(first.documents)
    with gr.Accordion(LABELS("rerank.more"), open=False):
        template = gr.Radio(
            [(LABELS(f"rerank.template_{name}"), name) for name in rerank.TEMPLATES],
            value=rerank.TEMPLATES[0],
            label=LABELS("rerank.template"),
            info=LABELS("rerank.template_info"),
            elem_id="rerank-template",
        )
    return {
        "example": example,
        "note": note,
        "query": query,
        "instruction": instruction,
        "preset": preset,
        **documents,
        "template": template,
        "run": run,
        "stop": stop,
    }


def _document_inputs(documents: tuple[str, ...]) -> dict[str, Any]:
    source = gr.Radio(
        [(LABELS(f"rerank.source_{name}"), name) for name in SOURCES],
        value=SOURCES[0],
        label=LABELS("rerank.source"),
        elem_id="rerank-source",
    )
    lines = gr.Textbox(
        one_a_line(documents),
        label=LABELS("ui.documents"),
        lines=10,
        max_lines=18,
        elem_id="rerank-lines",
    )
    table = gr.Dataframe(
        value=[[document] for document in documents],
        headers=["Document"],
        datatype="str",
        type="array",
        column_count=1,
        interactive=True,
        wrap=True,
        label=LABELS("rerank.table"),
        visible=False,
        elem_id="rerank-table",
    )
    file = gr.File(
        label=LABELS("rerank.file"), type="filepath", visible=False, height=110, elem_id="rerank-file"
    )
    column = gr.Dropdown([], label=LABELS("rerank.column"), visible=False, elem_id="rerank-column")
    return {"source": source, "lines": lines, "table": table, "file": file, "column": column}


def _outputs() -> dict[str, Any]:
    cards = RankedCards(elem_id="rerank-cards")
    caption = gr.HTML(elem_id="rerank-caption")
    notices = gr.HTML(elem_classes="notices", elem_id="rerank-notices")
    download = gr.DownloadButton(
        LABELS("rerank.download"),  # type: ignore[arg-type] # gradio takes it, as on every button
        size="sm",
        elem_id="rerank-download",
    )
    with gr.Accordion(LABELS("rerank.prompt"), open=False, elem_id="rerank-prompt-panel"):
        prompt_view = gr.Radio(
            [(LABELS(f"rerank.prompt_{view}"), view) for view in PROMPT_VIEWS],
            value=PROMPT_VIEWS[0],
            label=LABELS("rerank.prompt_of"),
            elem_id="rerank-prompt-view",
        )
        prompt = TokenStrip(elem_id="rerank-prompt")
    with gr.Accordion(LABELS("ui.how_to_read"), open=False):
        gr.Markdown(LABELS("rerank.reading"), elem_classes="reading")
    return {
        "cards": cards,
        "caption": caption,
        "notices": notices,
        "download": download,
        "prompt_view": prompt_view,
        "prompt": prompt,
    }


def one_a_line(documents: Iterable[str]) -> str:
    """Write documents as pasted lines; a line break inside one becomes a space."""
    return "\n".join(" ".join(document.split()) for document in documents)

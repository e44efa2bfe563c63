"""The components of the Rerank view and where they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import gradio as gr

from explorer.service import rerank
from explorer.service.examples import rerank_examples
from explorer.service.prompts import instruction_presets
from explorer.service.workspace import Workspace
from explorer.ui.components import RankedCards
from explorer.ui.evidence import EvidenceButton, evidence_button
from explorer.ui.jobs import STATE_SECONDS
from explorer.ui.language import LABELS
from explorer.ui.panels import (
    attribution,
    counterfactuals,
    disagreements,
    instructions,
    prompt,
    saturation,
    two_stages,
)
from explorer.ui.panels.view import RerankView
from explorer.ui.plain import source_line
from explorer.ui.share.code_panel import code_panel
from explorer.ui.share.link import LinkParts, link_parts

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
    evidence: EvidenceButton
    shown: gr.State
    chosen: gr.State
    tools: gr.Tabs
    link: LinkParts
    write_code: Callable[[Any], None]


PANELS: dict[str, ModuleType] = {
    "instructions": instructions,
    "two_stages": two_stages,
    "disagreements": disagreements,
    "saturation": saturation,
    "prompt": prompt,
    "attribution": attribution,
    "counterfactuals": counterfactuals,
}
"""The panels beside the ranking, by the name of their tab."""


def components(workspace: Workspace, project: gr.State) -> Parts:
    """Lay out the view: inputs in the left third, the ranking and the other panels at the right.

    Args:
        workspace: Where the models are, for the panels.
        project: Name of the project that the Map view shows, for the panels.
    """
    shown, chosen = gr.State(None, time_to_live=STATE_SECONDS), gr.State(0)
    gr.Markdown(LABELS("rerank.lead"), elem_classes="lead")
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            inputs = _inputs()
        view = RerankView(
            **{name: inputs[name] for name in READ}, shown=shown, chosen=chosen, project=project
        )
        with gr.Column(scale=2, min_width=320):
            with gr.Tabs(elem_id="rerank-tools") as tools:
                with gr.Tab(LABELS("rerank.ranking"), id="ranking", elem_id="tab-rerank-ranking"):
                    outputs = _outputs()
                for name, panel in PANELS.items():
                    with gr.Tab(LABELS(f"rerank.{name}"), id=name, elem_id=f"tab-rerank-{name}") as tab:
                        panel.build(workspace, view, tab)
            write_code = code_panel(workspace, "rerank", shown)
    return Parts(**inputs, **outputs, shown=shown, chosen=chosen, tools=tools, write_code=write_code)


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
        "link": link_parts("rerank"),
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
    with gr.Row():
        download = gr.DownloadButton(
            LABELS("rerank.download"),  # type: ignore[arg-type] # gradio takes it, as on every button
            size="sm",
            elem_id="rerank-download",
        )
        evidence = evidence_button("rerank")
    with gr.Accordion(LABELS("ui.how_to_read"), open=False):
        gr.Markdown(LABELS("rerank.reading"), elem_classes="reading")
    return {
        "cards": cards,
        "caption": caption,
        "notices": notices,
        "download": download,
        "evidence": evidence,
    }


def one_a_line(documents: Iterable[str]) -> str:
    """Write documents as pasted lines; a line break inside one becomes a space."""
    return "\n".join(" ".join(document.split()) for document in documents)

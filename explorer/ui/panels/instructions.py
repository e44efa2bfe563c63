"""The instruction laboratory: the documents of the view under several instructions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from explorer.service.compare_instructions import (
    InstructionComparison,
    compare_instructions,
    instruction_choices,
    suggested_instructions,
)
from explorer.service.examples import rerank_examples
from explorer.service.limits import pasted_lines
from explorer.service.prompts import default_instruction
from explorer.service.rerank import RerankTemplate
from explorer.service.workspace import Workspace
from explorer.texts import Language, say
from explorer.ui.components import InstructionTable, instruction_table_data, part_words
from explorer.ui.jobs import QUIET, follow, on_device, said
from explorer.ui.language import LABELS, language_of
from explorer.ui.panels.view import RerankView, documents_from
from explorer.ui.plain import notice_lines, source_line


@dataclass(frozen=True)
class Parts:
    """The components of this panel.

    Attributes:
        others: Instructions to compare with the view's, one a line.
        suggested: What was last written there without being asked.
        without: Whether to compare with no instruction too.
    """

    others: gr.Textbox
    suggested: gr.State
    without: gr.Checkbox
    published: gr.Dropdown
    queries: gr.Textbox
    run: gr.Button
    stop: gr.Button
    table: InstructionTable
    caption: gr.HTML
    notices: gr.HTML


def components() -> Parts:
    """Lay out the panel: the instructions, then what each of them changes."""
    first = rerank_examples()[0]
    suggested = "\n".join(suggested_instructions(first.query, first.instruction))
    gr.Markdown(LABELS("instructions.lead"), elem_classes="lead")
    others = gr.Textbox(
        suggested,
        label=LABELS("instructions.others"),
        info=LABELS("instructions.others_info"),
        lines=3,
        max_lines=8,
        elem_id="instructions-others",
    )
    with gr.Row():
        without = gr.Checkbox(
            True, label=LABELS("instructions.none"), elem_id="instructions-none", scale=1, min_width=140
        )
        published = gr.Dropdown(
            [
                (f"{choice.instruction} ({choice.source})", choice.instruction)
                for choice in instruction_choices()
            ],
            value=None,
            label=LABELS("instructions.add"),
            elem_id="instructions-add",
            scale=2,
        )
        queries = gr.Textbox(
            label=LABELS("instructions.more_queries"),
            lines=1,
            max_lines=6,
            elem_id="instructions-queries",
            scale=2,
        )
    with gr.Row():
        run = gr.Button(LABELS("instructions.run"), elem_id="instructions-run", scale=3)
        stop = gr.Button(LABELS("ui.stop"), elem_id="instructions-stop", scale=1, min_width=80)
    return Parts(
        others=others,
        suggested=gr.State(suggested),
        without=without,
        published=published,
        queries=queries,
        run=run,
        stop=stop,
        notices=gr.HTML(elem_classes="notices", elem_id="instructions-notices"),
        table=InstructionTable(elem_id="instructions-table"),
        caption=gr.HTML(elem_id="instructions-caption"),
    )


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
        others: str,
        without: bool,
        queries: str,
        source: str,
        lines: str,
        table: list[list[str]],
        file: str | None,
        column: str | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Compare what the view and this panel hold."""
        language = language_of(request)
        documents = documents_from(source, lines, table, file, column)
        written = [line for line in pasted_lines(others) if line.strip()]
        instructions = [instruction.strip() or default_instruction(), *([""] if without else []), *written]
        asked = [query, *(line for line in pasted_lines(queries) if line.strip())]
        job = compare_instructions(self.workspace, asked, documents, instructions, template)
        for result in follow(job, progress, language):
            yield (gr.skip(),) * 3 if result is None else show(result, language)


def show(result: InstructionComparison, language: Language) -> tuple[Any, ...]:
    """Hand a result to the table and captions."""
    models = {"reranker": result.reranker.provenance, "embedding": result.embedding.provenance}
    sentences = [
        say("instructions.model_line", language, **{name: model.line for name, model in models.items()})
    ]
    if "bundled" in (model.weights for model in models.values()):
        sentences.append(say("rerank.bundled_line", language))
    return (
        InstructionTable(data=instruction_table_data(result), words=part_words("instructions", language)),
        source_line(*sentences),
        notice_lines(result.notices, language),
    )


def suggest(query: str, instruction: str, others: str, suggested: str) -> tuple[str, str]:
    """Write other instructions that suit the query, unless the visitor has written some."""
    if others.strip() != suggested.strip():
        return others, suggested
    fitting = "\n".join(suggested_instructions(query, instruction))
    return fitting, fitting


def add_line(others: str, instruction: str | None) -> tuple[str, None]:
    """Add a published instruction as a line of its own, once, and clear the choice."""
    lines = [line for line in pasted_lines(others) if line.strip()]
    return "\n".join(dict.fromkeys([*lines, *([instruction] if instruction else [])])), None


def build(workspace: Workspace, view: RerankView, tab: gr.Tab) -> None:
    """Lay out the panel and connect it.

    Args:
        workspace: Where the models are.
        view: What it reads of the Rerank view.
        tab: Its tab.
    """
    parts, handlers = components(), Handlers(workspace)
    own = [parts.others, parts.without, parts.queries]
    inputs = [view.query, view.instruction, view.template, *own, *view.documents]
    outputs = [parts.table, parts.caption, parts.notices]
    heavy = on_device(parts.notices)
    opened = tab.select(
        suggest,
        [view.query, view.instruction, parts.others, parts.suggested],
        [parts.others, parts.suggested],
        **QUIET,
    ).then(handlers.run, inputs, outputs, **heavy)
    pressed = parts.run.click(handlers.run, inputs, outputs, **heavy)
    parts.stop.click(None, cancels=[opened, pressed], **QUIET)
    added = [parts.others, parts.published]
    parts.published.input(add_line, added, added, **QUIET)

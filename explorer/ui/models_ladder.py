"""The size ladder in the Models view: the same question to several models, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from explorer.provenance import Family
from explorer.service.examples import rerank_examples
from explorer.service.limits import pasted_lines
from explorer.service.models import FAMILIES, names
from explorer.service.size_ladder import SizeLadder, size_ladder, sources_here
from explorer.service.workspace import Workspace
from explorer.settings import DtypeChoice
from explorer.texts import Language, say
from explorer.ui.components import SizeLadderTable, part_words, size_ladder_data
from explorer.ui.jobs import INSTANT, QUIET, follow, on_device, said
from explorer.ui.language import LABELS, language_of
from explorer.ui.plain import notice_lines, source_line


class Handlers:
    """What happens when a visitor does something here."""

    def __init__(self, workspace: Workspace) -> None:
        """Remember where the models are."""
        self.workspace = workspace

    @said
    def run(
        self,
        family: Family,
        listed: list[str],
        folders: str,
        query: str,
        documents: str,
        device: str,
        dtype: DtypeChoice,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Ask every chosen model."""
        language = language_of(request)
        job = size_ladder(
            self.workspace,
            family,
            query,
            pasted_lines(documents),
            [*listed, *pasted_lines(folders)],
            device=device,
            dtype=dtype,
        )
        for result in follow(job, progress, language):
            yield (gr.skip(),) * 3 if result is None else show(result, language)


def show(result: SizeLadder, language: Language) -> tuple[SizeLadderTable, str, str]:
    """Hand a result to the table and captions."""
    lines = [rung.provenance.line for rung in result.rungs]
    sentences = [say("size_ladder.model_line", language, models=" · ".join(lines))] if lines else []
    if any(rung.provenance.weights == "bundled" for rung in result.rungs):
        sentences.append(say("rerank.bundled_line", language))
    return (
        SizeLadderTable(data=size_ladder_data(result), words=part_words("ladder", language)),
        source_line(*sentences),
        notice_lines([*result.left_out, *result.notices], language),
    )


def choose_family(family: Family) -> gr.CheckboxGroup:
    """Offer the models of the chosen kind, with those that are here ticked."""
    return gr.CheckboxGroup(choices=names(family), value=list(sources_here(family)))


def worded(request: gr.Request) -> SizeLadderTable:
    """Say in the visitor's language what to do first."""
    return SizeLadderTable(data="", words=part_words("ladder", language_of(request)))


def build(workspace: Workspace, page: gr.Blocks, device: gr.Dropdown, dtype: gr.Radio) -> None:
    """Lay out the ladder and connect it.

    Args:
        workspace: Where the models are.
        page: The page, for what happens when it opens.
        device: Where the models run.
        dtype: What they compute in.
    """
    handlers = Handlers(workspace)
    gr.Markdown(LABELS("size_ladder.lead"), elem_classes="lead")
    with gr.Row():
        family = gr.Radio(
            [(LABELS(f"size_ladder.family_{name}"), name) for name in FAMILIES],
            value="reranker",
            label=LABELS("size_ladder.family"),
            elem_id="ladder-family",
        )
        folders = gr.Textbox(
            label=LABELS("size_ladder.folders"), lines=1, max_lines=4, min_width=260, elem_id="ladder-folders"
        )
    listed = gr.CheckboxGroup(
        names("reranker"),
        value=list(sources_here("reranker")),
        label=LABELS("size_ladder.models"),
        info=LABELS("size_ladder.models_info"),
        elem_id="ladder-models",
    )
    query, documents = _question()
    with gr.Row():
        start = gr.Button(LABELS("size_ladder.run"), elem_id="ladder-run", scale=3)
        stop = gr.Button(LABELS("ui.stop"), elem_id="ladder-stop", scale=1, min_width=80)
    caption = gr.HTML(elem_id="ladder-caption")
    notices = gr.HTML(elem_classes="notices", elem_id="ladder-notices")
    table = SizeLadderTable(elem_id="ladder-table")
    family.change(choose_family, family, listed, **INSTANT)
    running = start.click(
        handlers.run,
        [family, listed, folders, query, documents, device, dtype],
        [table, caption, notices],
        **on_device(caption),
    )
    stop.click(None, cancels=[running], **QUIET)
    page.load(worded, None, table, **INSTANT)


def _question() -> tuple[gr.Textbox, gr.Textbox]:
    """What all models are asked, filled with the first worked example."""
    example = rerank_examples()[0]
    query = gr.Textbox(example.query, label=LABELS("ui.query"), lines=1, elem_id="ladder-query")
    documents = gr.Textbox(
        "\n".join(" ".join(document.split()) for document in example.documents),
        label=LABELS("ui.documents"),
        lines=4,
        max_lines=6,
        elem_id="ladder-documents",
    )
    return query, documents

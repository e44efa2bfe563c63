"""The Rerank view: a query, documents, and how the reranker changes the embedding model's order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from explorer.errors import InputError
from explorer.service import rerank, uploads
from explorer.service.examples import rerank_examples
from explorer.service.rerank import Reranking
from explorer.service.workspace import Workspace
from explorer.texts import Language, say
from explorer.ui.components import (
    RankedCards,
    RankedItem,
    part_words,
    ranked_cards_data,
)
from explorer.ui.downloads import stored
from explorer.ui.evidence import connect_evidence
from explorer.ui.jobs import INSTANT, QUIET, follow, on_device, said
from explorer.ui.language import language_of
from explorer.ui.panels.view import documents_from
from explorer.ui.plain import notice_lines, source_line
from explorer.ui.rerank_parts import PANELS, SOURCES, components, one_a_line
from explorer.ui.share.rerank_share import restored_rerank, share_rerank


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
        source: str,
        lines: str,
        table: list[list[str]],
        file: str | None,
        column: str | None,
        template: rerank.RerankTemplate,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Rerank what the view holds."""
        language = language_of(request)
        documents = documents_from(source, lines, table, file, column)
        job = rerank.rerank(self.workspace, query, documents, instruction, template)
        for result in follow(job, progress, language):
            yield (gr.skip(),) * 6 if result is None else self.show(result, language)

    def show(self, result: Reranking, language: Language) -> tuple[Any, ...]:
        """Hand a result to the cards and captions."""
        top = result.best
        return (
            RankedCards(data=cards_data(result), words=part_words("cards", language)),
            model_caption(result, language),
            notice_lines(result.notices, language),
            result,
            top,
            stored(rerank.scores_csv(result), "rerank.csv"),
        )

    @said
    def read_file(self, file: str | None, request: gr.Request) -> gr.Dropdown:
        """Offer the columns of an opened file."""
        if file is None:
            return gr.Dropdown(choices=[], value=None, visible=False)
        upload = uploads.preview(Path(file))
        return gr.Dropdown(choices=list(upload.columns), value=upload.text_column, visible=True)


def cards_data(result: Reranking) -> str:
    """Write a result in the form the cards draw."""
    items = [
        RankedItem(
            index=index,
            text=document,
            first_rank=int(result.movement.first_ranks[index]),
            rerank_rank=int(result.movement.second_ranks[index]),
            moved=int(result.movement.moved[index]),
            cosine=float(result.cosines[index]),
            log_odds=float(result.scores.log_odds[index]),
            probability=float(result.scores.probability[index]),
            tokens=int(result.scores.tokens[index]),
            truncated_tokens=int(result.scores.cut_tokens[index]),
        )
        for index, document in enumerate(result.documents)
    ]
    return ranked_cards_data(result.query, items)


def model_caption(result: Reranking, language: Language) -> str:
    """Say which models, number formats and device gave the numbers."""
    sentences = [
        say(
            "rerank.model_line",
            language,
            reranker=result.scores.provenance.line,
            embedding=result.embedding.line,
        )
    ]
    if "bundled" in (result.scores.provenance.weights, result.embedding.weights):
        sentences.append(say("rerank.bundled_line", language))
    return source_line(*sentences)


@said
def use_example(identifier: str, request: gr.Request) -> tuple[Any, ...]:
    """Fill the inputs with a worked example."""
    example = next(entry for entry in rerank_examples() if entry.identifier == identifier)
    lines = one_a_line(example.documents)
    rows = [[document] for document in example.documents]
    note = source_line(example.note[language_of(request)])
    return example.query, example.instruction, "lines", lines, rows, note


def choose_source(source: str) -> tuple[gr.Textbox, gr.Dataframe, gr.File]:
    """Show the input that belongs to the chosen source."""
    visible = [source == name for name in SOURCES]
    return gr.Textbox(visible=visible[0]), gr.Dataframe(visible=visible[1]), gr.File(visible=visible[2])


def titled_examples(request: gr.Request) -> tuple[gr.Dropdown, str]:
    """Name the examples in the visitor's language."""
    language = language_of(request)
    choices = [(entry.title[language], entry.identifier) for entry in rerank_examples()]
    return gr.Dropdown(choices=choices), source_line(rerank_examples()[0].note[language])


def build(workspace: Workspace, page: gr.Blocks, project: gr.State) -> None:
    """Lay out the view and connect it.

    Args:
        workspace: Where the models are.
        page: The page, for what happens when it opens.
        project: Name of the project that the Map view shows.
    """
    parts, handlers = components(workspace, project), Handlers(workspace)
    inputs = [
        parts.query,
        parts.instruction,
        parts.source,
        parts.lines,
        parts.table,
        parts.file,
        parts.column,
    ]
    inputs.append(parts.template)
    outputs = [parts.cards, parts.caption, parts.notices, parts.shown, parts.chosen, parts.download]
    heavy = on_device(parts.caption)

    titled = page.load(titled_examples, None, [parts.example, parts.note], **INSTANT)
    opened = restored_rerank(parts, titled.then, ("ranking", *PANELS))
    first = opened.then(handlers.run, inputs, outputs, **heavy)
    pressed = gr.on(
        [parts.run.click, parts.query.submit, parts.instruction.submit],
        handlers.run,
        inputs,
        outputs,
        **heavy,
    )
    filled = parts.example.input(
        use_example,
        parts.example,
        [parts.query, parts.instruction, parts.source, parts.lines, parts.table, parts.note],
        **QUIET,
    ).then(handlers.run, inputs, outputs, **heavy)
    parts.stop.click(None, cancels=[first, pressed, filled], **QUIET)
    share_rerank(parts, inputs, (first, pressed, filled))
    connect_evidence(workspace, parts.evidence, parts.shown, parts.caption, parts.stop)
    parts.cards.pick(picked, None, parts.chosen, **QUIET)
    parts.preset.input(lambda text: text, parts.preset, parts.instruction, **INSTANT)
    gr.on(
        [parts.source.change], choose_source, parts.source, [parts.lines, parts.table, parts.file], **INSTANT
    )
    parts.file.change(handlers.read_file, parts.file, parts.column, **QUIET)


@said
def picked(event: gr.EventData, request: gr.Request) -> int:
    """Tell which document's card was clicked."""
    index = event._data.get("index")
    if not isinstance(index, int):
        raise InputError("service.no_such_point", index="?")
    return index

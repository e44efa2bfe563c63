"""The Map view: a corpus as points, a document with its true neighbours, and where a query lands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from explorer.errors import InputError
from explorer.service import map_corpus, map_search, uploads
from explorer.service.map_corpus import Mapped, MapRequest
from explorer.service.map_search import Found
from explorer.service.workspace import Workspace
from explorer.texts import Language, say
from explorer.ui.components import ScatterMap, map_points, map_query, map_texts, part_words, unpack_indices
from explorer.ui.jobs import QUIET, follow, on_device, said
from explorer.ui.language import language_of
from explorer.ui.map_colours import colouring
from explorer.ui.map_parts import components
from explorer.ui.plain import document_panel, notice_lines, source_line, table

SHOWN_FACTS = 8
FACT_CHARACTERS = 120


class Handlers:
    """What happens when a visitor does something here."""

    def __init__(self, workspace: Workspace) -> None:
        """Remember where the models and the projects are."""
        self.workspace = workspace

    @said
    def show_recorded(self, request: gr.Request) -> tuple[Any, ...]:
        """Show the demo corpus at once, where its map was recorded with the model in use."""
        mapped = map_corpus.recorded_demo(self.workspace)
        return (gr.skip(),) * 7 if mapped is None else self._draw(mapped, language_of(request))

    @said
    def open(
        self,
        query: str,
        instruction: str,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Show the demo corpus, computed where it was not recorded, and where a first query lands."""
        language = language_of(request)
        shown: Mapped | None = None
        for result in follow(map_corpus.map_demo(self.workspace), progress, language):
            shown = result
            yield (gr.skip(),) * 7
        if shown is None:
            return
        for found in follow(
            map_search.find(self.workspace, shown.name, query, instruction), progress, language
        ):
            # All props go together: gradio keeps only the last update of a tab that was never opened.
            yield (gr.skip(),) * 7 if found is None else self._draw(shown, language, found, query)

    @said
    def show_demo(
        self,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Go back to the demo corpus."""
        language = language_of(request)
        for result in follow(map_corpus.map_demo(self.workspace), progress, language):
            yield (gr.skip(),) * 7 if result is None else self._draw(result, language)

    @said
    def run(
        self,
        file: str | None,
        text_column: str | None,
        neighbors: float,
        min_dist: float,
        seed: float | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Embed and lay out the chosen file, or the demo corpus with other parameters."""
        language = language_of(request)
        layout = MapRequest(int(neighbors), float(min_dist), int(seed or 0))
        source = Path(file) if file else None
        job = map_corpus.map_file(self.workspace, source, text_column, layout)
        for result in follow(job, progress, language):
            yield (gr.skip(),) * 7 if result is None else self._draw(result, language)

    def _draw(
        self, result: Mapped, language: Language, found: Found | None = None, query: str = ""
    ) -> tuple[Any, ...]:
        project = result.project
        names = [(say("map.no_colour", language), ""), *((name, name) for name in result.colours)]
        colour = result.colours[0] if result.colours else ""
        caption = [
            say(
                "map.model_line",
                language,
                documents=len(project.corpus.texts),
                dimensions=project.vectors.shape[1],
                embedding=project.provenance.line,
            ),
            say(
                "map.trust",
                language,
                k=result.trust.k,
                share=float(result.trust.kept.mean()),
                trustworthiness=result.trust.trustworthiness,
            ),
            say("map.recorded_line", language) if result.recorded else "",
        ]
        points = ScatterMap(
            points=map_points(project.coordinates),
            texts=map_texts(project.corpus.texts),
            highlight="[]",
            query=star(found, query) if found else "",
            words=part_words("map", language),
            **colouring(project.corpus.columns, colour, language),
        )
        return (
            points,
            gr.Dropdown(choices=names, value=colour),
            source_line(*caption),
            notice_lines(project.notices, language),
            result.name,
            source_line(say("map.chosen", language)),
            neighbor_table(found, say("map.neighbours_of_query", language), language) if found else "",
        )

    @said
    def recolour(self, name: str | None, column: str, request: gr.Request) -> ScatterMap:
        """Colour the points by another column."""
        project = map_search.project(self.workspace, name)
        return ScatterMap(**colouring(project.corpus.columns, column, language_of(request)))

    @said
    def pick(self, name: str | None, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """Show the clicked document and its true neighbours."""
        language = language_of(request)
        project = map_search.project(self.workspace, name)
        found = map_search.neighbors_of(project, int(event._data["index"]))
        row = project.corpus.columns.iloc[found.index]
        facts = [(str(column), str(value)[:FACT_CHARACTERS]) for column, value in row.items()]
        facts = [(column, value) for column, value in facts if value != project.corpus.texts[found.index]]
        heading = say("map.neighbours_of_document", language)
        highlight = json.dumps([found.index, *(int(index) for index in found.neighbors)])
        return (
            ScatterMap(highlight=highlight),
            document_panel(
                say("map.document", language), project.corpus.texts[found.index], facts[:SHOWN_FACTS]
            ),
            neighbor_table(found, heading, language),
        )

    @said
    def find(
        self,
        name: str | None,
        query: str,
        instruction: str,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Place a query on the map and list its true neighbours."""
        language = language_of(request)
        for found in follow(map_search.find(self.workspace, name, query, instruction), progress, language):
            if found is None:
                yield (gr.skip(),) * 3
                continue
            heading = say("map.neighbours_of_query", language)
            caption = source_line(say("similarity.model_line", language, embedding=found.provenance.line))
            points = ScatterMap(query=star(found, query), highlight="[]")
            yield (
                points,
                caption + notice_lines(found.notices, language),
                neighbor_table(found, heading, language),
            )

    @said
    def select(self, name: str | None, event: gr.EventData, request: gr.Request) -> tuple[str, str]:
        """List the documents inside the lasso."""
        language = language_of(request)
        project = map_search.project(self.workspace, name)
        try:
            rows = unpack_indices(str(event._data["b64"]))
        except ValueError as error:
            raise InputError("map.bad_selection") from error
        rows = rows[(rows >= 0) & (rows < len(project.corpus.texts))]
        if not len(rows):
            return source_line(say("map.chosen", language)), ""
        listed = [
            (str(place + 1), project.corpus.texts[row]) for place, row in enumerate(rows[: map_corpus.LISTED])
        ]
        headers = [say("map.rank", language), say("map.document", language)]
        return "", table(headers, listed, say("map.selected", language, count=len(rows)))

    @said
    def read_file(self, file: str | None, request: gr.Request) -> tuple[Any, ...]:
        """Show how a file was read, before anything is computed."""
        language = language_of(request)
        if file is None:
            return gr.Dataframe(visible=False), gr.Dropdown(choices=[], value=None, visible=False), ""
        upload = uploads.preview(Path(file))
        summary = say(
            "map.rows",
            language,
            kept=upload.rows_kept,
            total=upload.rows_in,
            format=upload.format.upper(),
            encoding=upload.encoding or "UTF-8",
        )
        rows = [list(row) for row in upload.first_rows]
        return (
            gr.Dataframe(value=rows, headers=list(upload.columns), visible=True),
            gr.Dropdown(choices=list(upload.columns), value=upload.text_column, visible=True),
            source_line(summary) + notice_lines(upload.notices, language),
        )


def star(found: Found, query: str) -> str:
    """Mark where a query landed, with rays to its true neighbours."""
    return map_query(found.position, query, [int(index) for index in found.neighbors])


def neighbor_table(found: Found, heading: str, language: Language) -> str:
    """List true neighbours, nearest first."""
    headers = [say(f"map.{name}", language) for name in ("rank", "cosine", "document")]
    pairs = zip(found.cosines, found.texts, strict=True)
    rows = [(str(rank), f"{cosine:.3f}", text) for rank, (cosine, text) in enumerate(pairs, start=1)]
    return table(headers, rows, heading)


def build(workspace: Workspace, page: gr.Blocks, project: gr.State) -> None:
    """Lay out the view and connect it.

    Args:
        workspace: Where the models and projects are.
        page: The page, for what happens when it opens.
        project: Where the name of the project that is shown is kept, for other views too.
    """
    parts, handlers = components(project), Handlers(workspace)
    drawn = [
        parts.points,
        parts.colour,
        parts.caption,
        parts.notices,
        parts.project,
        parts.chosen,
        parts.table,
    ]
    layout = [parts.upload, parts.text_column, parts.neighbors, parts.min_dist, parts.seed]
    heavy = on_device(parts.caption)

    opened = page.load(handlers.show_recorded, None, drawn, **QUIET).then(
        handlers.open, [parts.query, parts.instruction], drawn, **heavy
    )
    demo = parts.demo.click(handlers.show_demo, None, drawn, **heavy)
    made = parts.run.click(handlers.run, layout, drawn, **heavy)
    parts.upload.change(
        handlers.read_file, parts.upload, [parts.preview, parts.text_column, parts.notices], **QUIET
    )
    parts.colour.input(handlers.recolour, [parts.project, parts.colour], parts.points, **QUIET)
    read = [parts.points, parts.chosen, parts.table]
    parts.points.pick(handlers.pick, parts.project, read, **QUIET, trigger_mode="always_last")
    parts.points.lasso(
        handlers.select, parts.project, [parts.chosen, parts.table], **QUIET, trigger_mode="always_last"
    )
    found = gr.on(
        [parts.find.click, parts.query.submit],
        handlers.find,
        [parts.project, parts.query, parts.instruction],
        [parts.points, parts.chosen, parts.table],
        **heavy,
    )
    parts.stop.click(None, cancels=[opened, demo, made, found], **QUIET)

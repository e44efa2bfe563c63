"""The Similarity view: cosines of every pair as a heatmap, and what changes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from explorer.errors import InputError
from explorer.provenance import Provenance
from explorer.service import compare
from explorer.service.compare import Comparison, Pairs
from explorer.service.compare_variants import Difference, compare_variants
from explorer.service.limits import pasted_lines
from explorer.service.random_pairs import Baseline, random_pairs
from explorer.service.workspace import Workspace
from explorer.texts import Language, say
from explorer.ui.evidence import connect_evidence
from explorer.ui.jobs import QUIET, follow, on_device, said
from explorer.ui.language import language_of
from explorer.ui.panels.token_pairs import ChosenPair
from explorer.ui.plain import notice_lines, source_line
from explorer.ui.share.similarity_share import restored_similarity, share_similarity
from explorer.ui.similarity_parts import components, variant_from
from explorer.ui.similarity_views import (
    KINDS,
    comparison_pair,
    comparison_view,
    difference_pair,
    difference_view,
)


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
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Compare the texts that the view holds, then the unrelated texts that tell how high a cosine is."""
        language = language_of(request)
        job = compare.compare(self.workspace, pasted_lines(queries), pasted_lines(documents), instruction)
        for result in follow(job, progress, language):
            if result is None:
                yield (gr.skip(),) * 8
                continue
            caption = say("similarity.model_line", language, embedding=result.provenance.line)
            beside = (
                source_line(say("similarity.pick", language)),
                None,
                source_line(caption, bundled_line(result.provenance, language=language)),
                notice_lines(result.notices, language),
                result,
            )
            yield comparison_view(result, None, language), *beside, None, None
            for baseline in follow(random_pairs(self.workspace, instruction), progress, language):
                if baseline is not None:
                    yield comparison_view(result, baseline, language), *beside, baseline, None

    @said
    def subtract(
        self,
        queries: str,
        documents: str,
        first_model: str,
        first_instruction: str,
        first_dimensions: int,
        first_dtype: str,
        second_model: str,
        second_instruction: str,
        second_dimensions: int,
        second_dtype: str,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Compare the texts twice and show what changes from one variant to the other."""
        language = language_of(request)
        job = compare_variants(
            self.workspace,
            pasted_lines(queries),
            pasted_lines(documents),
            variant_from(first_model, first_instruction, first_dimensions, first_dtype),
            variant_from(second_model, second_instruction, second_dimensions, second_dtype),
        )
        for result in follow(job, progress, language):
            if result is None:
                yield (gr.skip(),) * 6
                continue
            yield (
                difference_view(result, language),
                source_line(say("similarity.pick", language)),
                None,
                source_line(
                    say("similarity.change_line", language),
                    bundled_line(result.first.provenance, result.second.provenance, language=language),
                ),
                notice_lines(result.notices, language),
                result,
            )


def bundled_line(*models: Provenance, language: Language) -> str:
    """Say so when numbers come from a bundled model; empty when none does."""
    bundled = any(model.weights == "bundled" for model in models)
    return say("rerank.bundled_line", language) if bundled else ""


@said
def read_pair(
    shown: Comparison | None,
    baseline: Baseline | None,
    difference: Difference | None,
    event: gr.EventData,
    request: gr.Request,
) -> tuple[str, ChosenPair | None]:
    """Show both texts of the clicked cell, and hand those of a comparison to the panel of their words."""
    language = language_of(request)
    pairs, place = chosen_cell(event)
    drawn = difference or shown
    if drawn is None:
        return source_line(say("similarity.pick", language)), None
    rows = drawn.queries if pairs == "query_document" else drawn.documents
    if not (0 <= place[0] < len(rows) and 0 <= place[1] < len(drawn.documents)):
        raise InputError("similarity.no_such_cell")
    if isinstance(drawn, Difference):
        return difference_pair(drawn, pairs, place, language), None
    instruction = drawn.instruction if pairs == "query_document" else None
    chosen = (rows[place[0]], drawn.documents[place[1]], instruction)
    return comparison_pair(drawn, baseline, pairs, place, language), chosen


def chosen_cell(event: gr.EventData) -> tuple[Pairs, tuple[int, int]]:
    """Read which cell was clicked, whatever a browser sent."""
    data = event._data
    pairs = next((kind for kind in KINDS if kind == data["pairs"]), KINDS[0])
    return pairs, (int(data["row"]), int(data["column"]))


def build(workspace: Workspace, page: gr.Blocks) -> None:
    """Lay out the view and connect it.

    Args:
        workspace: Where the models are.
        page: The page, for what happens when it opens.
    """
    parts, handlers = components(workspace), Handlers(workspace)
    texts = parts.texts
    inputs = [texts.queries, texts.documents, texts.instruction]
    said_beside = [parts.heatmap, parts.pair, parts.chosen, parts.caption, parts.notices]
    outputs = [*said_beside, parts.shown, parts.baseline, parts.difference]
    heavy = on_device(parts.caption)
    variants = [texts.queries, texts.documents, *parts.first.all, *parts.second.all]

    first = restored_similarity(parts, page.load).then(handlers.run, inputs, outputs, **heavy)
    pressed = gr.on([texts.run.click, texts.instruction.input], handlers.run, inputs, outputs, **heavy)
    subtracted = parts.subtract.click(handlers.subtract, variants, [*said_beside, parts.difference], **heavy)
    texts.stop.click(None, cancels=[first, pressed, subtracted], **QUIET)
    share_similarity(parts, (first, pressed))
    connect_evidence(workspace, parts.evidence, parts.shown, parts.caption, texts.stop)
    states = [parts.shown, parts.baseline, parts.difference]
    parts.heatmap.pick(read_pair, states, [parts.pair, parts.chosen], **QUIET)

"""Token pairs: which words met in a cosine. The panel stands under the pair that was chosen in the Similarity view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from explorer.errors import InputError
from explorer.service.token_pairs import TokenPairs, token_pairs
from explorer.service.workspace import Workspace
from explorer.texts import Language, say
from explorer.ui.components import WordPairs, part_words, word_pairs_data
from explorer.ui.jobs import QUIET, follow, on_device, said
from explorer.ui.language import LABELS, language_of
from explorer.ui.plain import source_line

ChosenPair = tuple[str, str, str | None]
"""Query, document and the query's instruction; None for two documents."""


class Handlers:
    """What happens when a visitor does something here."""

    def __init__(self, workspace: Workspace) -> None:
        """Remember where the models are."""
        self.workspace = workspace

    @said
    def run(
        self,
        chosen: ChosenPair | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Divide the chosen pair's cosine among its words."""
        language = language_of(request)
        if chosen is None:
            raise InputError("attribution.pairs_none")
        for result in follow(token_pairs(self.workspace, *chosen), progress, language):
            yield (gr.skip(),) * 2 if result is None else show(result, language)


def show(result: TokenPairs, language: Language) -> tuple[WordPairs, str]:
    """Hand a result to the part and its caption."""
    lines = [say("attribution.pairs_model_line", language, embedding=result.provenance.line)]
    if result.provenance.weights == "bundled":
        lines.append(say("rerank.bundled_line", language))
    part = WordPairs(data=word_pairs_data(result), words=part_words("pairs", language), visible=True)
    return part, source_line(*lines)


def build(workspace: Workspace, chosen: gr.State) -> None:
    """Lay out the panel and connect it.

    Args:
        workspace: Where the models are.
        chosen: The :data:`ChosenPair`, or None while nothing is chosen. Another one empties the panel.
    """
    handlers = Handlers(workspace)
    with gr.Row():
        run = gr.Button(LABELS("attribution.pairs_run"), size="sm", elem_id="token-pairs-run", scale=3)
        stop = gr.Button(LABELS("ui.stop"), size="sm", elem_id="token-pairs-stop", scale=1, min_width=80)
    caption = gr.HTML(elem_id="token-pairs-caption")
    part = WordPairs(visible=False, elem_id="token-pairs")
    pressed = run.click(handlers.run, chosen, [part, caption], **on_device(caption))
    stop.click(None, cancels=[pressed], **QUIET)
    chosen.change(lambda: (WordPairs(data="", words={}, visible=False), ""), None, [part, caption], **QUIET)

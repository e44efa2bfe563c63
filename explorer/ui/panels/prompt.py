"""The prompt X-ray: what both models read of one document, and what the template does to its score."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from explorer.service.prompts import PromptInputs, exact_inputs
from explorer.service.workspace import Workspace
from explorer.texts import Language, say
from explorer.ui.components import PromptToken, TokenStrip, part_words, token_strip_data
from explorer.ui.jobs import follow, on_device, said
from explorer.ui.language import LABELS, language_of
from explorer.ui.panels.chosen_document import choose_document, document_choice
from explorer.ui.panels.view import RerankView
from explorer.ui.plain import source_line, table


class Handlers:
    """What happens when a visitor does something here."""

    def __init__(self, workspace: Workspace) -> None:
        """Remember where the models are."""
        self.workspace = workspace

    @said
    def run(
        self,
        index: int | None,
        query: str,
        instruction: str,
        source: str,
        lines: str,
        table: list[list[str]],
        file: str | None,
        column: str | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Show the inputs of one document that the view holds."""
        language = language_of(request)
        chosen = choose_document(index, source, lines, table, file, column)
        job = exact_inputs(self.workspace, query, chosen.text, instruction)
        for result in follow(job, progress, language):
            if result is None:
                yield (chosen.choice, *(gr.skip(),) * 3)
            else:
                yield chosen.choice, *show(result, language)


def show(result: PromptInputs, language: Language) -> tuple[TokenStrip, str, str]:
    """Hand all inputs of a document to the token strip, and the templates' scores to the table."""
    strip = [
        (
            say(f"prompt.input_{one.view}", language),
            [PromptToken(token.id, token.text, token.special, token.cut) for token in one.tokens],
        )
        for one in result.inputs
    ]
    card, _, query, _ = result.inputs
    lines = [
        say("prompt.model_line", language, reranker=card.provenance.line, embedding=query.provenance.line)
    ]
    if "bundled" in (card.provenance.weights, query.provenance.weights):
        lines.append(say("rerank.bundled_line", language))
    words = part_words("tokens", language)
    return (
        TokenStrip(tokens=token_strip_data(strip), words=words),
        effect(result, language),
        source_line(*lines),
    )


def effect(result: PromptInputs, language: Language) -> str:
    """Say what the template does to the score, and give the numbers of all inputs."""
    card, evaluation = (one.log_odds or 0.0 for one in result.inputs[:2])
    sentence = say(
        "prompt.effect",
        language,
        difference=f"{result.template_effect:+.2f}",
        card=f"{card:+.2f}",
        evaluation=f"{evaluation:+.2f}",
    )
    if (card > 0) != (evaluation > 0):
        answers = [say(f"prompt.{'yes' if score > 0 else 'no'}", language) for score in (card, evaluation)]
        sentence += " " + say("prompt.effect_flips", language, first=answers[0], second=answers[1])
    names = ("input", "tokens", "cut", "log_odds", "probability")
    rows = [
        (
            say(f"prompt.input_{one.view}", language),
            f"{one.read_tokens:,}",
            f"{len(one.tokens) - one.read_tokens:,}",
            "–" if one.log_odds is None else f"{one.log_odds:+.3f}",
            "–" if one.probability is None else f"{one.probability:.3f}",
        )
        for one in result.inputs
    ]
    return table([say(f"prompt.column_{name}", language) for name in names], rows, sentence)


def build(workspace: Workspace, view: RerankView, tab: gr.Tab) -> None:
    """Lay out the panel and connect it.

    Args:
        workspace: Where the models are.
        view: What it reads of the Rerank view.
        tab: Its tab.
    """
    handlers = Handlers(workspace)
    gr.Markdown(LABELS("prompt.lead"), elem_classes="lead")
    with gr.Row(equal_height=False):
        choice = document_choice("prompt")
        run = gr.Button(LABELS("prompt.show"), elem_id="prompt-run", scale=1, min_width=140)
    score = gr.HTML(elem_id="prompt-effect")
    strip = TokenStrip(elem_id="rerank-prompt", height=340)
    caption = gr.HTML(elem_id="prompt-caption")
    with gr.Accordion(LABELS("ui.how_to_read"), open=False):
        gr.Markdown(LABELS("prompt.reading"), elem_classes="reading")
    inputs = [view.query, view.instruction, *view.documents]
    outputs = [choice, strip, score, caption]
    heavy = on_device(caption)
    tab.select(handlers.run, [view.chosen, *inputs], outputs, **heavy)
    run.click(handlers.run, [choice, *inputs], outputs, **heavy)
    choice.input(handlers.run, [choice, *inputs], outputs, **heavy)

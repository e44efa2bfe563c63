"""The self-check in the Models view: one button, a verdict for each loaded model, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import gradio as gr

from explorer.service.self_check import Check, ModelCheck, SelfCheck, self_check
from explorer.service.workspace import Workspace
from explorer.texts import Language, say
from explorer.ui.jobs import QUIET, follow, on_device, said
from explorer.ui.language import LABELS, language_of
from explorer.ui.plain import notice_lines, source_line, table

COLUMNS = ("result", "check", "value", "bound", "meaning")


def build(workspace: Workspace) -> None:
    """Lay out the self-check and connect it.

    Args:
        workspace: Where the models are.
    """

    @said
    def run(
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[str, str]]:
        language = language_of(request)
        for result in follow(self_check(workspace), progress, language):
            yield ("", gr.skip()) if result is None else ("", tables(result, language))

    gr.Markdown(LABELS("self_check.lead"), elem_classes="lead")
    with gr.Row():
        start = gr.Button(LABELS("self_check.run"), elem_id="check-run", scale=3)
        stop = gr.Button(LABELS("ui.stop"), elem_id="check-stop", scale=1, min_width=80)
    caption = gr.HTML(elem_id="check-caption")
    result = gr.HTML(source_line(say("self_check.waiting", "en")), elem_id="check-result")
    with gr.Accordion(LABELS("ui.how_to_read"), open=False):
        gr.Markdown(LABELS("self_check.reading"), elem_classes="reading")
    running = start.click(run, None, [caption, result], **on_device(caption))
    stop.click(None, cancels=[running], **QUIET)


def tables(result: SelfCheck, language: Language) -> str:
    """Write all verdicts, then the checks of each model.

    Args:
        result: What the self-check found.
        language: The visitor's language.

    Returns:
        HTML.
    """
    verdicts = "".join(_verdict(model, language) for model in result.models)
    found = "".join(_model_table(model, language) for model in result.models)
    return f"<div class='verdicts'>{verdicts}{notice_lines(result.notices, language)}</div>{found}"


def _verdict(model: ModelCheck, language: Language) -> str:
    """Write the verdict, and under it what to do about each check that failed."""
    said_first = f"<b>{escape(_kind(model, language))}</b> {escape(model.sentence.text(language))}"
    advice = "".join(
        f"<br>{escape(say(f'self_check.{check.name}', language))}: {escape(notice.text(language))}"
        for check, notice in zip(model.failed, model.advice, strict=True)
    )
    return f"<p class='{model.verdict}'>{said_first}{advice}</p>"


def _kind(model: ModelCheck, language: Language) -> str:
    return say(f"self_check.family_{model.provenance.family}", language)


def _model_table(model: ModelCheck, language: Language) -> str:
    headers = [say(f"self_check.column_{name}", language) for name in COLUMNS]
    rows = [_row(check, language) for check in model.checks]
    caption = f"{_kind(model, language)}: {model.provenance.line}"
    return f"<div class='check'>{table(headers, rows, caption)}</div>"


def _row(check: Check, language: Language) -> list[str]:
    outcome = "failed" if check.failed else "skipped" if check.value is None else "passed"
    meaning = (
        say(f"self_check.{check.name}_meaning", language)
        if check.reason is None
        else check.reason.text(language)
    )
    return [
        say(f"self_check.{outcome}", language),
        say(f"self_check.{check.name}", language),
        _number(check.value, check.bound),
        _number(check.bound, check.bound),
        meaning,
    ]


def _number(value: float | None, bound: float | None) -> str:
    """Write a count in full, a difference by its first digits."""
    if value is None:
        return "–"
    if bound == 0:
        return f"{value:.0f}"
    return f"{value:.3g}" if value >= 0.001 else f"{value:.0e}"

"""The button that takes everything behind a result away as one file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from explorer.errors import InputError
from explorer.service.compare import Comparison
from explorer.service.evidence.bundle import evidence
from explorer.service.rerank import Reranking
from explorer.service.workspace import Workspace
from explorer.ui.downloads import stored
from explorer.ui.jobs import QUIET, follow, on_device, said
from explorer.ui.language import LABELS, language_of


@dataclass(frozen=True)
class EvidenceButton:
    """The components.

    Attributes:
        make: What a visitor presses.
        file: The finished file, never seen; the page presses it when it is there.
    """

    make: gr.Button
    file: gr.DownloadButton


def evidence_button(view: str) -> EvidenceButton:
    """Lay the button out where it is called.

    Args:
        view: Name of the view, which begins the ids.

    Returns:
        The components, for :func:`connect_evidence`.
    """
    return EvidenceButton(
        make=gr.Button(LABELS("evidence.make"), size="sm", elem_id=f"{view}-evidence"),
        file=gr.DownloadButton("", visible="hidden", elem_id=f"{view}-evidence-file"),
    )


def connect_evidence(
    workspace: Workspace, button: EvidenceButton, shown: gr.State, caption: gr.HTML, stop: gr.Button
) -> None:
    """Have the button bundle the result on screen and hand it to the visitor.

    Args:
        workspace: Where the models are.
        button: From :func:`evidence_button`.
        shown: The view's last result.
        caption: Where the progress is drawn.
        stop: The view's button that stops what it computes.
    """

    @said
    def bundle(
        result: Reranking | Comparison | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[Any]:
        if result is None:
            raise InputError("evidence.nothing")
        language = language_of(request)
        for finished in follow(evidence(workspace, result, language), progress, language):
            yield gr.skip() if finished is None else stored(finished.content, finished.name)

    pressed = button.make.click(bundle, shown, button.file, **on_device(caption))
    save = f"() => document.querySelector('#{button.file.elem_id}').click()"
    pressed.success(None, js=save, **QUIET)
    stop.click(None, cancels=[pressed], **QUIET)

"""The Counterfactuals panel: edit one pair, and see what each edit does to its score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from explorer.service.changes.change import KINDS, PLACES, Kind
from explorer.service.workspace import Workspace
from explorer.ui.components import EditEffects
from explorer.ui.jobs import QUIET, STATE_SECONDS, on_device
from explorer.ui.language import LABELS
from explorer.ui.panels.counterfactual_handlers import Handlers, adopt, redo, restore, undo
from explorer.ui.panels.view import RerankView


@dataclass(frozen=True)
class Parts:
    """The components of this panel."""

    query: gr.Textbox
    instruction: gr.Textbox
    document: gr.Textbox
    place: gr.Radio
    changes: dict[Kind, gr.Button]
    try_all: gr.Button
    score: gr.Button
    undo: gr.Button
    redo: gr.Button
    restart: gr.Button
    stop: gr.Button
    effects: EditEffects
    tried: EditEffects
    caption: gr.HTML
    notices: gr.HTML
    history: gr.State
    changes_tried: gr.State

    @property
    def editor(self) -> list[Any]:
        """The history and the three texts, as handlers take them."""
        return [self.history, self.query, self.instruction, self.document]

    @property
    def shown(self) -> list[Any]:
        """What :func:`explorer.ui.panels.counterfactual_handlers.show` fills."""
        texts = [self.query, self.instruction, self.document]
        return [*texts, self.history, self.effects, self.notices, self.undo, self.redo]


def components() -> Parts:
    """Lay out the panel: the editor, the changes at one press, the history, and the changes that were tried."""
    gr.Markdown(LABELS("counterfactuals.lead"), elem_classes="lead")
    editor = _editor()
    changes = _changes()
    effects = EditEffects(elem_id="counterfactuals-history")
    tried = EditEffects(elem_id="counterfactuals-tried", visible=False)
    caption = gr.HTML(elem_id="counterfactuals-caption")
    notices = gr.HTML(elem_classes="notices", elem_id="counterfactuals-notices")
    with gr.Accordion(LABELS("ui.how_to_read"), open=False):
        gr.Markdown(LABELS("counterfactuals.reading"), elem_classes="reading")
    with gr.Accordion(LABELS("counterfactuals.how_rules"), open=False):
        gr.Markdown(LABELS("counterfactuals.rules"), elem_classes="reading")
    return Parts(
        **editor,
        **changes,
        effects=effects,
        tried=tried,
        caption=caption,
        notices=notices,
        history=gr.State(None, time_to_live=STATE_SECONDS),
        changes_tried=gr.State(None, time_to_live=STATE_SECONDS),
    )


def _editor() -> dict[str, Any]:
    with gr.Row():
        query = _text("query", 2)
        instruction = _text("instruction", 2)
    document = _text("document", 4)
    with gr.Row():
        score = _button("score", 2)
        back = _button("undo", 1, interactive=False)
        again = _button("redo", 1, interactive=False)
        restart = _button("restart", 2)
        stop = gr.Button(LABELS("ui.stop"), elem_id="counterfactuals-stop", size="sm", scale=1, min_width=80)
    return {
        "query": query,
        "instruction": instruction,
        "document": document,
        "score": score,
        "undo": back,
        "redo": again,
        "restart": restart,
        "stop": stop,
    }


def _changes() -> dict[str, Any]:
    place = gr.Radio(
        [(LABELS(f"counterfactuals.{name}"), name) for name in PLACES],
        value=PLACES[0],
        label=LABELS("counterfactuals.place"),
        elem_id="counterfactuals-place",
    )
    with gr.Row():
        changes = {kind: _button(kind, 1) for kind in KINDS}
        try_all = _button("try_all", 1)
    return {"place": place, "changes": changes, "try_all": try_all}


def _text(name: str, lines: int) -> gr.Textbox:
    label, place = LABELS(f"counterfactuals.{name}"), f"counterfactuals-{name}"
    return gr.Textbox(label=label, lines=lines, max_lines=8, min_width=260, elem_id=place)


def _button(name: str, scale: int, *, interactive: bool = True) -> gr.Button:
    return gr.Button(
        LABELS(f"counterfactuals.{name}"),
        elem_id=f"counterfactuals-{name}",
        size="sm",
        scale=scale,
        min_width=110,
        interactive=interactive,
    )


def build(workspace: Workspace, view: RerankView, tab: gr.Tab) -> None:
    """Lay out the panel and connect it.

    Args:
        workspace: Where the models are.
        view: What the panel reads of the Rerank view.
        tab: The tab it stands in.
    """
    parts, handlers = components(), Handlers(workspace)
    heavy = on_device(parts.caption)
    card, begun = [view.shown, view.chosen], [*parts.shown, parts.changes_tried, parts.tried]
    running = [
        tab.select(handlers.opened, [*card, parts.history], begun, **heavy),
        parts.restart.click(handlers.take_card, card, begun, **heavy),
        gr.on(
            [parts.score.click, parts.query.submit, parts.instruction.submit, parts.document.submit],
            handlers.score,
            parts.editor,
            parts.shown,
            **heavy,
        ),
        parts.try_all.click(
            handlers.try_all,
            [parts.history, parts.place],
            [parts.changes_tried, parts.tried, parts.notices],
            **heavy,
        ),
    ]
    for kind, button in parts.changes.items():
        inputs = [*parts.editor, parts.place, gr.State(kind)]
        running.append(button.click(handlers.change, inputs, parts.shown, **heavy))
    parts.stop.click(None, cancels=running, **QUIET)
    parts.undo.click(undo, parts.history, parts.shown, **QUIET)
    parts.redo.click(redo, parts.history, parts.shown, **QUIET)
    parts.effects.pick(restore, parts.history, parts.shown, **QUIET)
    parts.tried.pick(adopt, [parts.history, parts.changes_tried], parts.shown, **QUIET)

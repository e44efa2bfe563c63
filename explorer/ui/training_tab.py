"""The Training view: pairs, their filter, a run in the background, a merge, and the result in use everywhere."""

from __future__ import annotations

from typing import Any

import gradio as gr

from explorer.service.workspace import Workspace
from explorer.ui.jobs import QUIET, on_device
from explorer.ui.training_handlers import Handlers
from explorer.ui.training_parts import Parts, components
from explorer.ui.training_results import ResultHandlers


def build(workspace: Workspace, page: gr.Blocks, tab: gr.Tab) -> None:
    """Lay out the view and connect it.

    Args:
        workspace: Where models, pairs and runs are.
        page: The page, for what happens when it opens.
        tab: The view's tab, for what happens when it is opened.
    """
    parts = components(workspace.training.limits)
    _wire_pairs(parts, Handlers(workspace), page, tab)
    _wire_run(parts, Handlers(workspace), page, tab)
    _wire_results(parts, ResultHandlers(workspace), page, tab)


def _wire_pairs(parts: Parts, handlers: Handlers, page: gr.Blocks, tab: gr.Tab) -> None:
    """Steps 1 and 2."""
    pairs, cut = parts.pairs, parts.filter
    shown = [
        parts.pair_set,
        pairs.caption,
        pairs.notices,
        pairs.table,
        cut.cut,
        cut.caption,
        parts.strip,
        parts.threshold,
    ]
    filtered = [cut.cut, cut.caption, cut.notices, parts.strip]
    asked = [parts.pair_set, parts.threshold]
    heavy = on_device(cut.caption)
    page.load(handlers.show_bundled, None, shown, **QUIET)
    pairs.bundled.click(handlers.show_bundled, None, shown, **QUIET)
    pairs.upload.upload(handlers.read_upload, [pairs.upload, parts.pair_set], shown, **QUIET)
    opened = tab.select(handlers.filter, asked, filtered, **heavy)
    pressed = cut.run.click(handlers.filter, asked, filtered, **heavy)
    cut.stop.click(None, cancels=[opened, pressed], **QUIET)
    cut.cut.change(
        handlers.move_cut,
        parts.pair_set,
        [parts.threshold, parts.strip],
        **QUIET,
        trigger_mode="always_last",
    )


def _wire_run(parts: Parts, handlers: Handlers, page: gr.Blocks, tab: gr.Tab) -> None:
    """Step 3: every event answers with how the run stands, and the timer asks again while it is alive."""
    train = parts.train
    shown: list[Any] = [*train.shown, parts.strip, parts.timer, parts.seen, parts.ended]
    known = [parts.pair_set, parts.threshold]
    gr.on([page.load, tab.select], handlers.look, known, shown, **QUIET)
    train.start.click(handlers.start, [*known, *train.asked], shown, **QUIET)
    train.pause.click(handlers.pause, known, shown, **QUIET)
    train.resume.click(handlers.resume, known, shown, **QUIET)
    train.stop.click(handlers.stop, known, shown, **QUIET)
    parts.timer.tick(handlers.tick, [parts.seen, *known], shown, **QUIET)


def _wire_results(parts: Parts, handlers: ResultHandlers, page: gr.Blocks, tab: gr.Tab) -> None:
    """Steps 4 and 5, and the report's table."""
    merge, compare = parts.merge, parts.compare
    lists = [parts.train.base, merge.first, merge.second, compare.model]
    stated = [compare.status, compare.back, compare.change]
    both = [merge.first, merge.second]
    heavy = on_device(merge.caption)
    gr.on([page.load, tab.select], handlers.report, None, [parts.report, parts.own], **QUIET)
    page.load(handlers.example, None, merge.path, **QUIET)
    gr.on([page.load, tab.select, parts.ended.change], handlers.offer, lists, lists, **QUIET)
    gr.on([page.load, tab.select, compare.model.change], handlers.stated, compare.model, stated, **QUIET)
    measured = merge.run.click(handlers.merge, both, [merge.path, merge.caption, merge.notices], **heavy)
    merge.stop.click(None, cancels=[measured], **QUIET)
    merge.path.change(handlers.move_weight, None, parts.weight, **QUIET, trigger_mode="always_last")
    merge.keep.click(
        handlers.keep, [*both, parts.weight], [merge.caption, merge.notices, compare.model], **QUIET
    ).then(handlers.offer, lists, lists, **QUIET)
    swapped = [*stated, compare.notices]
    compare.use.click(handlers.use, compare.model, swapped, **on_device(compare.status))
    compare.back.click(handlers.back, compare.model, swapped, **on_device(compare.status))

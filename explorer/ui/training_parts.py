"""The components of the Training view and where they stand: five steps, one below the other."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from explorer.service.training import TrainingLimits
from explorer.ui.components import FigureView, FilterCut, MergePath, StageStrip
from explorer.ui.language import LABELS
from explorer.ui.training_run_parts import TrainParts, heading, train_parts


@dataclass(frozen=True)
class PairParts:
    """Step 1."""

    upload: gr.File
    bundled: gr.Button
    caption: gr.HTML
    notices: gr.HTML
    table: gr.HTML


@dataclass(frozen=True)
class FilterParts:
    """Step 2."""

    run: gr.Button
    stop: gr.Button
    caption: gr.HTML
    notices: gr.HTML
    cut: FilterCut


@dataclass(frozen=True)
class MergeParts:
    """Step 4."""

    first: gr.Dropdown
    second: gr.Dropdown
    run: gr.Button
    stop: gr.Button
    keep: gr.Button
    caption: gr.HTML
    notices: gr.HTML
    path: MergePath


@dataclass(frozen=True)
class CompareParts:
    """Step 5."""

    model: gr.Dropdown
    use: gr.Button
    back: gr.Button
    status: gr.HTML
    notices: gr.HTML
    change: FigureView


@dataclass(frozen=True)
class Parts:
    """The components of this view."""

    strip: StageStrip
    pairs: PairParts
    filter: FilterParts
    train: TrainParts
    merge: MergeParts
    compare: CompareParts
    report: FigureView
    own: FigureView
    pair_set: gr.State
    threshold: gr.State
    weight: gr.State
    seen: gr.State
    ended: gr.State
    timer: gr.Timer


def components(limits: TrainingLimits) -> Parts:
    """Lay out the view.

    Args:
        limits: The most that a training may be, where the sliders end.
    """
    gr.Markdown(LABELS("training.lead"), elem_classes="lead")
    strip = StageStrip(elem_id="training-stages")
    parts = Parts(
        strip=strip,
        pairs=_pairs(),
        filter=_filter(),
        train=train_parts(limits),
        merge=_merge(),
        compare=_compare(),
        pair_set=gr.State(None),
        threshold=gr.State(0.7),
        weight=gr.State(0.5),
        seen=gr.State(""),
        ended=gr.State(""),
        timer=gr.Timer(1.5, active=False),
        **_report(),
    )
    with gr.Accordion(LABELS("ui.how_to_read"), open=False):
        gr.Markdown(LABELS("training.reading"), elem_classes="reading")
    return parts


def _pairs() -> PairParts:
    heading("pairs")
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            caption = gr.HTML(elem_id="training-pairs-caption")
            upload = gr.File(
                label=LABELS("training.upload"), type="filepath", height=110, elem_id="training-upload"
            )
            bundled = gr.Button(LABELS("training.use_bundled"), size="sm", elem_id="training-bundled")
            notices = gr.HTML(elem_classes="notices", elem_id="training-pairs-notices")
        with gr.Column(scale=2, min_width=320):
            table = gr.HTML(elem_id="training-pairs-table")
    return PairParts(upload, bundled, caption, notices, table)


def _filter() -> FilterParts:
    heading("filter")
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            with gr.Row():
                run = gr.Button(LABELS("training.run_filter"), elem_id="training-filter", scale=3)
                stop = gr.Button(LABELS("ui.stop"), elem_id="training-filter-stop", scale=1, min_width=80)
            caption = gr.HTML(elem_id="training-filter-caption")
            notices = gr.HTML(elem_classes="notices", elem_id="training-filter-notices")
        with gr.Column(scale=2, min_width=320):
            cut = FilterCut(elem_id="training-cut")
    return FilterParts(run, stop, caption, notices, cut)


def _merge() -> MergeParts:
    heading("merge")
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            first, second = (
                gr.Dropdown(
                    [(LABELS("training.bundled_name"), "bundled")],
                    value="bundled",
                    label=LABELS(f"training.merge_{name}"),
                    elem_id=f"training-merge-{name}",
                )
                for name in ("first", "second")
            )
            with gr.Row():
                run = gr.Button(LABELS("training.merge_run"), elem_id="training-merge", scale=3)
                stop = gr.Button(LABELS("ui.stop"), elem_id="training-merge-stop", scale=1, min_width=80)
            keep = gr.Button(LABELS("training.merge_keep"), size="sm", elem_id="training-keep")
            caption = gr.HTML(elem_id="training-merge-caption")
            notices = gr.HTML(elem_classes="notices", elem_id="training-merge-notices")
        with gr.Column(scale=2, min_width=320):
            path = MergePath(elem_id="training-path")
    return MergeParts(first, second, run, stop, keep, caption, notices, path)


def _compare() -> CompareParts:
    heading("compare")
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            model = gr.Dropdown(
                [(LABELS("training.bundled_name"), "bundled")],
                value="bundled",
                label=LABELS("training.compare_model"),
                elem_id="training-model",
            )
            use = gr.Button(LABELS("training.compare_use"), elem_id="training-use")
            back = gr.Button(
                LABELS("training.compare_back"), size="sm", elem_id="training-back", interactive=False
            )
            status = gr.HTML(elem_id="training-in-use")
            notices = gr.HTML(elem_classes="notices", elem_id="training-compare-notices")
        with gr.Column(scale=2, min_width=320):
            change = FigureView(elem_id="training-change", height=320)
    return CompareParts(model, use, back, status, notices, change)


def _report() -> dict[str, FigureView]:
    heading("report")
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            report = FigureView(elem_id="training-ablation", height=300)
        with gr.Column(scale=1, min_width=320):
            own = FigureView(elem_id="training-own", height=300)
    return {"report": report, "own": own}

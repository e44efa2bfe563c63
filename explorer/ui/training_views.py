"""What steps 1 to 3 of the Training view show of pairs, cosines and a run: findings to components, no handler."""

from __future__ import annotations

from html import escape

import gradio as gr
import numpy as np

from explorer.figures.training import QualitySeries, loss_curve, quality_curve
from explorer.provenance import Provenance
from explorer.service.training import Filtered, Measured, PairSet, RunState
from explorer.texts import Language, say
from explorer.ui import components
from explorer.ui.components import FigureView, FilterCut, Stage, StageStrip, part_words
from explorer.ui.plain import source_line, table

PREVIEW = 12
PREVIEW_CHARACTERS = 130
MEASURES = ("ndcg", "recall", "spearman")
FIELDS = {"ndcg": "ndcg_at_10", "recall": "recall_at_1", "spearman": "spearman"}


def pair_lines(pair_set: PairSet, language: Language) -> str:
    """Say where pairs come from and how many there are of each kind."""
    kinds = ", ".join(
        f"{count:,} {say(f'training.kind_{kind}', language)}" for kind, count in pair_set.counts("kind")
    )
    languages = ", ".join(name for name, _ in pair_set.counts("language")[:12])
    origin = (
        say("training.pairs_uploaded", language, file=pair_set.title)
        if pair_set.title
        else say("training.pairs_bundled", language)
    )
    counted = say(
        "training.pairs_count",
        language,
        count=f"{len(pair_set.pairs):,}",
        kinds=kinds,
        languages=languages,
    )
    return source_line(counted, origin)


def pair_table(pair_set: PairSet, language: Language) -> str:
    """Show a few pairs from all over the set as plain text."""
    count = len(pair_set.pairs)
    places = np.unique(np.linspace(0, count - 1, min(PREVIEW, count)).astype(int))
    rows = []
    for place in places:
        pair = pair_set.pairs[place]
        made = pair.provenance
        origin = " · ".join(filter(None, (made.generator, made.model, made.source)))
        texts = (pair.query, pair.document)
        rows.append(
            (
                say(f"training.kind_{pair.kind}", language),
                pair.language,
                *(text[:PREVIEW_CHARACTERS] + "…" * (len(text) > PREVIEW_CHARACTERS) for text in texts),
                origin[:80],
            )
        )
    headers = [
        say(f"training.{name}", language) for name in ("kind", "language", "query", "document", "origin")
    ]
    return table(headers, rows, say("training.pairs_shown", language, shown=len(rows), count=f"{count:,}"))


def cut_view(filtered: Filtered, threshold: float, language: Language) -> FilterCut:
    """Draw the histogram with the cut."""
    data = components.filter_cut_data(
        filtered.report.cosines,
        filtered.report.graded,
        [(pair.query, pair.document) for pair in filtered.pair_set.pairs],
        threshold,
        [filtered.report.provenance.line],
    )
    return FilterCut(data=data, words=part_words("filter", language))


def cut_advice(filtered: Filtered, language: Language) -> str:
    """Say what the cosines of this model are like."""
    quarter, middle = np.quantile(filtered.report.cosines, (0.25, 0.5))
    return source_line(
        say("training.filter_advice", language, middle=f"{middle:.2f}", quarter=f"{quarter:.2f}")
    )


def stages(
    pair_set: PairSet | None,
    kept: int | None,
    run: RunState | None,
    models: int,
    in_use: Provenance | None,
    language: Language,
) -> StageStrip:
    """Draw the strip: what each stage does, and how far it has come here."""
    count = len(pair_set.pairs) if pair_set else 0
    trained = in_use is not None and in_use.model.startswith("run-")
    training = run is not None and run.alive
    status = {
        "pairs": say("training.status_pairs", language, count=f"{count:,}") if count else "",
        "filter": ""
        if kept is None
        else say("training.status_kept", language, count=f"{kept:,}", total=f"{count:,}"),
        "train": ""
        if run is None
        else say("training.status_step", language, done=run.done, steps=run.record.request.steps),
        "merge": say("training.status_merge", language, count=models) if models > 1 else "",
        "compare": say("training.status_trained", language, model=in_use.model) if trained and in_use else "",
    }
    made = [
        Stage(
            target=f"training-step-{name}",
            name=say(f"training.stage_{name}", language),
            text=say(f"training.stage_{name}_text", language),
            status=text,
            state="now" if name == "train" and training else "done" if text else "todo",
        )
        for name, text in status.items()
    ]
    return StageStrip(data=components.stage_strip_data(made), words=part_words("stages", language))


def status_panel(run: RunState | None, language: Language) -> str:
    """Say what the run is doing, how far it has come, and what went wrong."""
    if run is None:
        return source_line(say("training.phase_none", language))
    steps = run.record.request.steps
    facts = [say("training.status_step", language, done=run.done, steps=steps)]
    if run.seconds_left is not None:
        facts.append(_time_left(run.seconds_left, language))
    if run.steps:
        recent = run.steps[-20:]
        share = 100 * sum(step.masked_share for step in recent) / len(recent)
        facts.append(say("training.masked", language, share=f"{share:.2f}"))
    phase = escape(say(f"training.phase_{run.phase}", language, run=run.name))
    bar = (
        f"<div class='run-bar' role='progressbar' aria-valuemin='0' aria-valuemax='{steps}' "
        f"aria-valuenow='{run.done}'><i style='width:{100 * run.done / steps:.1f}%'></i></div>"
    )
    error = (
        ""
        if run.error is None
        else f"<div class='notices'><p role='alert'>{escape(run.error.text(language))}</p></div>"
    )
    return f"<div class='run-status'><p>{phase}</p>{bar}{source_line(' · '.join(facts))}{error}</div>"


def _time_left(seconds: float, language: Language) -> str:
    if seconds < 90:
        return say("training.left_seconds", language, seconds=max(1, round(seconds)))
    return say("training.left_minutes", language, minutes=round(seconds / 60))


def run_caption(run: RunState, language: Language) -> str:
    """Name model, number format, device and pairs of a run."""
    pairs = run.record.title or say("training.run_pairs_bundled", language)
    return say(
        "training.run_caption", language, base=run.record.base_name, place=run.record.place, pairs=pairs
    )


def recorded_line(date: str, language: Language) -> list[str]:
    """Say that figures were recorded, when they were."""
    return [say("training.recorded", language, date=date)] if date else []


def loss_view(run: RunState | None, language: Language, recorded: str = "") -> FigureView:
    """Draw the loss so far."""
    words = part_words("figure", language)
    if run is None or not run.steps:
        return FigureView(figure="", words={**words, "empty": words["empty_loss"]})
    figure = loss_curve(
        [step.step for step in run.steps],
        [step.loss for step in run.steps],
        run.record.request.steps,
        language,
        [*recorded_line(recorded, language), run_caption(run, language)],
    )
    return FigureView(figure=figure.to_json(), words=words)


def quality_view(run: RunState | None, language: Language, recorded: str = "") -> FigureView:
    """Draw quality along the run."""
    words = part_words("figure", language)
    series = [] if run is None else quality_series(run, language)
    if run is None or not series:
        return FigureView(figure="", words={**words, "empty": words["empty_quality"]})
    measured = held_out_line(run.quality[0], language)
    caption = [*recorded_line(recorded, language), run_caption(run, language), measured]
    figure = quality_curve(series, run.record.request.steps, language, caption)
    return FigureView(figure=figure.to_json(), words=words)


def held_out_line(point: Measured, language: Language) -> str:
    """Say what quality was measured on."""
    if not point.queries:
        return ""
    return say("training.held_out", language, queries=f"{point.queries:,}", documents=f"{point.documents:,}")


def quality_series(run: RunState, language: Language) -> list[QualitySeries]:
    """Take the measures of a run apart: each at the full size, then each at the small one."""
    sizes = [size.dimensions for size in run.quality[0].sizes] if run.quality else []
    found = []
    for place in reversed(range(len(sizes))):
        for measure in MEASURES:
            points = [(point.step, getattr(point.sizes[place], FIELDS[measure])) for point in run.quality]
            known = [(step, value) for step, value in points if value is not None]
            if known:
                name = say(f"training.measure_{measure}", language, size=sizes[place])
                found.append(QualitySeries(name, *map(tuple, zip(*known, strict=True))))
    return found


def in_place(error: str) -> str:
    """Write an error where it happened."""
    return f"<p role='alert'>{escape(error)}</p>"


def buttons(run: RunState | None) -> tuple[gr.Button, gr.Button, gr.Button, gr.Button]:
    """Switch Start, Pause, Resume and Stop on or off."""
    alive, waits = run is not None and run.alive, run is not None and run.resumable
    running = run is not None and run.phase in ("preparing", "training")
    return (
        gr.Button(interactive=not alive),
        gr.Button(interactive=running),
        gr.Button(interactive=waits),
        gr.Button(interactive=running or waits),
    )

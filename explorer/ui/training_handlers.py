"""What happens in steps 1 to 3 of the Training view: pairs, their filter, and the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from explorer.errors import Cancelled, ExplorerError
from explorer.service import training
from explorer.service.training import PairSet, RunState, TrainingRequest
from explorer.service.training_example import recorded_training
from explorer.service.workspace import Workspace
from explorer.texts import Language, say
from explorer.ui import training_views as views
from explorer.ui.components import FilterCut, StageStrip, part_words
from explorer.ui.jobs import follow, said
from explorer.ui.language import language_of
from explorer.ui.plain import notice_lines, source_line

SHOWN = 11
"""Outputs of every event of the run: status, two curves, four buttons, strip, timer, what was seen, how it ended."""


class Handlers:
    """What happens when a visitor does something in steps 1 to 3."""

    def __init__(self, workspace: Workspace) -> None:
        """Remember where models, pairs and runs are."""
        self.workspace = workspace

    @said
    def show_bundled(self, request: gr.Request) -> tuple[Any, ...]:
        """Show the pairs that come with the explorer."""
        return self._pairs(training.bundled_pairs(self.workspace), language_of(request))

    @said
    def read_upload(self, file: str | None, name: str | None, request: gr.Request) -> tuple[Any, ...]:
        """Read uploaded pairs, or say in place why they cannot be used; the pairs from before then stay."""
        language = language_of(request)
        if file is None:
            return (gr.skip(),) * 8
        try:
            return self._pairs(training.uploaded_pairs(self.workspace, Path(file)), language)
        except ExplorerError as error:
            return (name, gr.skip(), views.in_place(error.text(language)), *(gr.skip(),) * 5)

    def _pairs(self, pair_set: PairSet, language: Language) -> tuple[Any, ...]:
        known = training.known_cosines(self.workspace, pair_set.name)
        empty = FilterCut(data="", words=part_words("filter", language))
        limits = self.workspace.training.limits
        shared = (
            ""
            if limits.kept_runs is None
            else source_line(
                say(
                    "training.shared_limits",
                    language,
                    steps=limits.steps,
                    pairs=limits.pairs,
                    runs=limits.kept_runs,
                )
            )
        )
        return (
            pair_set.name,
            views.pair_lines(pair_set, language) + shared,
            notice_lines(pair_set.notices, language),
            views.pair_table(pair_set, language),
            views.cut_view(known, training.DEFAULT_THRESHOLD, language) if known else empty,
            views.cut_advice(known, language) if known else "",
            self._strip(pair_set.name, training.DEFAULT_THRESHOLD, language),
            training.DEFAULT_THRESHOLD,
        )

    @said
    def filter(
        self,
        name: str | None,
        threshold: float,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Compute the cosines of the pairs, once for each model."""
        language = language_of(request)
        try:
            for found in follow(training.filter_cosines(self.workspace, name, threshold), progress, language):
                if found is None:
                    yield (gr.skip(),) * 4
                    continue
                yield (
                    views.cut_view(found, threshold, language),
                    views.cut_advice(found, language),
                    "",
                    self._strip(name, threshold, language),
                )
        except Cancelled:
            raise
        except ExplorerError as error:
            yield gr.skip(), gr.skip(), views.in_place(error.text(language)), gr.skip()

    @said
    def move_cut(
        self, name: str | None, event: gr.EventData, request: gr.Request
    ) -> tuple[float, StageStrip]:
        """Remember where the cut came to rest."""
        threshold = float(event._data["threshold"])
        return threshold, self._strip(name, threshold, language_of(request))

    @said
    def look(self, name: str | None, threshold: float, request: gr.Request) -> tuple[Any, ...]:
        """Show how the run stands, also one that began before this page was opened."""
        return self._run(training.state(self.workspace), name, threshold, language_of(request))

    def tick(self, seen: str, name: str | None, threshold: float, request: gr.Request) -> tuple[Any, ...]:
        """Show what is new since the last time; nothing travels when nothing is."""
        run = training.state(self.workspace)
        if run is None or mark(run) == seen:
            return (gr.skip(),) * SHOWN
        return self._run(run, name, threshold, language_of(request))

    @said
    def start(
        self,
        name: str | None,
        threshold: float,
        stage: str,
        steps: float,
        margin: bool,
        matryoshka: bool,
        base: str,
        temperature: float,
        rate: float,
        batch: float,
        seed: float | None,
        request: gr.Request,
    ) -> tuple[Any, ...]:
        """Begin a training."""
        wanted = TrainingRequest(
            pairs=name or training.bundled_pairs(self.workspace).name,
            base=base,
            threshold=threshold if stage == "kept" else None,
            steps=int(steps),
            temperature=temperature,
            learning_rate=rate,
            margin=margin,
            matryoshka=matryoshka,
            batch_pairs=int(batch),
            seed=int(seed or 0),
        )
        return self._asked(
            lambda: training.start(self.workspace, wanted), name, threshold, language_of(request)
        )

    @said
    def pause(self, name: str | None, threshold: float, request: gr.Request) -> tuple[Any, ...]:
        """Stop after a whole checkpoint, to go on later."""
        return self._asked(lambda: training.pause(self.workspace), name, threshold, language_of(request))

    @said
    def resume(self, name: str | None, threshold: float, request: gr.Request) -> tuple[Any, ...]:
        """Go on from the last whole checkpoint."""
        return self._asked(lambda: training.resume(self.workspace), name, threshold, language_of(request))

    @said
    def stop(self, name: str | None, threshold: float, request: gr.Request) -> tuple[Any, ...]:
        """End the run with the model as it is."""
        return self._asked(lambda: training.stop(self.workspace), name, threshold, language_of(request))

    def _asked(
        self, wish: Callable[[], RunState], name: str | None, threshold: float, language: Language
    ) -> tuple[Any, ...]:
        """Do what was asked and show the run; a refusal stands in place, above how the run is."""
        try:
            return self._run(wish(), name, threshold, language)
        except ExplorerError as error:
            run = training.state(self.workspace)
            refusal = f"<div class='notices'>{views.in_place(error.text(language))}</div>"
            return (refusal + views.status_panel(run, language), *(gr.skip(),) * (SHOWN - 1))

    def _run(
        self, run: RunState | None, name: str | None, threshold: float, language: Language
    ) -> tuple[Any, ...]:
        example = recorded_training() if run is None else None
        shown, date = (run, "") if example is None else (example.run, example.date)
        return (
            views.status_panel(run, language),
            views.loss_view(shown, language, date),
            views.quality_view(shown, language, date),
            *views.buttons(run),
            self._strip(name, threshold, language),
            gr.Timer(active=run is not None and run.alive),
            mark(run),
            gr.skip() if run is None or run.alive else f"{run.name}/{run.phase}",
        )

    def _strip(self, name: str | None, threshold: float | None, language: Language) -> StageStrip:
        pair_set, kept = training.kept_by(self.workspace, name, threshold)
        return views.stages(
            pair_set,
            kept,
            training.state(self.workspace),
            len(training.models(self.workspace)),
            training.current_model(self.workspace),
            language,
        )


def mark(run: RunState | None) -> str:
    """Name what is known of a run, so that the same is not drawn twice."""
    return "" if run is None else f"{run.name}/{run.version}/{run.phase}"

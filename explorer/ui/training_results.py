"""What happens in steps 4 and 5 of the Training view: merging, and a result in use everywhere."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import gradio as gr

from explorer.errors import Cancelled, ExplorerError
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service import training
from explorer.service.training_ablation import ablation_folder, own_ablation
from explorer.service.training_example import recorded_training
from explorer.service.workspace import Workspace
from explorer.texts import Language, say
from explorer.ui import training_result_views as views
from explorer.ui.components import FigureView, MergePath
from explorer.ui.jobs import follow, said
from explorer.ui.language import language_of
from explorer.ui.plain import source_line
from explorer.ui.training_views import held_out_line, in_place


class ResultHandlers:
    """What happens when a visitor does something in steps 4 and 5."""

    def __init__(self, workspace: Workspace) -> None:
        """Remember where models and runs are."""
        self.workspace = workspace

    @said
    def report(self, request: gr.Request) -> tuple[FigureView, FigureView]:
        """Show the report's ablation, and one's own or how to make it."""
        language = language_of(request)
        hidden = training.hides_folders(self.workspace)
        folder = "" if hidden else str(ablation_folder(self.workspace))
        own = views.own_view(own_ablation(self.workspace), folder, language)
        return views.report_view(language), own

    @said
    def example(self, request: gr.Request) -> MergePath:
        """Show a recorded merge, until one is measured here."""
        language = language_of(request)
        measured, recorded = self.workspace.training.last_path, recorded_training()
        if measured is not None or recorded is None:
            return views.path_view(measured, 0.5, language)
        return views.path_view(recorded.path, 0.5, language, recorded.date)

    @said
    def offer(
        self, base: str, first: str, second: str, chosen: str, request: gr.Request
    ) -> tuple[gr.Dropdown, ...]:
        """List the results; where a choice is still the bundled model, offer the newest one for after and compare."""
        models = training.models(self.workspace)
        listed = views.choices(models, language_of(request))
        newest = models[1] if len(models) > 1 else "bundled"
        wanted = (base, first, *(newest if name in ("bundled", None) else name for name in (second, chosen)))
        return tuple(
            gr.Dropdown(choices=listed, value=name if name in models else "bundled") for name in wanted
        )

    @said
    def merge(
        self,
        first: str,
        second: str,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Measure the way between two models."""
        language = language_of(request)
        try:
            job = training.merge_path(self.workspace, first, second)
            for path in follow(job, progress, language):
                if path is None:
                    yield (gr.skip(),) * 3
                else:
                    yield views.path_view(path, 0.5, language), "", ""
        except Cancelled:
            raise
        except ExplorerError as error:
            yield gr.skip(), gr.skip(), in_place(error.text(language))

    def move_weight(self, event: gr.EventData) -> float:
        """Remember where the slider came to rest."""
        return float(event._data["weight"])

    @said
    def keep(self, first: str, second: str, weight: float, request: gr.Request) -> tuple[Any, ...]:
        """Write the merge as a folder."""
        language = language_of(request)
        try:
            name = training.keep_merge(self.workspace, first, second, weight)
        except ExplorerError as error:
            return gr.skip(), in_place(error.text(language)), gr.skip()
        listed = views.choices(training.models(self.workspace), language)
        kept = source_line(say("training.merge_kept", language, name=name))
        return kept, "", gr.Dropdown(choices=listed, value=name)

    @said
    def stated(self, chosen: str, request: gr.Request) -> tuple[Any, ...]:
        """Say which model answers, and what the chosen one changed."""
        return self._stated(chosen, language_of(request))

    @said
    def use(
        self,
        chosen: str,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Let the chosen result answer in every view."""
        language = language_of(request)
        yield from self._swapped(
            lambda: training.use_model(self.workspace, chosen), chosen, progress, language
        )

    @said
    def back(
        self,
        chosen: str,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Let the model answer again that did so before."""
        language = language_of(request)
        yield from self._swapped(lambda: training.use_previous(self.workspace), chosen, progress, language)

    def _swapped(
        self,
        job: Any,  # noqa: ANN401 - a function without arguments that gives a generator
        chosen: str,
        progress: gr.Progress,
        language: Language,
    ) -> Iterator[tuple[Any, ...]]:
        steps: Generator[Progress[Provenance], None, None]
        try:
            steps = job()
            for result in follow(steps, progress, language):
                yield (gr.skip(),) * 4 if result is None else (*self._stated(chosen, language), "")
        except ExplorerError as error:
            yield (*(gr.skip(),) * 3, in_place(error.text(language)))

    def _stated(self, chosen: str, language: Language) -> tuple[Any, ...]:
        workspace = self.workspace
        chosen = chosen if chosen in training.models(workspace) else "bundled"
        before = training.previous_model(workspace)
        label = (
            say("training.compare_back", language)
            if before is None
            else say("training.compare_back_to", language, model=before)
        )
        return (
            views.in_use_panel(
                training.current_model(workspace), training.visible_folder(workspace, chosen), language
            ),
            gr.Button(label, interactive=before is not None),
            self._change(chosen, language),
        )

    def _change(self, chosen: str, language: Language) -> FigureView:
        found = training.change(self.workspace, chosen)
        if found is None:
            return views.change_view((), chosen, (), language)
        pairs = found.record.title or say("training.run_pairs_bundled", language)
        caption = [
            say(
                "training.run_caption",
                language,
                base=found.record.base_name,
                place=found.record.place,
                pairs=pairs,
            ),
            held_out_line(found.after, language),
        ]
        return views.change_view(
            views.differences(found.before, found.after, language), chosen, caption, language
        )

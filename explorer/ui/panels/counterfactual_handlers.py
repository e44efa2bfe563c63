"""What happens when a visitor edits a pair, presses one of the changes, or goes back to a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from explorer.errors import InputError
from explorer.notices import Notice
from explorer.service.changes.change import Kind, PairVersion, Place
from explorer.service.changes.proposals import first_new_change
from explorer.service.counterfactuals import TriedChanges, score_versions, try_changes
from explorer.service.edit_history import EditHistory, Origin
from explorer.service.rerank import Reranking
from explorer.service.workspace import Workspace
from explorer.texts import Language
from explorer.ui.components import EditEffects, part_words
from explorer.ui.jobs import follow, said
from explorer.ui.language import language_of
from explorer.ui.panels.counterfactual_rows import drawn_changes, drawn_history
from explorer.ui.plain import notice_lines

SHOWN = 8
"""Outputs of :func:`show`: three texts, history, its drawing, notices, and the buttons for undo and redo."""


class Handlers:
    """What happens when a visitor does something here."""

    def __init__(self, workspace: Workspace) -> None:
        """Remember where the models are."""
        self.workspace = workspace

    @said
    def take_card(
        self,
        shown: Reranking | None,
        chosen: int,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Begin a history with the chosen document."""
        if shown is None:
            raise InputError("counterfactuals.no_card")
        language = language_of(request)
        version = chosen_version(shown, chosen)
        for result in follow(
            score_versions(self.workspace, [version], shown.scores.template), progress, language
        ):
            if result is None:
                yield (gr.skip(),) * (SHOWN + 2)
                continue
            cleared = EditEffects(words=part_words("edits", language), visible=False)
            yield (*show(EditHistory.begun(result), language, result.notices), None, cleared)

    @said
    def opened(
        self,
        shown: Reranking | None,
        chosen: int,
        history: EditHistory | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Take the chosen document, unless its history is here already."""
        if shown is None or _is_history_of(history, shown, chosen):
            yield (gr.skip(),) * (SHOWN + 2)
            return
        yield from self.take_card(shown, chosen, request, progress)

    @said
    def score(
        self,
        history: EditHistory | None,
        query: str,
        instruction: str,
        document: str,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Score what stands in the editor."""
        begun, version = _begun(history), PairVersion(query, document, instruction)
        if version == begun.current.version:
            raise InputError("counterfactuals.unchanged", step=begun.at)
        yield from self._edited(begun, [("typed", version)], request, progress)

    @said
    def change(
        self,
        history: EditHistory | None,
        query: str,
        instruction: str,
        document: str,
        place: Place,
        kind: Kind,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Make one change by rule and score it; what was typed before is a step of its own."""
        begun, version = _begun(history), PairVersion(query, document, instruction)
        edits: list[tuple[Origin, PairVersion]] = []
        if version != begun.current.version:
            edits.append(("typed", version))
        known = [step.version for step in begun.steps]
        edits.append((kind, first_new_change(version, kind, place, known).version))
        yield from self._edited(begun, edits, request, progress)

    def _edited(
        self,
        history: EditHistory,
        edits: Sequence[tuple[Origin, PairVersion]],
        request: gr.Request,
        progress: gr.Progress,
    ) -> Iterator[tuple[Any, ...]]:
        language = language_of(request)
        job = score_versions(self.workspace, [version for _, version in edits], history.template)
        for result in follow(job, progress, language):
            if result is None:
                yield (gr.skip(),) * SHOWN
                continue
            for index, (origin, _) in enumerate(edits):
                history = history.added(result, index, origin)
            yield show(history, language, result.notices)

    @said
    def try_all(
        self,
        history: EditHistory | None,
        place: Place,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[tuple[Any, ...]]:
        """Score every change of one text of the current step."""
        begun, language = _begun(history), language_of(request)
        job = try_changes(self.workspace, begun.current.version, begun.template, places=(place,))
        for tried in follow(job, progress, language):
            if tried is None:
                yield (gr.skip(),) * 3
                continue
            left_out = (
                [Notice("counterfactuals.left_out", {"count": tried.left_out})] if tried.left_out else []
            )
            drawn = drawn_changes(tried, begun, language)
            yield tried, drawn, notice_lines([*tried.scores.notices, *left_out], language)


@said
def adopt(
    history: EditHistory | None, tried: TriedChanges | None, event: gr.EventData, request: gr.Request
) -> tuple[Any, ...]:
    """Add a tried change to the history, after the step that it was tried on."""
    begun, index = _begun(history), _index(event)
    if tried is None or not 1 <= index <= len(tried.changes):
        raise InputError("counterfactuals.no_such_step", step=index)
    base = begun.added(tried.scores, 0, "typed")
    edited = base.added(tried.scores, index, tried.changes[index - 1].kind)
    return show(edited, language_of(request))


@said
def restore(history: EditHistory | None, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
    """Put a step back into the editor."""
    return show(_begun(history).restored(_index(event)), language_of(request))


@said
def undo(history: EditHistory | None, request: gr.Request) -> tuple[Any, ...]:
    """Go back to what the current step was made from."""
    return show(_begun(history).undo(), language_of(request))


@said
def redo(history: EditHistory | None, request: gr.Request) -> tuple[Any, ...]:
    """Take back the last undo."""
    return show(_begun(history).redo(), language_of(request))


def show(history: EditHistory, language: Language, notices: Sequence[Notice] = ()) -> tuple[Any, ...]:
    """Put the current step into the editor and draw the history.

    Args:
        history: The history.
        language: The visitor's language.
        notices: What was cut.
    """
    version = history.current.version
    return (
        version.query,
        version.instruction,
        version.document,
        history,
        drawn_history(history, language),
        notice_lines(notices, language),
        gr.Button(interactive=history.current.parent is not None),
        gr.Button(interactive=bool(history.undone)),
    )


def chosen_version(shown: Reranking, chosen: int) -> PairVersion:
    """Give the pair of a card.

    Args:
        shown: The ranking on screen.
        chosen: Index of the document.
    """
    index = min(max(chosen, 0), len(shown.documents) - 1)
    return PairVersion(shown.query, shown.documents[index], shown.instruction)


def _is_history_of(history: EditHistory | None, shown: Reranking, chosen: int) -> bool:
    if history is None:
        return False
    same_models = history.reranker == shown.scores.provenance and history.embedding == shown.embedding
    same_pair = history.steps[0].version == chosen_version(shown, chosen)
    return same_pair and same_models and history.template == shown.scores.template


def _begun(history: EditHistory | None) -> EditHistory:
    if history is None:
        raise InputError("counterfactuals.history_empty")
    return history


def _index(event: gr.EventData) -> int:
    index = event._data.get("index")
    if not isinstance(index, int):
        raise InputError("counterfactuals.no_such_step", step="?")
    return index

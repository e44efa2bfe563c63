"""The history of edits of one pair: nothing is lost, every step can be gone back to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from explorer.engine.prompts import RerankTemplate
from explorer.errors import InputError, LimitError
from explorer.provenance import Provenance
from explorer.service.changes.change import PLACES, Kind, PairVersion
from explorer.service.counterfactuals import Recomputed, VersionScores

MOST_STEPS = 100
"""Steps that one history keeps."""

Origin = Kind | Literal["start", "typed"]
"""How a step came about."""


@dataclass(frozen=True)
class Step:
    """One version with its scores.

    Attributes:
        version: The wording.
        origin: Which rule made it, or ``"typed"``; ``"start"`` for the first.
        log_odds: logit(yes) - logit(no).
        probability: P(yes).
        cosine: Cosine of query and document.
        recomputed: How often a model had to run for it.
        parent: Index of the step that was edited; None for the first.
    """

    version: PairVersion
    origin: Origin
    log_odds: float
    probability: float
    cosine: float
    recomputed: Recomputed
    parent: int | None


@dataclass(frozen=True)
class EditHistory:
    """Every step since the start, which of them is in the editor, and which were undone last.

    Attributes:
        template: Which official prompt the reranker reads.
        reranker: The model behind all log-odds.
        embedding: The model behind all cosines.
        steps: In the order in which they were made.
        at: Index of the step in the editor.
        undone: Steps that redo goes to, the next one last.
    """

    template: RerankTemplate
    reranker: Provenance
    embedding: Provenance
    steps: tuple[Step, ...]
    at: int = 0
    undone: tuple[int, ...] = ()

    @staticmethod
    def begun(scores: VersionScores) -> EditHistory:
        """Begin a history.

        Args:
            scores: Of one version.
        """
        return EditHistory(
            scores.template, scores.reranker, scores.embedding, (_step(scores, 0, "start", None),)
        )

    @property
    def current(self) -> Step:
        """The step in the editor."""
        return self.steps[self.at]

    def added(self, scores: VersionScores, index: int, origin: Origin) -> EditHistory:
        """Add an edit of the step in the editor, and put it there; a version that was there before is gone back to.

        Args:
            scores: Scores with the edited version.
            index: Which of their versions.
            origin: How it came about.

        Raises:
            InputError: Another model gave these scores.
            LimitError: The history is full.
        """
        models = (scores.reranker.fingerprint, scores.embedding.fingerprint)
        if models != (self.reranker.fingerprint, self.embedding.fingerprint):
            raise InputError(
                "counterfactuals.other_model", made=self.reranker.line, loaded=scores.reranker.line
            )
        for known, step in enumerate(self.steps):
            if step.version == scores.versions[index]:
                return self.restored(known)
        if len(self.steps) >= MOST_STEPS:
            raise LimitError("counterfactuals.history_full", limit=MOST_STEPS)
        steps = (*self.steps, _step(scores, index, origin, self.at))
        return replace(self, steps=steps, at=len(self.steps), undone=())

    def undo(self) -> EditHistory:
        """Go back to what the step in the editor was made from.

        Raises:
            InputError: It is the first.
        """
        if self.current.parent is None:
            raise InputError("counterfactuals.nothing_to_undo")
        return replace(self, at=self.current.parent, undone=(*self.undone, self.at))

    def redo(self) -> EditHistory:
        """Take back the last undo.

        Raises:
            InputError: Nothing was undone since the last edit.
        """
        if not self.undone:
            raise InputError("counterfactuals.nothing_to_redo")
        return replace(self, at=self.undone[-1], undone=self.undone[:-1])

    def restored(self, index: int) -> EditHistory:
        """Go to any step.

        Args:
            index: Which.

        Raises:
            InputError: There is no such step.
        """
        if not 0 <= index < len(self.steps):
            raise InputError("counterfactuals.no_such_step", step=index)
        return replace(self, at=index, undone=())


def _step(scores: VersionScores, index: int, origin: Origin, parent: int | None) -> Step:
    return Step(
        version=scores.versions[index],
        origin=origin,
        log_odds=float(scores.log_odds[index]),
        probability=float(scores.probability[index]),
        cosine=float(scores.cosines[index]),
        recomputed=scores.recomputed,
        parent=parent,
    )


def changed_words(before: PairVersion, after: PairVersion) -> tuple[tuple[str, str, str], ...]:
    """Tell what differs between two versions.

    Args:
        before: A version.
        after: Another.

    Returns:
        For each text that differs: its place, the words that only the first has, and those that only the second has.
    """
    found = []
    for place in PLACES:
        old, new = before.text(place).split(" "), after.text(place).split(" ")
        if old != new:
            start = _shared(old, new)
            end = _shared(old[start:][::-1], new[start:][::-1])
            if start + end == len(old):  # what was put in is read with a word on either side
                start, end = max(start - 1, 0), max(end - 1, 0)
            words = (" ".join(side[start : len(side) - end]) for side in (old, new))
            found.append((place, *_narrowed(*words)))
    return tuple(found)


def _shared(first: list[str], second: list[str]) -> int:
    pairs = enumerate(zip(first, second, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(first), len(second)))


def _narrowed(old: str, new: str) -> tuple[str, str]:
    """Look within words where no spaces part them, and keep a few characters around for a reader."""
    if max(len(old), len(new)) < 40 or " " in old or " " in new:
        return old, new
    start = max(_shared(list(old), list(new)) - 6, 0)
    end = max(_shared(list(old[start:][::-1]), list(new[start:][::-1])) - 6, 0)
    return old[start : len(old) - end], new[start : len(new) - end]

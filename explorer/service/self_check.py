"""Self-check: whether the loaded models give the numbers they should, in words, and what to do if not."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal, Never, get_args

from explorer.engine.self_check import NAMES, Check, CheckName, checks
from explorer.errors import InputError
from explorer.models.loading import LoadedModel
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Family, Provenance
from explorer.service.workspace import Workspace

__all__ = ["FAMILIES", "Check", "ModelCheck", "SelfCheck", "Verdict", "self_check"]

FAMILIES: tuple[Family, ...] = get_args(Family)

Verdict = Literal["sound", "failed", "incomplete"]

NOT_ALWAYS: frozenset[CheckName] = frozenset({"precision", "reference"})
"""Checks that apply to some models only: those in a coarse number format, and those with published weights."""


@dataclass(frozen=True)
class ModelCheck:
    """What was found out about one model.

    Attributes:
        provenance: The model.
        checks: Every check, those of this family in their order.
    """

    provenance: Provenance
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.failed)

    @property
    def measured(self) -> tuple[Check, ...]:
        """The checks that gave a number."""
        return tuple(check for check in self.checks if check.value is not None)

    @property
    def verdict(self) -> Verdict:
        """``"incomplete"`` when nothing failed but something that applies to every model was not measured."""
        if self.failed:
            return "failed"
        skipped = {check.name for check in self.checks if check.value is None}
        return "sound" if skipped <= NOT_ALWAYS else "incomplete"

    @property
    def sentence(self) -> Notice:
        """The verdict in words."""
        values = {
            "model": self.provenance.line,
            "measured": len(self.measured),
            "failed": len(self.failed),
            "all": len(self.checks),
        }
        return Notice(f"self_check.verdict_{self.verdict}", values)

    @property
    def advice(self) -> tuple[Notice, ...]:
        """What to do about each check that failed."""
        return tuple(
            Notice(f"self_check.{check.name}_advice", {"model": self.provenance.model})
            for check in self.failed
        )


@dataclass(frozen=True)
class SelfCheck:
    """What was found out about the loaded models.

    Attributes:
        models: One entry for each model that is loaded.
        notices: Which of those asked for are not loaded.
    """

    models: tuple[ModelCheck, ...]
    notices: tuple[Notice, ...]


def self_check(
    workspace: Workspace, families: Sequence[Family] = FAMILIES
) -> Generator[Progress[SelfCheck], None, None]:
    """Check the loaded models.

    Args:
        workspace: Where the models are.
        families: Which of the two.

    Yields:
        One step for each check, the last with the result.

    Raises:
        InputError: There is no such family, or nothing is loaded.
        ModelLoadError: A model was unloaded meanwhile.
    """
    if not isinstance(families, list | tuple) or not families or not set(families) <= set(FAMILIES):
        raise InputError("self_check.family_unknown")
    total, done = sum(len(NAMES[family]) for family in families), 0
    found: list[ModelCheck] = []
    notices: list[Notice] = []
    for family in families:
        try:
            loaded = yield from _loaded(workspace, family)
        except InputError as error:
            if family == families[-1] and not found:
                raise
            notices.append(Notice(error.key, error.values))
            continue
        running = checks(loaded)
        results: list[Check] = []
        for name in NAMES[family]:
            yield Progress(done + len(results), total, f"self_check.{name}")
            results.append(next(running))
        done += len(results)
        found.append(ModelCheck(loaded.provenance, tuple(results)))
    yield Progress(total, total, "service.stage_done", SelfCheck(tuple(found), tuple(notices)))


def _loaded(workspace: Workspace, family: Family) -> Generator[Progress[Never], None, LoadedModel]:
    """Wait for a model."""
    yield from workspace.embedder() if family == "embedding" else workspace.reranker()
    loaded = workspace.shelf.get(family)
    if loaded is None:
        raise InputError("service.not_loaded")
    return loaded

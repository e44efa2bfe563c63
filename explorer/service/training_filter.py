"""The filter: the cosine of every pair by the embedding model in use, and what a cut leaves."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.models.background import Background
from explorer.progress import CancelToken, Progress
from explorer.service.training_pairs import PairSet
from explorer.service.training_request import DEFAULT_THRESHOLD
from explorer.training.pairs.filtering import FilterReport, filter_pairs
from explorer.training.pairs.pair import TrainingPair

if TYPE_CHECKING:
    from explorer.service.workspace import Workspace

REPORTS_KEPT = 6


@dataclass(frozen=True)
class Filtered:
    """The cosines of a pair set.

    Attributes:
        pair_set: The pairs, n of them.
        report: Their cosines [n] with a movable cut, and the model that made them.
    """

    pair_set: PairSet
    report: FilterReport

    def kept(self, threshold: float) -> tuple[TrainingPair, ...]:
        """Give the pairs that a cut leaves; nothing is embedded again.

        Args:
            threshold: A pair stays when its cosine is greater.

        Returns:
            The pairs, in their order.
        """
        return tuple(self.report.at(threshold).select(self.pair_set.pairs))


class FilterShelf:
    """The last cosines of each pair set, the least recently used forgotten first."""

    def __init__(self, capacity: int = REPORTS_KEPT) -> None:
        """Start empty."""
        self._capacity = capacity
        self._reports: OrderedDict[str, Filtered] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, filtered: Filtered) -> None:
        """Keep the cosines of a set, in place of earlier ones."""
        with self._lock:
            self._reports[filtered.pair_set.name] = filtered
            self._reports.move_to_end(filtered.pair_set.name)
            while len(self._reports) > self._capacity:
                self._reports.popitem(last=False)

    def get(self, name: str) -> Filtered | None:
        """Find the cosines of a set; None when they were not computed."""
        with self._lock:
            return self._reports.get(name)


def filter_cosines(
    workspace: Workspace, pairs: str | None, threshold: float = DEFAULT_THRESHOLD
) -> Generator[Progress[Filtered], None, None]:
    """Embed both sides of every pair with the model in use, queries with their instruction.

    Args:
        workspace: Where models and pairs are.
        pairs: Name of the pair set.
        threshold: The cut to begin with; it can be moved afterwards.

    Yields:
        Texts embedded; the last step with the cosines.

    Raises:
        InputError: There is no such set.
        Cancelled: The person asked to stop.
    """
    desk = workspace.training
    pair_set = desk.pairs.get(pairs)
    embedder = yield from workspace.embedder()
    known = desk.filters.get(pair_set.name)
    count = len(pair_set.pairs)
    if known is not None and known.report.provenance.fingerprint == embedder.provenance.fingerprint:
        yield Progress(count, count, "service.stage_done", known)
        return
    stage, token = "training.stage_filtering", CancelToken()
    work = Background(
        lambda told: filter_pairs(
            embedder,
            pair_set.pairs,
            threshold,
            on_progress=lambda done, total: told(stage, done, total),
            cancel=token,
        ),
        stage,
    )
    report = yield from work.steps(token)
    found = Filtered(pair_set, report)
    desk.filters.keep(found)
    yield Progress(count, count, "service.stage_done", found)

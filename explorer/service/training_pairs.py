"""Pairs to train on: the bundled ones and uploaded files, kept for a while under a name."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from explorer.errors import InputError, LimitError
from explorer.notices import Notice
from explorer.service.demo_map import CORPUS, texts_digest
from explorer.service.limits import LIMITS
from explorer.service.training_request import TrainingLimits
from explorer.training.pairs.pair import TrainingPair, check_pairs, read_pairs
from explorer.training.synthesis.documents import read_documents
from explorer.training.synthesis.offline import OfflineGenerator
from explorer.training.synthesis.plan import SynthesisPlan
from explorer.training.synthesis.run import synthesize

SETS_KEPT = 6

BUNDLED_PLAN = SynthesisPlan(kinds=("retrieval", "similarity"), pairs_per_document=2)
"""What is made of the demo corpus by rule, without a language model."""


@dataclass(frozen=True)
class PairSet:
    """Pairs that can be trained on.

    Attributes:
        name: Names the set by its content.
        title: File name of an upload; empty for the bundled pairs.
        pairs: The pairs.
        notices: What was left out.
    """

    name: str
    title: str
    pairs: tuple[TrainingPair, ...]
    notices: tuple[Notice, ...] = ()

    def counts(self, field: str) -> list[tuple[str, int]]:
        """Count pairs by a field, the most frequent first.

        Args:
            field: ``"kind"`` or ``"language"``.

        Returns:
            Values with their counts.
        """
        return Counter(str(getattr(pair, field)) for pair in self.pairs).most_common()


class PairShelf:
    """The pair sets in use, the least recently used forgotten first."""

    def __init__(self, capacity: int = SETS_KEPT) -> None:
        """Start empty."""
        self._capacity = capacity
        self._sets: OrderedDict[str, PairSet] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, pair_set: PairSet) -> PairSet:
        """Keep a set.

        Args:
            pair_set: The set.

        Returns:
            The same set.
        """
        with self._lock:
            self._sets[pair_set.name] = pair_set
            self._sets.move_to_end(pair_set.name)
            while len(self._sets) > self._capacity:
                self._sets.popitem(last=False)
        return pair_set

    def get(self, name: str | None) -> PairSet:
        """Find a set.

        Args:
            name: Its name.

        Returns:
            The set.

        Raises:
            InputError: It was never there, or was forgotten.
        """
        with self._lock:
            if name is None or name not in self._sets:
                raise InputError("training.pairs_gone")
            self._sets.move_to_end(name)
            return self._sets[name]


def bundled_pairs(shelf: PairShelf) -> PairSet:
    """Give the pairs that are made of the demo corpus by rule.

    Args:
        shelf: Where sets are kept.

    Returns:
        The set.
    """
    return shelf.keep(_bundled())


@cache
def _bundled() -> PairSet:
    *_, last = synthesize(read_documents(CORPUS), OfflineGenerator(), BUNDLED_PLAN)
    made = last.partial.pairs if last.partial is not None else ()
    return _checked(made, "", TrainingLimits())


def uploaded_pairs(shelf: PairShelf, path: Path, limits: TrainingLimits) -> PairSet:
    """Read uploaded pairs.

    Args:
        shelf: Where sets are kept.
        path: Where the upload was stored by us: JSON Lines, or CSV or TSV with the columns query and document.
        limits: The most pairs that are allowed here.

    Returns:
        The set.

    Raises:
        InputError: The file holds no pairs that can be trained on; the message names the line.
        CorpusError: The bytes are no text.
        LimitError: There are too many, or the file is too large.
    """
    if not path.is_file():
        raise InputError("training.upload_gone")
    size = path.stat().st_size
    if size > LIMITS.upload_bytes:
        raise LimitError("service.upload_large", count=size, limit=LIMITS.upload_bytes)
    return shelf.keep(_checked(read_pairs(path), path.name, limits))


def _checked(pairs: Sequence[TrainingPair], title: str, limits: TrainingLimits) -> PairSet:
    report = check_pairs(pairs)
    if len(report.pairs) > limits.pairs:
        raise LimitError("training.many_pairs", count=len(report.pairs), limit=limits.pairs)
    longest = max(len(side) for pair in report.pairs for side in (pair.query, pair.document, *pair.negatives))
    if longest > LIMITS.characters:
        raise LimitError("training.long_text", count=longest, limit=LIMITS.characters)
    left_out = {"empty": report.dropped_empty, "duplicate": report.dropped_duplicate}
    notices = tuple(
        Notice(f"training.left_out_{reason}", {"count": count}) for reason, count in left_out.items() if count
    )
    named = texts_digest(tuple(repr(pair) for pair in report.pairs))
    return PairSet(named, title, report.pairs, notices)

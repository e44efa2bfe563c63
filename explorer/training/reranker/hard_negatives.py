"""Hard negatives: documents that a model finds near a query although another one answers it.

Candidates come from the pairs' own documents. One that is more similar to the query than its positive by more than a
margin is probably an answer that nobody marked, so it is left out, as the report's loss does (arXiv 2506.05176,
equation 2, where the margin is 0.1).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from explorer.analysis.arrays import Floats
from explorer.engine.embedder import Embedder
from explorer.errors import InputError
from explorer.progress import CancelToken, ProgressCallback
from explorer.training.embedding.losses import MARGIN
from explorer.training.pairs.pair import TrainingPair
from explorer.training.quality.embedding import Encode
from explorer.training.quality.held_out import folded

_ROWS = 256
"""Queries whose cosines are held at once; with a million documents that is 1 GB."""


@dataclass(frozen=True)
class Mining:
    """Which documents become hard negatives.

    Attributes:
        count: Negatives a pair, those that it already has included.
        skip: Nearest documents that are passed over, since the very nearest are often unmarked answers.
        window: Nearest documents, after those passed over, from which the negatives are drawn.
        margin: How much nearer than the positive a document may be, as a difference of cosines.
        seed: Of the draws.
    """

    count: int = 5
    skip: int = 0
    window: int = 30
    margin: float = MARGIN
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a window that holds nothing."""
        if self.count < 1 or self.skip < 0 or self.window < self.count:
            raise InputError("merging.mining_window", count=self.count, skip=self.skip, window=self.window)


def mine_hard_negatives(
    pairs: Sequence[TrainingPair],
    embedder: Embedder | Encode,
    mining: Mining | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> list[TrainingPair]:
    """Give every pair hard negatives.

    Never chosen are the pair's document, duplicates of it (but for white space and capitals), other documents that
    some pair gives as an answer to the same query, and the query itself. A pair gets fewer than ``count`` where the
    window holds no more; graded pairs stay as they are.

    Args:
        pairs: The pairs.
        embedder: What finds documents near a query.
        mining: Which are taken; None for the defaults.
        progress: Called with (pairs done, pairs in all).
        cancel: Stops between two blocks of pairs.

    Returns:
        The pairs in their order, each with its own negatives first and the mined ones after them.

    Raises:
        Cancelled: The person asked to stop.
    """
    rules = mining or Mining()
    encode: Encode = embedder.encode if isinstance(embedder, Embedder) else embedder
    documents, answers = _read(pairs)
    texts = list(documents.values())
    places = {name: column for column, name in enumerate(documents)}
    plain = [index for index, pair in enumerate(pairs) if pair.score is None]
    found = list(pairs)
    rows = encode(texts)
    for done, (index, cosines) in enumerate(_cosines(pairs, plain, rows, encode, cancel), start=1):
        pair = pairs[index]
        barred = answers[folded(pair.query)] | {folded(text) for text in pair.negatives}
        own = float(cosines[places[folded(pair.document)]])
        closed = [places[name] for name in barred if name in places]
        # One generator a pair: what a pair gets does not depend on the pairs before it.
        rng = random.Random(f"{rules.seed} {index}")
        columns = _drawn(cosines, own, closed, rules, len(pair.negatives), rng)
        found[index] = replace(pair, negatives=(*pair.negatives, *(texts[column] for column in columns)))
        if progress:
            progress(done, len(plain))
    return found


def _read(pairs: Sequence[TrainingPair]) -> tuple[dict[str, str], dict[str, set[str]]]:
    """List distinct documents, and what may not be a negative of each query, all by their folded form."""
    documents: dict[str, str] = {}
    answers: dict[str, set[str]] = {}
    for pair in pairs:
        documents.setdefault(folded(pair.document), pair.document)
        answers.setdefault(folded(pair.query), {folded(pair.query)}).add(folded(pair.document))
    return documents, answers


def _drawn(
    cosines: Floats, own: float, closed: Sequence[int], rules: Mining, held: int, rng: random.Random
) -> list[int]:
    """Draw columns from the window of nearest documents, nearest first."""
    open_columns = np.ones(len(cosines), dtype=bool)
    open_columns[list(closed)] = False
    allowed = np.flatnonzero(open_columns)
    reach = rules.skip + rules.window
    if reach < len(allowed):
        edge = np.partition(cosines[allowed], -reach)[-reach]
        allowed = allowed[cosines[allowed] >= edge]
    near = allowed[np.argsort(-cosines[allowed], kind="stable")][rules.skip : reach]
    window = [int(column) for column in near if cosines[column] <= own + rules.margin]
    wanted = max(0, rules.count - held)
    return sorted(rng.sample(window, min(wanted, len(window))), key=window.index)


def _cosines(
    pairs: Sequence[TrainingPair],
    chosen: Sequence[int],
    rows: Floats,
    encode: Encode,
    cancel: CancelToken | None,
) -> Iterator[tuple[int, Floats]]:
    """Yield (index of a pair, cosines of its query with all documents), in the order of the pairs' instructions."""
    by_task: dict[str, list[int]] = {}
    for index in chosen:
        by_task.setdefault(pairs[index].instruction, []).append(index)
    for task, held in by_task.items():
        for first in range(0, len(held), _ROWS):
            if cancel:
                cancel.raise_if_cancelled()
            block = held[first : first + _ROWS]
            yield from zip(block, encode([pairs[i].query for i in block], task or None) @ rows.T, strict=True)

"""How good a reranker is: what it adds to an embedding model's order, and whether it obeys instructions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explorer.analysis.metrics import ndcg_at_k
from explorer.analysis.ranking import order
from explorer.engine.embedder import Embedder
from explorer.engine.reranker import Reranker
from explorer.progress import CancelToken, ProgressCallback
from explorer.training.pairs.files import read_records
from explorer.training.quality.embedding import Encode, encoded_queries, graded
from explorer.training.quality.held_out import HeldOut

TOP = 20
"""Documents of the first stage that are judged again."""


@dataclass(frozen=True)
class InstructionPair:
    """One query whose right document changes with the instruction.

    Attributes:
        query: The query.
        instructions: Two opposite tasks.
        documents: What the first task asks for, and what the second asks for.
    """

    query: str
    instructions: tuple[str, str]
    documents: tuple[str, str]


@dataclass(frozen=True)
class RerankerQuality:
    """What was measured; None where there was nothing to measure it on.

    Attributes:
        ndcg_before: Mean nDCG@10 of the embedding model's own order of its top documents.
        ndcg_after: Mean nDCG@10 of the same documents in the reranker's order.
        obeyed: Share of pairs in which swapping the instruction moved the two documents in the right direction.
        flipped: Share of pairs in which each instruction put its own document first.
        queries: Queries that were reranked.
        instruction_pairs: Pairs that obedience was measured on.
    """

    ndcg_before: float | None
    ndcg_after: float | None
    obeyed: float | None
    flipped: float | None
    queries: int
    instruction_pairs: int

    def __str__(self) -> str:
        """Say all figures in one line."""
        parts = []
        if self.ndcg_before is not None and self.ndcg_after is not None:
            parts.append(f"nDCG@10 {self.ndcg_before:.3f} before, {self.ndcg_after:.3f} after")
        if self.obeyed is not None and self.flipped is not None:
            parts.append(f"instructions obeyed {self.obeyed:.3f}, order turned round {self.flipped:.3f}")
        return ", ".join(parts)


def read_instruction_pairs(path: Path) -> tuple[InstructionPair, ...]:
    """Read queries with opposite instructions.

    Args:
        path: JSON Lines with the fields ``query``, ``first_instruction``, ``second_instruction``, ``first_document``
            and ``second_document``; others are passed over.

    Returns:
        One a line.

    Raises:
        InputError: A field is missing; the message names the line.
    """
    return tuple(
        InstructionPair(
            record.text("query"),
            (record.text("first_instruction"), record.text("second_instruction")),
            (record.text("first_document"), record.text("second_document")),
        )
        for record in read_records(path)
    )


def measure_reranker(
    reranker: Reranker,
    embedder: Embedder | Encode,
    held_out: HeldOut,
    pairs: Sequence[InstructionPair] = (),
    *,
    top: int = TOP,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> RerankerQuality:
    """Measure a reranker.

    Args:
        reranker: The reranker.
        embedder: The first stage, which chooses the documents that are judged.
        held_out: Queries and documents; an answer outside the first stage's top counts as lost for both orders.
        pairs: Queries with opposite instructions.
        top: Documents of the first stage that are judged.
        progress: Called with (queries and pairs done, in all).
        cancel: Stops between two queries.

    Returns:
        Quality before and after, and obedience.

    Raises:
        Cancelled: The person asked to stop.
    """
    total = len(held_out.retrieval) + len(pairs)
    orders, moves = [], []
    for found in _orders(reranker, embedder, held_out, top, cancel):
        orders.append(found)
        if progress:
            progress(len(orders), total)
    for pair in pairs:
        moves.append(_moves(reranker, pair, cancel))
        if progress:
            progress(len(orders) + len(moves), total)
    before, after = np.mean(orders, axis=0).tolist() if orders else (None, None)
    return RerankerQuality(
        ndcg_before=before,
        ndcg_after=after,
        obeyed=float(np.mean([first > second for first, second in moves])) if moves else None,
        flipped=float(np.mean([first > 0 > second for first, second in moves])) if moves else None,
        queries=len(orders),
        instruction_pairs=len(pairs),
    )


def _orders(
    reranker: Reranker, embedder: Embedder | Encode, held_out: HeldOut, top: int, cancel: CancelToken | None
) -> Iterator[tuple[float, float]]:
    """Yield nDCG@10 of each query before and after."""
    if not held_out.retrieval:
        return
    encode: Encode = embedder.encode if isinstance(embedder, Embedder) else embedder
    documents, grades = held_out.documents, graded(held_out)
    cosines = encoded_queries(encode, held_out.retrieval) @ encode(documents).T
    for row, item in enumerate(held_out.retrieval):
        chosen = order(cosines[row])[:top]
        task = item.instruction or None
        found = reranker.score(item.query, [documents[i] for i in chosen], task, cancel=cancel)
        # What was not judged again stays below, so that both orders hold the same documents.
        second = np.full(len(documents), float(found.log_odds.min()) - 1)
        second[chosen] = found.log_odds
        yield ndcg_at_k(cosines[row], grades[row]), ndcg_at_k(second, grades[row])


def _moves(reranker: Reranker, pair: InstructionPair, cancel: CancelToken | None) -> tuple[float, float]:
    """Lead of the first document over the second in log-odds, under either instruction."""
    scores = (reranker.score(pair.query, pair.documents, task, cancel=cancel) for task in pair.instructions)
    first, second = (float(found.log_odds[0]) - float(found.log_odds[1]) for found in scores)
    return first, second

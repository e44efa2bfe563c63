"""The result of a rerank: where each document stood, where it stands now, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact, shorten


@dataclass(frozen=True)
class RankedItem:
    """One document in both orders.

    Attributes:
        index: Position in the list that was given, from 0. Identifies the document across updates.
        text: The document.
        first_rank: Rank by embedding cosine, from 1; None for every item when no embedding model answered.
        rerank_rank: Rank by the reranker's log-odds, from 1.
        moved: ``first_rank - rerank_rank``; positive when the document rose.
        cosine: Cosine of query and document embeddings, or None when no embedding model answered.
        log_odds: ``logit(yes) - logit(no)`` of the reranker.
        probability: ``sigmoid(log_odds)``.
        tokens: Tokens of the document before truncation.
        truncated_tokens: How many of them the model did not see.
    """

    index: int
    text: str
    first_rank: int | None
    rerank_rank: int
    moved: int
    cosine: float | None
    log_odds: float
    probability: float
    tokens: int
    truncated_tokens: int


def ranked_cards_data(query: str, items: Sequence[RankedItem], provenance: Sequence[str] = ()) -> str:
    """Write the ``data`` prop of ``RankedCards``.

    Args:
        query: The query.
        items: The documents, in any order.
        provenance: Lines for the caption, for instance ``"Mini (bundled), fp32 on CPU"``.

    Returns:
        JSON text.
    """
    rows = [{**asdict(item), "text": shorten(item.text)} for item in items]
    return compact({"query": shorten(query), "items": rows, "provenance": list(provenance)})


class RankedCards(BrowserPart):
    """Documents in embedding order, curves, and ranked cards with their scores.

    Props:
        data: JSON of ``ranked_cards_data``; empty draws the ``empty`` sentence in the reserved space.
        words: ``part_words("cards", language)``.
        height: Reserved height in pixels; more than ten cards scroll inside it (on a phone they grow).

    Events:
        pick: A card was opened by click, Enter or Space: ``{"index": int}`` (``RankedItem.index``).
    """

    def __init__(
        self,
        *,
        data: str = "",
        words: Mapping[str, str] | None = None,
        height: int = 700,
        **options: object,
    ) -> None:
        super().__init__(
            "RankedCards",
            scripts=["ranked_cards.js"],
            events=["pick"],
            props={"data": data, "words": dict(words or {}), "height": height},
            **options,
        )

"""Retrieved documents as lines from their rank in the first stage to their rank after the second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from explorer.service.two_stages import Missed
from explorer.ui.components.part import BrowserPart
from explorer.ui.components.wire import compact, shorten


@dataclass(frozen=True)
class BumpItem:
    """One retrieved document in both stages.

    Attributes:
        row: Its place in the corpus, from 0.
        text: The document.
        first_rank: Rank by cosine, from 1.
        final_rank: Rank by the reranker's log-odds, from 1.
        cosine: Cosine of query and document embeddings.
        log_odds: ``logit(yes) - logit(no)`` of the reranker.
        probability: ``sigmoid(log_odds)``.
        tokens: Tokens of the prompt.
        cut_tokens: Tokens of the document that the reranker did not see.
        grade: What people judged, 0 to 3, or None.
    """

    row: int
    text: str
    first_rank: int
    final_rank: int
    cosine: float
    log_odds: float
    probability: float
    tokens: int
    cut_tokens: int
    grade: int | None


def bump_chart_data(
    query: str,
    searched: int,
    items: Sequence[BumpItem],
    missed: Sequence[Missed] = (),
    quality: tuple[int, float, float] | None = None,
) -> str:
    """Write the ``data`` prop of ``BumpChart``.

    Args:
        query: The query.
        searched: Documents in the corpus.
        items: The retrieved ones.
        missed: Relevant ones that were not retrieved.
        quality: Ranks that count, then nDCG of the first and of the final order; None without judgements.

    Returns:
        JSON text.
    """
    return compact(
        {
            "query": shorten(query),
            "searched": searched,
            "items": [{**asdict(item), "text": shorten(item.text)} for item in items],
            "missed": [{**asdict(item), "text": shorten(item.text)} for item in missed],
            "quality": quality,
        }
    )


class BumpChart(BrowserPart):
    """Lines between two rankings; a click or the arrow keys choose a line, and both its texts are read below.

    Props:
        data: ``bump_chart_data``; empty draws the ``empty`` sentence in the reserved space.
        words: ``part_words("bump", language)``.
        height: Reserved height in pixels.

    Events: none; everything happens in the browser.
    """

    def __init__(
        self,
        *,
        data: str = "",
        words: Mapping[str, str] | None = None,
        height: int = 760,
        **options: object,
    ) -> None:
        super().__init__(
            "BumpChart",
            scripts=["pair_reading.js", "bump_chart.js"],
            events=[],
            props={"data": data, "words": dict(words or {}), "height": height},
            **options,
        )

"""Two stages: the embedding model retrieves the nearest documents of a corpus, the reranker reads only those."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.analysis.metrics import ndcg_at_k
from explorer.analysis.ranking import Movement, movement, order, ranks
from explorer.engine.prompts import DEFAULT_INSTRUCTION, RerankTemplate, form_of
from explorer.engine.scores import RerankScores
from explorer.errors import LimitError
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service.embedding import cut_notices
from explorer.service.judgements import RELEVANT, Grade, grades_of
from explorer.service.judging import judged
from explorer.service.limits import LIMITS, checked_instruction, checked_query
from explorer.service.searched import Searched, Source, search
from explorer.service.workspace import Workspace

NDCG_RANKS = 10


@dataclass(frozen=True)
class Missed:
    """A relevant document that the first stage did not retrieve, so that no reranker could lift it.

    Attributes:
        text: The document.
        rank: Its rank by cosine in the whole corpus, from 1.
        cosine: Cosine with the query.
        grade: What people judged.
    """

    text: str
    rank: int
    cosine: float
    grade: int


@dataclass(frozen=True)
class Quality:
    """How well judged documents are ordered, as nDCG at up to ten ranks, from 0 to 1.

    Attributes:
        ranks: Ranks that count: 10, or fewer when fewer documents were retrieved.
        retrieved: By the first stage.
        reranked: After the second.
    """

    ranks: int
    retrieved: float
    reranked: float


@dataclass(frozen=True)
class TwoStages:
    """The nearest documents of a corpus, in the order in which they were retrieved, k of them.

    Attributes:
        query: The query as it was used.
        instruction: What counts as relevant, given to both models.
        searched: Documents in the corpus.
        rows: Place of each retrieved document in the corpus, int32 [k].
        documents: Their texts.
        cosines: Cosine of the query's and each document's embedding, float32 [k].
        scores: The reranker's log-odds and probabilities, [k] each.
        movement: Rank of each document in both stages, and by how much it moved.
        grades: What people judged about each; None where nobody did.
        missed: Relevant documents of the corpus that were not retrieved, as far as people judged it.
        quality: How well both orders agree with the judgements; None without any.
        embedding: The model behind the cosines.
        notices: What was left out or cut.
    """

    query: str
    instruction: str
    searched: int
    rows: npt.NDArray[np.int32]
    documents: tuple[str, ...]
    cosines: npt.NDArray[np.float32]
    scores: RerankScores
    movement: Movement
    grades: tuple[Grade, ...]
    missed: tuple[Missed, ...]
    quality: Quality | None
    embedding: Provenance
    notices: tuple[Notice, ...]


def two_stages(
    workspace: Workspace,
    query: str,
    source: Source,
    k: int = 20,
    instruction: str | None = None,
    template: RerankTemplate = "model_card",
) -> Generator[Progress[TwoStages], None, None]:
    """Retrieve the documents nearest to a query, then rerank them.

    Args:
        workspace: Where the models and projects are.
        query: What is looked for.
        source: Which documents are searched.
        k: How many are retrieved; all of a smaller corpus.
        instruction: What counts as relevant; the model card's default when None or empty.
        template: Which of the two official prompt templates the reranker reads.

    Yields:
        Steps, the last with the result.

    Raises:
        InputError: The query or all documents are empty, something is too long or too many, ``k`` is out of range,
            there is no such template, or the map cannot be searched; see :func:`explorer.service.searched.search`.
    """
    form_of(template)
    asked = checked_query(query)
    used_instruction = checked_instruction(instruction) or DEFAULT_INSTRUCTION
    if not 1 <= k <= LIMITS.rerank_documents:
        raise LimitError("two_stages.k_out_of_range", count=k, limit=LIMITS.rerank_documents)
    corpus = yield from search(workspace, (asked,), source, used_instruction)
    rows = order(corpus.cosines[0])[:k]
    documents = tuple(corpus.texts[row] for row in rows)
    reranker = yield from workspace.reranker()
    scores = yield from judged(reranker, asked, documents, used_instruction, template)
    yield Progress(len(rows), len(rows), "service.stage_done", _followed(asked, corpus, rows, scores))


def _followed(query: str, corpus: Searched, rows: npt.NDArray[np.int32], scores: RerankScores) -> TwoStages:
    """Put both stages side by side."""
    cosines, grades = corpus.cosines[0], grades_of(query, corpus.texts)
    cut = cut_notices(scores.cut_tokens, "document", scores.provenance)
    return TwoStages(
        query=query,
        instruction=scores.instruction,
        searched=len(corpus.texts),
        rows=rows,
        documents=tuple(corpus.texts[row] for row in rows),
        cosines=cosines[rows],
        scores=scores,
        movement=movement(cosines[rows], scores.log_odds),
        grades=tuple(grades[row] for row in rows),
        missed=_missed(corpus, grades, rows),
        quality=_quality(cosines, scores.log_odds, grades, rows),
        embedding=corpus.embedding,
        notices=(*corpus.notices, *cut),
    )


def _missed(
    corpus: Searched,
    grades: Sequence[Grade],
    rows: npt.NDArray[np.int32],
) -> tuple[Missed, ...]:
    """List relevant documents beyond the retrieved ones, the nearest first."""
    relevant = {row for row, grade in enumerate(grades) if grade is not None and grade >= RELEVANT}
    cosines, places = corpus.cosines[0], ranks(corpus.cosines[0])
    return tuple(
        Missed(corpus.texts[row], int(places[row]), float(cosines[row]), grades[row] or 0)
        for row in sorted(relevant.difference(rows.tolist()), key=lambda row: int(places[row]))
    )


def _quality(
    cosines: npt.NDArray[np.float32],
    log_odds: npt.NDArray[np.float32],
    grades: Sequence[Grade],
    rows: npt.NDArray[np.int32],
) -> Quality | None:
    """Measure both orders of the whole corpus; what was not retrieved stands behind all that was."""
    relevance = [grade or 0 for grade in grades]
    if not any(relevance):
        return None
    reranked = np.full(len(relevance), log_odds.min() - 1)
    reranked[rows] = log_odds
    considered = min(NDCG_RANKS, len(rows))
    return Quality(
        considered, ndcg_at_k(cosines, relevance, considered), ndcg_at_k(reranked, relevance, considered)
    )

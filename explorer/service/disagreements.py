"""Disagreements: every query with every document, once by cosine and once by the reranker."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Never

import numpy as np
import numpy.typing as npt

from explorer.analysis.disagreement import Quadrants, quadrants
from explorer.engine.prompts import DEFAULT_INSTRUCTION, RerankTemplate, form_of
from explorer.engine.scores import RerankScores
from explorer.errors import LimitError
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service.embedding import cut_notices
from explorer.service.judgements import Grade, grades_of
from explorer.service.judging import judged
from explorer.service.limits import LIMITS, checked_instruction, checked_texts
from explorer.service.searched import Searched, Source, search
from explorer.service.workspace import Workspace

SAMPLE_SEED = 0
"""Documents of a large corpus are drawn with this seed, so that a second look shows the same ones."""


@dataclass(frozen=True)
class Disagreements:
    """All pairs of queries and documents, judged by both models.

    Attributes:
        queries: The queries as used [q].
        documents: The documents as used [d].
        rows: Place of each document in the corpus, int32 [d].
        instruction: What counts as relevant, given to both models.
        template: Which official prompt the reranker read.
        cosines: float32 [q, d].
        log_odds: The reranker's, float32 [q, d].
        cosine_cut: Median of the cosines, above which a pair is called close at first.
        grades: What people judged about each pair, a row for each query; None where nobody did.
        embedding: The model behind the cosines.
        reranker: The model behind the log-odds.
        notices: What was left out or cut.
    """

    queries: tuple[str, ...]
    documents: tuple[str, ...]
    rows: npt.NDArray[np.int32]
    instruction: str
    template: RerankTemplate
    cosines: npt.NDArray[np.float32]
    log_odds: npt.NDArray[np.float32]
    cosine_cut: float
    grades: tuple[tuple[Grade, ...], ...]
    embedding: Provenance
    reranker: Provenance
    notices: tuple[Notice, ...]

    def quadrants(self, cosine_cut: float | None = None, log_odds_cut: float = 0.0) -> Quadrants:
        """Sort the pairs into agreements, false friends and hidden gems.

        Args:
            cosine_cut: Above it a pair is close; the median cosine when None.
            log_odds_cut: Above it a pair is judged yes.

        Returns:
            The four parts; pair i is that of query ``i // d`` with document ``i % d``.
        """
        cut = self.cosine_cut if cosine_cut is None else cosine_cut
        return quadrants(self.cosines.ravel(), self.log_odds.ravel(), cut, log_odds_cut)


def disagreements(
    workspace: Workspace,
    queries: Sequence[str],
    source: Source,
    documents_at_most: int | None = None,
    instruction: str | None = None,
    template: RerankTemplate = "model_card",
) -> Generator[Progress[Disagreements], None, None]:
    """Judge all pairs of queries and documents by cosine and by log-odds.

    Args:
        workspace: Where the models and projects are.
        queries: Texts that look for something; one that comes twice is used once.
        source: Which documents they are paired with.
        documents_at_most: More documents than this are sampled: half are the nearest of each query in turn, the others
            are drawn at random. None for as many as the limit on pairs allows.
        instruction: What counts as relevant; the model card's default when None or empty.
        template: Which of the two official prompt templates the reranker reads.

    Yields:
        Steps, the last with all pairs.

    Raises:
        InputError: A side is empty, too long or too many, there is no such template, or the map cannot be searched; see
            :func:`explorer.service.searched.search`.
    """
    form_of(template)
    asked, empty = checked_texts(queries, LIMITS.crossed_queries, "service.queries_empty")
    asked = tuple(dict.fromkeys(asked))
    used_instruction = checked_instruction(instruction) or DEFAULT_INSTRUCTION
    most = _most_documents(len(asked), documents_at_most)
    corpus = yield from search(workspace, asked, source, used_instruction)
    rows, sampled = sampled_rows(corpus.cosines, most)
    documents = tuple(corpus.texts[row] for row in rows)
    read = yield from _read_all(workspace, asked, documents, used_instruction, template)
    result = _crossed(asked, corpus, rows, read, (*empty, *corpus.notices, *sampled))
    yield Progress(result.log_odds.size, result.log_odds.size, "service.stage_done", result)


def _read_all(
    workspace: Workspace,
    queries: Sequence[str],
    documents: Sequence[str],
    instruction: str,
    template: RerankTemplate,
) -> Generator[Progress[Never], None, list[RerankScores]]:
    """Let the reranker read every document with every query."""
    reranker = yield from workspace.reranker()
    read: list[RerankScores] = []
    pairs = len(queries) * len(documents)
    for query in queries:
        before = len(read) * len(documents)
        scores = yield from judged(reranker, query, documents, instruction, template, before, pairs)
        read.append(scores)
    return read


def _crossed(
    queries: tuple[str, ...],
    corpus: Searched,
    rows: npt.NDArray[np.int32],
    read: Sequence[RerankScores],
    notices: tuple[Notice, ...],
) -> Disagreements:
    """Put both judgements of all pairs side by side."""
    documents = tuple(corpus.texts[row] for row in rows)
    cosines, reranker = corpus.cosines[:, rows], read[0].provenance
    cut = np.max([scores.cut_tokens for scores in read], axis=0)
    return Disagreements(
        queries=queries,
        documents=documents,
        rows=rows,
        instruction=read[0].instruction,
        template=read[0].template,
        cosines=cosines,
        log_odds=np.stack([scores.log_odds for scores in read]),
        cosine_cut=float(np.median(cosines)),
        grades=tuple(grades_of(query, documents) for query in queries),
        embedding=corpus.embedding,
        reranker=reranker,
        notices=(*notices, *cut_notices(cut, "document", reranker)),
    )


def _most_documents(queries: int, wanted: int | None) -> int:
    """Say how many documents fit, or why none do."""
    fit = LIMITS.judged_pairs // queries
    if wanted is None:
        return fit
    if not 1 <= wanted <= fit:
        raise LimitError("disagreements.too_many_pairs", queries=queries, limit=LIMITS.judged_pairs, most=fit)
    return wanted


def sampled_rows(
    cosines: npt.NDArray[np.float32], most: int
) -> tuple[npt.NDArray[np.int32], tuple[Notice, ...]]:
    """Choose which documents of a corpus are paired.

    Args:
        cosines: Of every query with every document [q, n].
        most: How many may be chosen.

    Returns:
        All documents when there are no more than that; else the nearest of each query in turn for half of the places,
        and a random draw of the others, in the order of the corpus. Then a notice says so.
    """
    count = cosines.shape[1]
    if count <= most:
        return np.arange(count, dtype=np.int32), ()
    in_turn = np.argsort(-cosines, axis=1, kind="stable")[:, :most].T.ravel()
    near = list(dict.fromkeys(in_turn.tolist()))[: most - most // 2]
    others = np.setdiff1d(np.arange(count), near)
    drawn = np.random.default_rng(SAMPLE_SEED).choice(others, most - len(near), replace=False)
    rows = np.sort(np.concatenate([near, drawn])).astype(np.int32)
    values = {"near": len(near), "drawn": len(drawn), "used": most, "count": count}
    return rows, (Notice("disagreements.sampled", values),)

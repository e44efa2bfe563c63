"""The numbers of a bundle as files: scores as CSV, vectors as Parquet."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from explorer.corpus.export import to_csv, to_parquet
from explorer.service.compare import BothSides
from explorer.service.rerank import Reranking


def reranking_csv(shown: Reranking, log_odds_alone: npt.NDArray[np.float32]) -> bytes:
    """Write the scores of a reranking, in the order of its documents.

    Args:
        shown: The result on screen.
        log_odds_alone: Log-odds of each pair computed alone, float32 [documents].

    Returns:
        CSV in UTF-8, in which no text can act as a formula; numbers have all their digits.
    """
    scores, movement = shown.scores, shown.movement
    frame = pd.DataFrame(
        {
            "document_number": np.arange(1, len(shown.documents) + 1),
            "rerank_rank": movement.second_ranks,
            "log_odds": scores.log_odds,
            "log_odds_alone": log_odds_alone,
            "probability": scores.probability,
            "embedding_rank": movement.first_ranks,
            "cosine": shown.cosines,
            "prompt_tokens": scores.tokens,
            "cut_tokens": scores.cut_tokens,
            "document": shown.documents,
        }
    )
    return to_csv(frame)


def cosines_csv(cosines: npt.NDArray[np.float32], rows: str) -> bytes:
    """Write a matrix of cosines, one number a line, row after row.

    Args:
        cosines: float32 [rows, columns].
        rows: What the rows are, ``"query"`` or ``"document"``; the columns are documents.

    Returns:
        CSV in UTF-8 with the numbers of both texts and their cosine.
    """
    row, column = np.indices(cosines.shape) + 1
    other = "document_number" if rows == "query" else "other_document_number"
    frame = pd.DataFrame({f"{rows}_number": row.ravel(), other: column.ravel(), "cosine": cosines.ravel()})
    return to_csv(frame)


def vectors_parquet(queries: tuple[str, ...], documents: tuple[str, ...], vectors: BothSides) -> bytes:
    """Write the vectors of both sides.

    Args:
        queries: The queries.
        documents: The documents.
        vectors: Their unit rows at the model's full size.

    Returns:
        Parquet with the columns side, number, text and vector (a list of float32).
    """
    sides = ["query"] * len(queries) + ["document"] * len(documents)
    numbers = [*range(1, len(queries) + 1), *range(1, len(documents) + 1)]
    rows = [*vectors.queries.vectors, *vectors.documents.vectors]
    texts = [*queries, *documents]
    return to_parquet(pd.DataFrame({"side": sides, "number": numbers, "text": texts, "vector": rows}))

"""Taking words out of a prompt and judging it again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.engine.attribution.words import Word
from explorer.engine.reranker import Reranker
from explorer.engine.tokens import TokenIds


def without(ids: TokenIds, words: Sequence[Word]) -> TokenIds:
    """Take words out of a prompt; what follows moves up.

    Args:
        ids: Token ids [tokens].
        words: What is taken out.

    Returns:
        The token ids that are left.
    """
    kept = np.ones(len(ids), dtype=bool)
    for word in words:
        kept[word.start : word.stop] = False
    return ids[kept]


def log_odds_without(
    reranker: Reranker, ids: TokenIds, taken: Sequence[Sequence[Word]]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Judge a prompt many times, each time without other words.

    Args:
        reranker: The model.
        ids: The whole prompt's token ids [tokens].
        taken: Words that are taken out, n times.

    Yields:
        (how many are finished, log-odds so far float32 [n]), once for each batch.

    Raises:
        OutOfMemoryError: The prompt does not fit the device.
    """
    found = np.zeros(len(taken), dtype=np.float32)
    done = 0
    for indices, log_odds in reranker.prompt_log_odds([without(ids, words) for words in taken]):
        found[indices] = log_odds
        done += len(indices)
        yield done, found

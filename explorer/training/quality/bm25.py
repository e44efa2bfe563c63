"""The baseline that knows words only: Okapi BM25 (Robertson and Zaragoza 2009)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from explorer.analysis.arrays import Doubles

K1 = 1.2
"""How fast repetitions of a term stop counting; Lucene's default."""

B = 0.75
"""How much a document's length counts against it; Lucene's default."""

_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)


def words(text: str) -> list[str]:
    """Split a text into lower-cased words; scripts that write no spaces give one term a character.

    Args:
        text: Any text.

    Returns:
        Its terms in order.
    """
    return _WORD.findall(text.lower())


class Bm25:
    """Scores of documents for a query by the terms that both hold.

    ``score = sum of log(1 + (n - df + 0.5) / (df + 0.5)) * tf (k1 + 1) / (tf + k1 (1 - b + b length / mean))`` over
    the distinct terms of the query; the logarithm never turns negative, as in Lucene.

    Args:
        documents: Terms of each document.
    """

    def __init__(self, documents: Sequence[Sequence[Hashable]]) -> None:
        """Compute what each term adds to each document that holds it."""
        self._count = len(documents)
        counts = [Counter(document) for document in documents]
        lengths = np.array([len(document) for document in documents], dtype=np.float64)
        mean = lengths.mean() if len(lengths) and lengths.any() else 1.0
        slowed = K1 * (1 - B + B * lengths / mean)
        holders: dict[Hashable, list[int]] = {}
        for index, terms in enumerate(counts):
            for term in terms:
                holders.setdefault(term, []).append(index)
        self._added: dict[Hashable, tuple[list[int], Doubles]] = {}
        for term, held in holders.items():
            rarity = np.log1p((self._count - len(held) + 0.5) / (len(held) + 0.5))
            often = np.array([counts[index][term] for index in held], dtype=np.float64)
            self._added[term] = held, rarity * often * (K1 + 1) / (often + slowed[held])

    def scores(self, query: Sequence[Hashable]) -> Doubles:
        """Score every document.

        Args:
            query: Terms of the query; repeated ones count once.

        Returns:
            Scores in the order of the documents, float64 [documents].
        """
        total: Doubles = np.zeros(self._count)
        for term in dict.fromkeys(query):
            if term in self._added:
                held, added = self._added[term]
                total[held] += added
        return total

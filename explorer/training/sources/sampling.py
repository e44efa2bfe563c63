"""Lists to rank: a query with one right document and several wrong ones.

Wrong documents are drawn at random or are the nearest to the query, or to the right document, in a random pool. Near
means the cosine of rarity-weighted means of word vectors, which costs next to nothing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from explorer.training.sources.items import Item, Source
from explorer.training.sources.lexicon import Lexicon
from explorer.training.sources.questions import question


@dataclass(frozen=True)
class RankedList:
    """One query's documents in token ids, the right one first.

    Attributes:
        source: Name of the source.
        instruction: What counts as right.
        query: The query.
        documents: Token ids of each document, as they follow the template's ``<Document>:``.
    """

    source: str
    instruction: str
    query: str
    documents: list[list[int]]


class ListSampler:
    """Draws lists from one source."""

    def __init__(
        self, source: Source, tokenizer: Tokenizer, weights: NDArray[np.float32], lexicon: Lexicon, seed: int
    ) -> None:
        """Tokenise every document of a source once and place it among the others.

        Args:
            source: Where items come from.
            tokenizer: Of the reranker.
            weights: Word vectors times rarity [vocabulary, d].
            lexicon: Substitutes for words.
            seed: Of all draws.
        """
        self.source = source
        self._rng = random.Random(seed)
        self._lexicon = lexicon
        self._tokenizer = tokenizer
        self._weights = weights
        self._items = source.items
        self._owner = [i for i, item in enumerate(source.items) for _ in item.documents]
        texts = [document for item in source.items for document in item.documents]
        self._ids = _encode(tokenizer, texts)
        self._first = np.cumsum([0, *(len(item.documents) for item in source.items)])
        self._places = np.stack([self._place(ids) for ids in self._ids])

    def count_tokens(self, counts: NDArray[np.int64]) -> None:
        """Add the occurrences of every token in the documents to `counts` [vocabulary]."""
        for ids in self._ids:
            np.add.at(counts, ids, 1)

    def draw(self, wrong: int, limit: int) -> RankedList:
        """Draw one list.

        Args:
            wrong: Number of wrong documents.
            limit: Most tokens a document may have.

        Returns:
            The list, its right document first.
        """
        number = self._rng.randrange(len(self._items))
        item = self._items[number]
        right = self._rng.randrange(self._first[number], self._first[number + 1])
        query = self._query(item, right - int(self._first[number]))
        decoys = _encode(self._tokenizer, list(item.decoys))
        self._rng.shuffle(decoys)
        others = self._wrong(item, right, query, wrong - len(decoys[: wrong // 2]))
        ids = [self._ids[right], *decoys[: wrong // 2], *(self._ids[i] for i in others)]
        if self.source.padded:
            ids = [self._pad(one, limit) for one in ids]
        return RankedList(
            self.source.name, self._rng.choice(self.source.instructions), query, [i[:limit] for i in ids]
        )

    def _query(self, item: Item, right: int) -> str:
        if self.source.mirrored:
            return self._rng.choice([text for i, text in enumerate(item.documents) if i != right])
        if item.statement and (not item.queries or self._rng.random() < 0.4):
            return question(item.statement, self._lexicon, self._rng, swap=self._rng.choice((0, 0.1, 0.3)))
        return self._rng.choice(item.queries)

    def _wrong(self, item: Item, right: int, query: str, count: int) -> list[int]:
        size = min(len(self._ids), self._rng.choice((40, 200, 1500)))
        pool = [i for i in self._rng.sample(range(len(self._ids)), size)
                if self._items[self._owner[i]].group != item.group]  # fmt: skip
        near = self._places[right]
        if self._rng.random() < 0.5:
            near = self._place(self._tokenizer.encode(query, add_special_tokens=False).ids)
        cosines = self._places[pool] @ near
        order = [pool[i] for i in np.argsort(-cosines) if self._places[pool[i]] @ self._places[right] < 0.97]
        hard = order[: self._rng.randint(1, count)]
        rest = [i for i in pool if i not in hard and self._places[i] @ self._places[right] < 0.97]
        return (hard + rest)[:count]

    def _pad(self, ids: list[int], limit: int) -> list[int]:
        """Set a text among unrelated ones, as a sentence stands in a paragraph."""
        lead = self._some((0, 0, 1))[: max(0, limit - len(ids))]
        return [*lead, *ids, *self._some((0, 1, 1, 2))]

    def _some(self, counts: tuple[int, ...]) -> list[int]:
        drawn = self._rng.choices(self._ids, k=self._rng.choice(counts))
        return [token for ids in drawn for token in ids]

    def _place(self, ids: list[int]) -> NDArray[np.float32]:
        mean: NDArray[np.float32] = self._weights[ids].sum(0)
        return mean / np.float32(np.linalg.norm(mean) + 1e-6)


def _encode(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    spaced = [" " + text.strip() for text in texts]
    return [encoding.ids for encoding in tokenizer.encode_batch(spaced, add_special_tokens=False)]

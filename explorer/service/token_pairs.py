"""Token pairs: which words of a query and of a document met in their cosine."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Never

import numpy as np
import numpy.typing as npt

from explorer.engine.attribution.token_pairs import WordVectors, word_states, word_vectors
from explorer.engine.attribution.words import Word, WordedInput, embedding_words
from explorer.engine.embedder import Embedder
from explorer.errors import LimitError
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service.embedding import cut_notices
from explorer.service.limits import LIMITS, checked_instruction, checked_query, checked_texts
from explorer.service.workspace import Workspace


@dataclass(frozen=True)
class TokenPairs:
    """A cosine by pairs of words.

    Attributes:
        query: As used.
        document: As used.
        instruction: The query's, or None.
        query_words: Words of the query, q of them; the instruction around it stays in place and is not weighed.
        document_words: Words of the document, d of them.
        pairs: What each pair adds to the cosine, approximately, float32 [q, d].
        states: Cosine of the words' states in the last layer, float32 [q, d]: cheap, and no share of anything.
        cosine: Of query and document.
        expected: What the pairs should add up to: the cosine, less those with padding in place of either side's
            words, plus that with padding in place of both.
        provenance: The embedding model.
        notices: What was cut.
    """

    query: str
    document: str
    instruction: str | None
    query_words: tuple[Word, ...]
    document_words: tuple[Word, ...]
    pairs: npt.NDArray[np.float32]
    states: npt.NDArray[np.float32]
    cosine: float
    expected: float
    provenance: Provenance
    notices: tuple[Notice, ...]

    @property
    def completeness_error(self) -> float:
        """Share by which the pairs miss what they should add up to."""
        return abs(float(self.pairs.sum(dtype=np.float64)) - self.expected) / max(abs(self.expected), 1e-6)


def token_pairs(
    workspace: Workspace, query: str, document: str, instruction: str | None = None
) -> Generator[Progress[TokenPairs], None, None]:
    """Divide the cosine of two texts among pairs of their words.

    Args:
        workspace: Where the models are.
        query: One text.
        document: The other.
        instruction: What the query looks for; None for the bare text, as of a document.

    Yields:
        Steps, the last with the result.

    Raises:
        InputError: A text is empty or too long.
    """
    asked = checked_query(query)
    (read,), _ = checked_texts([document], 1, "service.documents_empty")
    task = checked_instruction(instruction)
    embedder = yield from workspace.embedder()
    inputs = [_worded(embedder, asked, task), _worded(embedder, read, None)]
    sides = [_weighed(worded, task if side == 0 else None) for side, worded in enumerate(inputs)]
    states = [
        word_states(embedder.loaded, worded, words) for worded, words in zip(inputs, sides, strict=True)
    ]
    found: list[WordVectors] = []
    for worded, words in zip(inputs, sides, strict=True):
        found.append((yield from _divided(embedder, worded, words, len(found))))
    first, second = found
    result = TokenPairs(
        query=asked,
        document=read,
        instruction=task,
        query_words=sides[0],
        document_words=sides[1],
        pairs=first.parts @ second.parts.T,
        states=states[0] @ states[1].T,
        cosine=float(first.vector @ second.vector),
        expected=float((first.vector - first.baseline) @ (second.vector - second.baseline)),
        provenance=embedder.provenance,
        notices=(
            *cut_notices(_cut(inputs[0]), "query", embedder.provenance),
            *cut_notices(_cut(inputs[1]), "document", embedder.provenance),
        ),
    )
    yield Progress(1, 1, "service.stage_done", result)


def _worded(embedder: Embedder, text: str, instruction: str | None) -> WordedInput:
    return embedding_words(embedder.loaded.tokenizer, text, instruction, embedder.max_length)


def _cut(worded: WordedInput) -> npt.NDArray[np.int64]:
    return np.array([len(worded.sequence.cut_ids)])


def _weighed(worded: WordedInput, instruction: str | None) -> tuple[Word, ...]:
    """Choose the words that are weighed: all but the instruction's."""
    field = "document" if instruction is None else "query"
    words = tuple(word for word in worded.words if word.field == field)
    if len(words) > LIMITS.paired_words:
        raise LimitError("attribution.pair_too_long", words=len(words), limit=LIMITS.paired_words)
    return words


def _divided(
    embedder: Embedder, worded: WordedInput, words: tuple[Word, ...], side: int
) -> Generator[Progress[Never], None, WordVectors]:
    """Divide the embedding of one side, 0 or 1, among its words."""
    yield Progress(side, 2, "attribution.stage_pairs")
    vectors: WordVectors | None = None
    for done, total, so_far in word_vectors(embedder.loaded, worded, words):
        vectors = so_far
        yield Progress(side * total + done, 2 * total, "attribution.stage_pairs")
    if vectors is None:
        raise RuntimeError("an integral has at least one node")
    return vectors

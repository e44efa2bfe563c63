"""Six instructions on the same documents, in one job and one after the other."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

import numpy as np

from explorer.engine.embedder import Embedder
from explorer.engine.reranker import Reranker
from explorer.engine.store.cache import VectorCache
from explorer.service.compare_instructions import compare_instructions, instruction_choices
from explorer.service.rerank import rerank
from explorer.service.workspace import finished
from tests.benchmarks.rerank import QUERY
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import Row, row_of
from tests.benchmarks.texts import mixed_texts
from tests.benchmarks.timing import Array, take_turns
from tests.benchmarks.weights import RandomModel

DOCUMENTS = 50
INSTRUCTIONS = [choice.instruction for choice in instruction_choices()[:6]]
WANTED = 1.15
"""Times six runs that share the beginning of their prompts, at most."""


class Loaded:
    """Both models, as a workspace hands them out, with one cache."""

    def __init__(self, model: RandomModel) -> None:
        self.cache = VectorCache()
        self._embedder = Embedder(model.embedding, self.cache)
        self._reranker = Reranker(model.reranker, self.cache)

    def embedder(self) -> Generator[None, None, Embedder]:
        """Give the embedding model without waiting."""
        yield from ()
        return self._embedder

    def reranker(self) -> Generator[None, None, Reranker]:
        """Give the reranker without waiting."""
        yield from ()
        return self._reranker


def measure(model: RandomModel, setting: Setting, _: float) -> Iterator[Row]:
    """Time the job against six rankings, and against the reranker alone six times.

    Args:
        model: The weights.
        setting: How much to measure.

    Yields:
        Lines of the table.
    """
    loaded = Loaded(model)

    def together(chosen: Sequence[str]) -> Array:
        loaded.cache.clear()
        return finished(compare_instructions(loaded, [QUERY], chosen, INSTRUCTIONS)).reranker.scores[:, 0]

    def apart(chosen: Sequence[str]) -> Array:
        loaded.cache.clear()
        return np.stack(
            [finished(rerank(loaded, QUERY, chosen, task)).scores.log_odds for task in INSTRUCTIONS]
        )

    def alone(chosen: Sequence[str]) -> Array:
        loaded.cache.clear()
        return np.stack([loaded._reranker.score(QUERY, chosen, task).log_odds for task in INSTRUCTIONS])

    documents = mixed_texts(model.reranker.tokenizer, DOCUMENTS, *setting.document_tokens)
    ways = {"ours": together, "six rankings": apart, "the reranker alone, six times": alone}
    turns = take_turns(ways, documents, setting.repetitions, setting.device)
    ours = turns["ours"]
    for way, taken in turns.items():
        difference = np.abs(taken.result - ours.result).max()
        note = f"ours takes {ours.cpu_ratio(taken):.2f} times its CPU s; log-odds differ by {difference:.1e}"
        wanted = f"ours at most {WANTED} times" if way == "six rankings" else ""
        yield row_of(f"six instructions on {DOCUMENTS} documents", way, taken, ours, note, wanted)

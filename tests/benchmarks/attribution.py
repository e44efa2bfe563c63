"""What one gradient of a pair costs beside judging it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from explorer.engine.attribution.gradients import gradient_x_input
from explorer.engine.attribution.words import pair_words
from explorer.engine.prompts import DEFAULT_INSTRUCTION, FORMS
from explorer.engine.reranker import Reranker
from tests.benchmarks.rerank import QUERY
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import Row, row_of
from tests.benchmarks.texts import mixed_texts
from tests.benchmarks.timing import Array, take_turns
from tests.benchmarks.weights import RandomModel

PAIRS = 8
WANTED = 6
"""Times a forward of the same pair, at most."""


def measure(model: RandomModel, setting: Setting, _: float) -> Iterator[Row]:
    """Time gradient x input of some pairs, one after the other, against judging them one after the other.

    Args:
        model: The weights.
        setting: How much to measure.

    Yields:
        Lines of the table.
    """
    reranker = Reranker(model.reranker)
    tokenizer, form = model.reranker.tokenizer, FORMS["model_card"]

    def judged(documents: Sequence[str]) -> Array:
        reranker.cache.clear()
        return np.concatenate([reranker.score(QUERY, [document]).log_odds for document in documents])

    def weighed(documents: Sequence[str]) -> Array:
        found = []
        for document in documents:
            pair = pair_words(tokenizer, QUERY, document, DEFAULT_INSTRUCTION, form, reranker.max_length)
            found.append(gradient_x_input(model.reranker, pair.sequence.ids, pair.words).log_odds)
        return np.array(found, dtype=np.float32)

    documents = mixed_texts(tokenizer, PAIRS, 100, 0.5)
    ways = {"one forward": judged, "gradient x input": weighed}
    turns = take_turns(ways, documents, setting.repetitions, setting.device)
    apart = float(np.abs(turns["one forward"].result - turns["gradient x input"].result).max())
    for way, taken in turns.items():
        note = "" if way == "one forward" else f"log-odds differ by at most {apart:.1e}"
        wanted = "" if way == "one forward" else f"at most {WANTED} times"
        yield row_of(f"attribution, {PAIRS} pairs", way, taken, turns["one forward"], note, wanted)

"""What a reranker adds, and whether it obeys, with rerankers whose answers are known."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from explorer.engine.reranker import Reranker
from explorer.errors import Cancelled
from explorer.progress import CancelToken
from explorer.training.quality.held_out import HeldOut, RetrievalItem
from explorer.training.quality.reranker import InstructionPair, measure_reranker


@dataclass
class Found:
    log_odds: np.ndarray


@dataclass
class Known:
    """A reranker that answers from a function of instruction, query and document."""

    rule: object
    asked: list = field(default_factory=list)

    def score(self, query, documents, instruction=None, cancel=None):
        self.asked.append((query, len(documents)))
        return Found(np.array([self.rule(instruction, query, text) for text in documents], dtype=np.float32))


def backwards(texts, instruction=None, /):
    """Rank documents d0, d1 ... in this order for every query."""
    angles = [0.0 if text.startswith("q") else 0.01 * int(text[1:]) for text in texts]
    return np.array([(np.cos(angle), np.sin(angle)) for angle in angles], dtype=np.float32)


HELD = HeldOut(
    retrieval=tuple(RetrievalItem(f"q{i}", ((f"d{4 * i}", 1.0),)) for i in range(10)),
    others=tuple(f"d{i}" for i in range(60)),
)


def test_a_perfect_reranker_lifts_what_the_first_stage_found_and_no_more():
    perfect = Known(lambda task, query, text: float(text == f"d{4 * int(query[1:])}"))
    found = measure_reranker(perfect, backwards, HELD)
    # Answers stand on ranks 1, 5, 9, 13, 17 and beyond the top twenty.
    assert found.ndcg_before == pytest.approx(sum(1 / np.log2(rank + 1) for rank in (1, 5, 9)) / 10)
    assert found.ndcg_after == pytest.approx(0.5)
    assert found.queries == 10 and found.obeyed is None
    assert {count for _, count in perfect.asked} == {20}


def test_the_first_stages_own_order_changes_nothing():
    found = measure_reranker(Known(lambda task, query, text: -float(text[1:])), backwards, HELD)
    assert found.ndcg_after == pytest.approx(found.ndcg_before)


PAIRS = [InstructionPair(f"q{i}", ("cats", "dogs"), (f"cats {i}", f"dogs {i}")) for i in range(4)]


@pytest.mark.parametrize(
    ("rule", "obeyed", "flipped"),
    [
        (lambda task, query, text: float(task in text), 1, 1),
        (lambda task, query, text: -float(task in text), 0, 0),
        (lambda task, query, text: 5 * ("cats" in text) + float(task in text), 1, 0),
        (lambda task, query, text: float("cats" in text), 0, 0),
        (lambda task, query, text: float(task in text) * (query != "q0"), 0.75, 0.75),
    ],
    ids=["obeys", "disobeys", "leans", "deaf", "obeys mostly"],
)
def test_obedience(rule, obeyed, flipped):
    found = measure_reranker(Known(rule), backwards, HeldOut(), PAIRS)
    assert (found.obeyed, found.flipped, found.ndcg_before) == (obeyed, flipped, None)


def test_progress_and_stop(tiny_reranker):
    seen = []
    measure_reranker(Known(lambda *_: 0.0), backwards, HELD, PAIRS, progress=lambda *step: seen.append(step))
    assert seen == [(i, 14) for i in range(1, 15)]
    stop = CancelToken()
    stop.cancel()
    with pytest.raises(Cancelled):
        measure_reranker(Reranker(tiny_reranker), backwards, HELD, PAIRS, cancel=stop)


def test_figures_are_said_in_one_line():
    found = measure_reranker(
        Known(lambda task, query, text: float(task in text)), backwards, HeldOut(), PAIRS
    )
    assert str(found) == "instructions obeyed 1.000, order turned round 1.000"

"""The history of edits: nothing is lost, undo and redo are each other's opposite."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explorer.errors import InputError, LimitError
from explorer.provenance import Provenance
from explorer.service.changes.change import PairVersion
from explorer.service.counterfactuals import Recomputed, VersionScores
from explorer.service.edit_history import MOST_STEPS, EditHistory, changed_words

MODEL = Provenance("Mini", "reranker", "bundled", "a1", "float32", "cpu", "packed")
START = PairVersion("query", "one two three", "task")


def scored(*documents: str, model: Provenance = MODEL) -> VersionScores:
    numbers = np.arange(len(documents), dtype=np.float32)
    versions = tuple(START.with_text("document", document) for document in documents)
    return VersionScores(
        versions, "model_card", numbers, numbers, numbers, Recomputed(1, 0, 1), model, MODEL, ()
    )


@pytest.fixture
def history() -> EditHistory:
    begun = EditHistory.begun(scored("one"))
    return begun.added(scored("two"), 0, "typed").added(scored("three"), 0, "negate")


def test_undo_and_redo_walk_the_same_way(history: EditHistory) -> None:
    back = history.undo().undo()
    assert [history.at, history.undo().at, back.at] == [2, 1, 0]
    assert [back.redo().at, back.redo().redo().at] == [1, 2]
    assert back.redo().redo() == history
    with pytest.raises(InputError, match="nothing to undo"):
        back.undo()
    with pytest.raises(InputError, match="nothing to redo"):
        history.redo()


def test_an_edit_after_undo_keeps_the_undone_steps(history: EditHistory) -> None:
    edited = history.undo().undo().added(scored("four"), 0, "typed")
    assert [step.version.document for step in edited.steps] == ["one", "two", "three", "four"]
    assert edited.current.parent == 0 and edited.undone == ()
    assert edited.undo().at == 0
    assert edited.restored(2).current.version.document == "three"
    assert edited.restored(2).undo().at == 1


def test_a_wording_that_was_there_before_is_gone_back_to(history: EditHistory) -> None:
    again = history.added(scored("other", "two"), 1, "typed")
    assert again.at == 1 and len(again.steps) == 3


def test_steps_that_do_not_exist_and_scores_of_another_model_are_refused(history: EditHistory) -> None:
    for index in (-1, 3):
        with pytest.raises(InputError, match="no step"):
            history.restored(index)
    with pytest.raises(InputError, match="Take the chosen card"):
        history.added(scored("four", model=replace(MODEL, fingerprint="b2")), 0, "typed")


def test_a_full_history_says_so(history: EditHistory) -> None:
    for number in range(MOST_STEPS - 3):
        history = history.added(scored(f"n{number}"), 0, "typed")
    with pytest.raises(LimitError, match="100 steps"):
        history.added(scored("one more"), 0, "typed")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("keeps three weeks", "keeps six weeks", ("three", "six")),
        ("keeps weeks", "keeps three weeks", ("keeps weeks", "keeps three weeks")),
        ("First. Second. Third.", "First. Third.", ("Second.", "")),
        ("a b", "c d e", ("a b", "c d e")),
        (
            "年" * 40 + "一" + "月" * 40,
            "年" * 40 + "二" + "月" * 40,
            ("年年年年年年一月月月月月月", "年年年年年年二月月月月月月"),
        ),
    ],
)
def test_only_the_words_that_differ_are_named(before: str, after: str, words: tuple[str, str]) -> None:
    old, new = START.with_text("document", before), START.with_text("document", after)
    assert changed_words(old, new) == (("document", *words),)
    assert changed_words(old, old) == ()

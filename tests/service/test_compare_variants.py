"""Two variants differ as two runs by hand do, another model leaves again, and random pairs are unrelated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from explorer.engine.embedder import load_embedder
from explorer.errors import ExplorerError, InputError, LimitError
from explorer.models.memory import MemoryPlan
from explorer.service import demo_map
from explorer.service.compare_variants import Difference, Variant, compare_variants
from explorer.service.judgements import grades_of
from explorer.service.limits import LIMITS
from explorer.service.random_pairs import random_pairs, unrelated_texts
from explorer.service.workspace import Workspace, finished, waited_for
from explorer.settings import Settings

QUERIES = ["What is the capital of China?", "Explain gravity"]
DOCUMENTS = ["The capital of China is Beijing.", "Gravity pulls bodies together.", "yes no yes"]
TASK = "Given a question, retrieve the answer"

Make = Callable[..., Path]


@pytest.fixture
def workspace(make_model: Make) -> Workspace:
    return Workspace(
        Settings(
            embedding=str(make_model()), reranker=str(make_model(family="reranker", tied=False)), offline=True
        )
    )


def by_hand(
    model: Path, instruction: str | None, dimensions: int | None, dtype: str = "auto"
) -> tuple[np.ndarray, np.ndarray]:
    embedder = load_embedder(str(model), "cpu", dtype)
    documents = embedder.encode(DOCUMENTS, dimensions=dimensions)
    return embedder.encode(QUERIES, instruction, dimensions) @ documents.T, documents @ documents.T


def difference(workspace: Workspace, first: Variant, second: Variant) -> Difference:
    return finished(compare_variants(workspace, QUERIES, DOCUMENTS, first, second))


def test_instruction_and_dimensions_change_what_two_runs_by_hand_say(
    workspace: Workspace, make_model: Make
) -> None:
    found = difference(workspace, Variant(), Variant(instruction=TASK, dimensions=24))
    first, second = by_hand(make_model(), None, None), by_hand(make_model(), TASK, 24)
    np.testing.assert_allclose(found.change("query_document"), second[0] - first[0], atol=1e-5)
    np.testing.assert_allclose(found.change("document_document"), second[1] - first[1], atol=1e-5)
    assert (found.first.baseline.dimensions, found.second.baseline.dimensions) == (48, 24)
    assert (found.first.baseline.instruction, found.second.baseline.instruction) == (None, TASK)


def test_another_number_format_and_another_model_are_loaded_and_leave(
    workspace: Workspace, make_model: Make
) -> None:
    other = make_model(seed=5)
    before = waited_for(workspace.embedder()).provenance
    found = difference(workspace, Variant(dtype="bfloat16"), Variant(model=str(other)))
    np.testing.assert_allclose(
        found.first.query_document, by_hand(make_model(), None, None, "bfloat16")[0], atol=1e-5
    )
    np.testing.assert_allclose(found.second.query_document, by_hand(other, None, None)[0], atol=1e-5)
    assert found.first.provenance.dtype == "bfloat16"
    assert found.second.provenance.fingerprint != before.fingerprint
    assert waited_for(workspace.embedder()).provenance == before


def test_a_model_that_does_not_fit_beside_takes_the_place_and_gives_it_back(
    workspace: Workspace, make_model: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = waited_for(workspace.embedder()).provenance
    loaded = workspace.shelf.embedder
    assert loaded is not None
    tight = loaded.weight_bytes * 2
    monkeypatch.setattr(
        workspace.shelf,
        "plan",
        lambda *_: MemoryPlan(tight, tight, tight + loaded.weight_bytes // 2, "tight", None),
    )
    job = compare_variants(workspace, QUERIES, DOCUMENTS, Variant(), Variant(model=str(make_model(seed=5))))
    alone = False
    for step in job:
        alone = alone or workspace.shelf.embedder is None
        result = step.partial
    assert alone and loaded.released, "the loaded model made room"
    assert result is not None
    assert waited_for(workspace.embedder()).provenance == before, "and was loaded again"


def test_stopping_brings_the_loaded_model_back(
    workspace: Workspace, make_model: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = waited_for(workspace.embedder()).provenance
    loaded = workspace.shelf.embedder
    assert loaded is not None
    size = loaded.weight_bytes * 2
    monkeypatch.setattr(workspace.shelf, "plan", lambda *_: MemoryPlan(size, size, size, "tight", None))
    job = compare_variants(workspace, QUERIES, DOCUMENTS, Variant(), Variant(model=str(make_model(seed=5))))
    while workspace.shelf.embedder is not None:
        next(job)
    job.close()
    assert waited_for(workspace.embedder()).provenance == before


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (Variant(), Variant(dimensions=49), "49"),
        (Variant(dimensions=-1), Variant(), "imension"),
        (Variant(), Variant(model="no/such-model"), "no/such-model"),
        (Variant(dtype="float16"), Variant(), "float16"),
        (Variant(instruction="i" * (LIMITS.instruction_characters + 1)), Variant(), "2,001"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    workspace: Workspace, first: Variant, second: Variant, message: str
) -> None:
    with pytest.raises(ExplorerError, match=message):
        difference(workspace, first, second)


def test_a_side_must_hold_texts_and_not_too_many(workspace: Workspace) -> None:
    with pytest.raises(InputError):
        finished(compare_variants(workspace, [" "], DOCUMENTS, Variant(), Variant()))
    with pytest.raises(LimitError, match="301"):
        finished(compare_variants(workspace, QUERIES, ["x"] * 301, Variant(), Variant()))


def test_random_pairs_are_of_different_topics_and_never_judged_relevant(workspace: Workspace) -> None:
    texts = unrelated_texts()
    topics = dict(zip(demo_map.corpus().texts, demo_map.corpus().columns["topic"], strict=True))
    assert [topics[text] for text in texts.documents] == list(texts.document_topics)
    assert len(texts.documents) == len(set(texts.documents)) == 120
    for query, topic in zip(texts.queries, texts.query_topics, strict=True):
        apart = [text for text, of in zip(texts.documents, texts.document_topics, strict=True) if of != topic]
        assert all((grade or 0) < 3 for grade in grades_of(query, apart)), query
    found = finished(random_pairs(workspace, TASK, 24))
    pairs = sum(of != topic for topic in texts.query_topics for of in texts.document_topics)
    assert len(found.query_document.cosines) == pairs
    assert (np.diff(found.document_document.cosines) >= 0).all()
    assert (found.dimensions, found.instruction) == (24, TASK)

"""Reranking: what is told beside the numbers, and what is refused before any number is computed."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from explorer.errors import InputError, ModelLoadError
from explorer.service.prompts import PROMPT_VIEWS, exact_inputs, instruction_presets
from explorer.service.rerank import rerank, scores_csv
from explorer.service.workspace import Workspace, finished, waited_for
from explorer.settings import Settings

DOCUMENTS = ["The capital of China is Beijing.", "Gravity pulls bodies together.", "yes no yes"]


@pytest.fixture
def workspace(make_model: Callable[..., Path]) -> Workspace:
    embedding, reranker = str(make_model(context=64)), str(make_model(family="reranker", tied=False))
    return Workspace(Settings(embedding=embedding, reranker=reranker, offline=True))


def test_both_orders_and_the_movement_between_them_agree_with_the_scores(workspace: Workspace) -> None:
    result = finished(rerank(workspace, "What is the capital of China?", DOCUMENTS))
    assert (
        result.movement.second_ranks.tolist()
        == (np.argsort(np.argsort(-result.scores.log_odds)) + 1).tolist()
    )
    assert result.movement.first_ranks.tolist() == (np.argsort(np.argsort(-result.cosines)) + 1).tolist()
    assert (result.movement.moved == result.movement.first_ranks - result.movement.second_ranks).all()
    assert result.scores.log_odds[result.best] == result.scores.log_odds.max()
    assert result.instruction == instruction_presets("reranker")[0]


def test_a_text_cut_by_either_model_is_told_with_the_models_name(workspace: Workspace) -> None:
    result = finished(rerank(workspace, "capital", ["word " * 100, "short"]))
    told = [notice.text("en") for notice in result.notices]
    assert told == [
        f"Document 1 is longer than {result.embedding.model} reads: its last {_cut(told)} tokens were left out."
    ]


def _cut(told: list[str]) -> str:
    return told[0].split("its last ")[1].split(" tokens")[0]


def test_an_unknown_template_is_refused_before_anything_is_computed(workspace: Workspace) -> None:
    waited_for(workspace.embedder())
    with pytest.raises(InputError, match="model_card or evaluation"):
        finished(rerank(workspace, "query", DOCUMENTS, template="nonsense"))  # type: ignore[arg-type]
    assert len(workspace.cache) == 0


def test_the_prompts_shown_are_those_that_gave_the_numbers(workspace: Workspace) -> None:
    inputs = finished(exact_inputs(workspace, "capital", DOCUMENTS[0]))
    assert tuple(one.view for one in inputs.inputs) == PROMPT_VIEWS
    card, evaluation, query, document = ["".join(token.text for token in one.tokens) for one in inputs.inputs]
    assert card.startswith("<|im_start|>system\n") and card.endswith("</think>\n\n")
    assert "\n\n<Query>: capital\n\n<Document>: " in evaluation and "\n\n<Query>" not in card
    assert query == f"Instruct: {inputs.instruction}\nQuery:capital<|endoftext|>"
    assert document == f"{DOCUMENTS[0]}<|endoftext|>"
    for one in inputs.inputs[:2]:
        shown = finished(rerank(workspace, "capital", DOCUMENTS, template=one.view))
        assert one.log_odds == pytest.approx(shown.scores.log_odds[0], abs=1e-5)
        assert one.read_tokens == shown.scores.tokens[0]
    assert inputs.template_effect == pytest.approx(inputs.inputs[1].log_odds - inputs.inputs[0].log_odds)


def test_what_a_prompt_leaves_out_is_marked(workspace: Workspace) -> None:
    document = finished(exact_inputs(workspace, "capital", "word " * 100)).inputs[3]
    assert document.read_tokens == 64 < len(document.tokens)


def test_the_first_load_ends_even_when_something_unforeseen_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(Settings(offline=True))

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(workspace.shelf, "swap", broken)
    with pytest.raises(ModelLoadError, match="could not be loaded"):
        waited_for(workspace.embedder())
    with pytest.raises(ModelLoadError, match="could not be loaded"):
        waited_for(workspace.reranker())
    assert not workspace.loading


def test_the_spreadsheet_holds_every_number_and_no_formula(workspace: Workspace) -> None:
    documents = ["=1+1", "+cmd|' /C calc'!A0", "plain, with a comma"]
    result = finished(rerank(workspace, "@query", documents))
    read = pd.read_csv(io.BytesIO(scores_csv(result)), keep_default_na=False)
    assert read["rerank_rank"].tolist() == [1, 2, 3]
    np.testing.assert_allclose(read["log_odds"], np.sort(result.scores.log_odds)[::-1], atol=1e-5)
    for column in ("document", "query"):
        assert not read[column].str.match(r"^\s*[=+\-@]").any()
    assert set(read["reranker"]) == {result.scores.provenance.line}

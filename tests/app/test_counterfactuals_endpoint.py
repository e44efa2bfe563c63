"""``/counterfactuals`` and ``/try_changes``: the same numbers as the reranker's own, and plain refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from explorer import load_reranker

QUERY, INSTRUCTION = "How long do eggs keep in the cellar?", "Find the answer"
DOCUMENTS = ["Eggs keep three weeks.", "Eggs do not keep three weeks."]


def test_versions_are_scored_like_documents_and_a_repeat_runs_no_model(client: Client) -> None:
    versions = [{"query": QUERY, "document": text, "instruction": INSTRUCTION} for text in DOCUMENTS]
    answer = client.predict(versions, api_name="/counterfactuals")
    scores = load_reranker().score(QUERY, DOCUMENTS, INSTRUCTION)
    np.testing.assert_allclose(answer["log_odds"], scores.log_odds, atol=1e-4)
    np.testing.assert_allclose(
        answer["log_odds_change"][1], scores.log_odds[1] - scores.log_odds[0], atol=2e-4
    )
    assert answer["forwards"]["reranker"] >= 1
    again = client.predict(versions, api_name="/counterfactuals")
    assert set(again["forwards"].values()) == {0}
    assert again["log_odds"] == answer["log_odds"]


def test_every_change_is_named_with_its_effect(client: Client) -> None:
    answer = client.predict(QUERY, DOCUMENTS[0], api_name="/try_changes")
    assert {"kind": "number", "place": "document", "before": "three", "after": "six"}.items() <= next(
        change for change in answer["changes"] if change["kind"] == "number"
    ).items()
    assert len(answer["log_odds"]) == len(answer["changes"]) + 1
    only = client.predict(QUERY, DOCUMENTS[0], kinds=["number"], places=["document"], api_name="/try_changes")
    assert [change["text"] for change in only["changes"]] == ["Eggs keep six weeks."]


@pytest.mark.parametrize(
    ("versions", "message"),
    [
        ([], "at least one version"),
        ([{"query": "q"}], "must be an object"),
        ([{"query": "q", "document": 3}], "must be an object"),
        ([{"query": "q", "document": "d", "more": "x"}], "must be an object"),
        (["text"], "must be an object"),
        ([{"query": " ", "document": "d"}], "no query"),
    ],
)
def test_what_is_no_version_is_refused_in_one_sentence(client: Client, versions: Any, message: str) -> None:
    with pytest.raises(AppError, match=message):
        client.predict(versions, api_name="/counterfactuals")


def test_an_unknown_rule_is_refused_by_name(client: Client) -> None:
    with pytest.raises(AppError, match="negate, number, name, sentence, translate"):
        client.predict(QUERY, DOCUMENTS[0], kinds=["nonsense"], api_name="/try_changes")

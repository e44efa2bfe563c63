"""What /instructions answers and refuses."""

from __future__ import annotations

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from explorer import load_reranker

QUERY = "jaguar"
DOCUMENTS = ["The largest cat of the Americas.", "It began with sidecars for motorcycles.", "A short scale."]
TASKS = [
    "Given a word, retrieve facts about the animal",
    "",
    "Given a word, retrieve facts about the car maker",
]


def test_instructions_are_compared_as_the_python_api_does(client: Client) -> None:
    answer = client.predict([QUERY], DOCUMENTS, TASKS, api_name="/instructions")
    reranker = load_reranker()
    for task, scores in zip(TASKS, answer["reranker"]["scores"], strict=True):
        np.testing.assert_allclose(scores[0], reranker.score(QUERY, DOCUMENTS, task).log_odds, atol=1e-4)
    assert answer["instructions"] == TASKS
    for side in (answer["reranker"], answer["embedding"]):
        assert np.array(side["kendall_tau"]).shape == (3, 3)
        assert side["changes"][2]["largest"] > 0.01
        assert sorted(side["ranks"][1][0]) == [1, 2, 3]
    assert answer["embedding"]["sent"][1] == QUERY
    assert "<Instruct>: \n" in answer["reranker"]["sent"][1]


@pytest.mark.parametrize(
    ("queries", "instructions", "message"),
    [
        ([QUERY], ["alone"], "only one instruction"),
        ([], ["a", "b"], "no queries"),
        ([QUERY], list("abcdefg"), "7 instructions"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    client: Client, queries: list[str], instructions: list[str], message: str
) -> None:
    with pytest.raises(AppError, match=message):
        client.predict(queries, DOCUMENTS, instructions, api_name="/instructions")

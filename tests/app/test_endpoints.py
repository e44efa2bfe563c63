"""What the documented endpoints answer, and what they refuse although no widget stands in the way."""

from __future__ import annotations

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from explorer import load_embedder, load_reranker
from explorer.service.limits import LIMITS
from explorer.service.workspace import Workspace

QUERY = "How long do fresh eggs keep?"
DOCUMENTS = [
    "In the fridge, eggs stay good for three weeks.",
    "The opera opens in May.",
    "Owls hunt at night.",
]
INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"


def test_only_the_documented_endpoints_are_public(client: Client) -> None:
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {
        "/rerank",
        "/similarity",
        "/similarity_change",
        "/random_pairs",
        "/embed",
        "/prompt",
        "/attribution",
        "/token_pairs",
        "/instructions",
        "/two_stages",
        "/disagreements",
        "/saturation",
        "/self_check",
        "/size_ladder",
        "/counterfactuals",
        "/try_changes",
        "/link",
        "/open_link",
        "/rerank_code",
        "/similarity_code",
        "/rerank_evidence",
        "/similarity_evidence",
    }


def test_rerank_answers_as_the_python_api_does(client: Client) -> None:
    answer = client.predict(QUERY, DOCUMENTS, INSTRUCTION, api_name="/rerank")
    scores = load_reranker().score(QUERY, DOCUMENTS, INSTRUCTION)
    np.testing.assert_allclose(answer["log_odds"], scores.log_odds, atol=1e-4)
    np.testing.assert_allclose(answer["probability"], scores.probability, atol=1e-5)
    assert sorted(answer["rerank_rank"]) == sorted(answer["embedding_rank"]) == [1, 2, 3]
    assert "fp32 on CPU" in answer["reranker"] and "fp32 on CPU" in answer["embedding"]


def test_embed_and_similarity_answer_as_the_python_api_does(client: Client) -> None:
    vectors = load_embedder().encode(DOCUMENTS, dimensions=64)
    answer = client.predict(DOCUMENTS, "", 64, api_name="/embed")
    np.testing.assert_allclose(answer["vectors"], vectors, atol=1e-5)
    matrix = client.predict([QUERY], DOCUMENTS, "", api_name="/similarity")
    assert np.array(matrix["query_document"]).shape == (1, 3)
    np.testing.assert_allclose(np.diag(matrix["document_document"]), 1, atol=1e-5)


def test_the_evaluation_template_gives_other_scores(client: Client) -> None:
    card = client.predict(QUERY, DOCUMENTS, "", "model_card", api_name="/rerank")
    evaluation = client.predict(QUERY, DOCUMENTS, "", "evaluation", api_name="/rerank")
    assert not np.allclose(card["log_odds"], evaluation["log_odds"], atol=1e-4)


@pytest.mark.parametrize(
    ("query", "documents", "message"),
    [
        ("", DOCUMENTS, "no query"),
        (" \n\t", DOCUMENTS, "no query"),
        ("\0\0", DOCUMENTS, "no query"),
        (QUERY, [], "no documents"),
        (QUERY, ["", "  "], "no documents"),
        (QUERY, ["x"] * (LIMITS.rerank_documents + 1), "201 texts"),
        (QUERY, ["x" * (LIMITS.characters + 1)], "100,001 characters"),
        ("x" * (LIMITS.characters + 1), DOCUMENTS, "100,001 characters"),
    ],
)
def test_what_cannot_be_ranked_is_refused_in_one_sentence(
    client: Client, query: str, documents: list[str], message: str
) -> None:
    with pytest.raises(AppError, match=message):
        client.predict(query, documents, api_name="/rerank")


def test_a_refusal_comes_before_any_forward(client: Client, workspace: Workspace) -> None:
    client.predict(QUERY, DOCUMENTS, api_name="/rerank")
    finished_before = len(workspace.cache)
    with pytest.raises(AppError):
        client.predict(
            QUERY, [f"document {number}" for number in range(LIMITS.rerank_documents + 1)], api_name="/rerank"
        )
    assert len(workspace.cache) == finished_before


def test_as_many_documents_as_allowed_are_ranked(client: Client) -> None:
    documents = [f"Document number {number}" for number in range(LIMITS.rerank_documents)]
    answer = client.predict(QUERY, documents, api_name="/rerank")
    assert sorted(answer["rerank_rank"]) == list(range(1, LIMITS.rerank_documents + 1))


@pytest.mark.parametrize("dimensions", [-1, 100_000])
def test_dimensions_the_model_does_not_have_are_refused(client: Client, dimensions: int) -> None:
    with pytest.raises(AppError, match="imension"):
        client.predict(DOCUMENTS, "", dimensions, api_name="/embed")


def test_a_document_longer_than_the_model_reads_is_told(client: Client) -> None:
    answer = client.predict(QUERY, ["egg " * 20_000, "short"], api_name="/rerank")
    assert any("Document 1 is longer than Mini" in notice for notice in answer["notices"])


def test_empty_documents_are_left_out_and_told(client: Client) -> None:
    answer = client.predict(QUERY, ["one", " ", "two"], api_name="/rerank")
    assert len(answer["log_odds"]) == 2
    assert answer["notices"] == ["Empty texts were left out: 1. 2 remain."]


@pytest.mark.parametrize("wrong", ["nonsense", "../../etc/passwd", ""])
def test_an_unknown_template_is_refused(client: Client, wrong: str) -> None:
    with pytest.raises(AppError, match="model_card or evaluation"):
        client.predict(QUERY, DOCUMENTS, "", wrong, api_name="/rerank")

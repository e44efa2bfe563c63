"""``/prompt``, ``/attribution`` and ``/token_pairs`` as a program calls them."""

from __future__ import annotations

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from explorer import load_embedder, load_reranker

QUERY, DOCUMENT, INSTRUCTION = "egg storage", "Eggs keep for weeks.", "Find passages"


def test_prompt_answers_with_the_ids_that_the_python_api_reads(client: Client) -> None:
    answer = client.predict(QUERY, DOCUMENT, INSTRUCTION, api_name="/prompt")
    tokens = load_reranker().tokens(QUERY, DOCUMENT, INSTRUCTION, template="evaluation")
    assert answer["inputs"]["evaluation"]["ids"] == [token.id for token in tokens]
    query = answer["inputs"]["query"]
    assert (
        query["text"] == f"Instruct: {INSTRUCTION}\nQuery:{QUERY}<|endoftext|>" and query["log_odds"] is None
    )
    scores = [answer["inputs"][name]["log_odds"] for name in ("model_card", "evaluation")]
    assert answer["template_effect"] == pytest.approx(scores[1] - scores[0])


def test_attribution_gives_every_word_a_value_and_a_verdict(client: Client) -> None:
    answer = client.predict(QUERY, DOCUMENT, INSTRUCTION, "model_card", api_name="/attribution")
    score = load_reranker().score(QUERY, [DOCUMENT], INSTRUCTION).log_odds[0]
    assert answer["log_odds"] == pytest.approx(score, abs=1e-3)
    for method in answer["methods"].values():
        assert len(method["values"]) == len(answer["words"])
        assert method["deletion"]["verdict"] in {"believe", "partly", "doubt"}
    whole = sum(answer["fields"].values())
    found = answer["methods"]["integrated_gradients"]
    assert sum(found["values"]) == pytest.approx(whole, abs=0.02 * sum(map(abs, answer["fields"].values())))


def test_token_pairs_divide_the_cosine_of_the_python_api(client: Client) -> None:
    answer = client.predict(QUERY, DOCUMENT, INSTRUCTION, api_name="/token_pairs")
    model = load_embedder()
    cosine = float(model.encode(QUERY, INSTRUCTION)[0] @ model.encode(DOCUMENT)[0])
    assert answer["cosine"] == pytest.approx(cosine, abs=1e-4)
    shape = (len(answer["query_words"]), len(answer["document_words"]))
    assert np.array(answer["pairs"]).shape == np.array(answer["states"]).shape == shape


def test_an_empty_document_is_refused_in_one_sentence(client: Client) -> None:
    for name in ("/prompt", "/attribution", "/token_pairs"):
        with pytest.raises(AppError, match="no documents"):
            client.predict(QUERY, " ", api_name=name)

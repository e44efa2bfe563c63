"""The endpoints ``/two_stages`` and ``/disagreements`` answer as the Python API does."""

from __future__ import annotations

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from explorer.laboratory import Laboratory
from explorer.service.judgements import judged_queries

QUERY = "How long do fresh eggs keep?"
DOCUMENTS = [
    "Owls hunt at night.",
    "In the fridge, eggs stay good for three weeks.",
    "The opera opens in May.",
]


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    return Laboratory(offline=True, data_dir=tmp_path_factory.mktemp("laboratory"))


def test_two_stages_over_given_documents(client: Client, laboratory: Laboratory) -> None:
    answer = client.predict(QUERY, DOCUMENTS, 2, api_name="/two_stages")
    here = laboratory.two_stages(QUERY, DOCUMENTS, 2)
    assert (answer["searched"], answer["row"]) == (3, here.rows.tolist())
    assert answer["document"][0] == DOCUMENTS[1] and answer["retrieval_rank"] == [1, 2]
    np.testing.assert_allclose(answer["log_odds"], here.scores.log_odds, atol=1e-4)
    assert answer["ndcg"] is None and "fp32 on CPU" in answer["reranker"]


def test_two_stages_over_the_demo_corpus_with_judgements(client: Client) -> None:
    answer = client.predict(judged_queries()[0], None, 5, api_name="/two_stages")
    assert answer["searched"] == 384 and len(answer["grade"]) == 5
    assert 0 < answer["ndcg"]["retrieved"] <= 1
    with pytest.raises(AppError, match="from 1 to 200"):
        client.predict(QUERY, None, 201, api_name="/two_stages")


def test_disagreements_of_given_pairs(client: Client, laboratory: Laboratory) -> None:
    queries = [QUERY, "When does the opera open?"]
    answer = client.predict(queries, DOCUMENTS, api_name="/disagreements")
    here = laboratory.disagreements(queries, DOCUMENTS)
    np.testing.assert_allclose(answer["cosine"], here.cosines, atol=1e-5)
    np.testing.assert_allclose(answer["log_odds"], here.log_odds, atol=1e-4)
    assert answer["cosine_cut"] == pytest.approx(np.median(answer["cosine"]))
    for query, document in answer["false_friends"]:
        assert answer["cosine"][query][document] > answer["cosine_cut"]
        assert answer["log_odds"][query][document] <= 0
    with pytest.raises(AppError, match="at most 2,000 pairs"):
        client.predict(queries, DOCUMENTS, 5_000, api_name="/disagreements")

"""The endpoints of the Similarity view answer as the Python API does."""

from __future__ import annotations

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from explorer.laboratory import Laboratory
from explorer.service.compare_variants import Variant

QUERIES = ["How long do fresh eggs keep?"]
DOCUMENTS = ["In the fridge, eggs stay good for three weeks.", "The opera opens in May."]
TASK = "Given a web search query, retrieve relevant passages that answer the query"


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    return Laboratory(offline=True, data_dir=tmp_path_factory.mktemp("data"))


def test_the_change_between_two_variants(client: Client, laboratory: Laboratory) -> None:
    answer = client.predict(
        QUERIES, DOCUMENTS, first_instruction=TASK, second_dimensions=32, api_name="/similarity_change"
    )
    expected = laboratory.compare_variants(
        QUERIES, DOCUMENTS, Variant(instruction=TASK), Variant(dimensions=32)
    )
    np.testing.assert_allclose(answer["query_document"], expected.change("query_document"), atol=1e-5)
    np.testing.assert_allclose(answer["second"]["query_document"], expected.second.query_document, atol=1e-5)
    assert answer["second"]["random_pairs"]["dimensions"] == 32
    assert answer["first"]["random_pairs"]["instruction"] == TASK


def test_random_pairs(client: Client, laboratory: Laboratory) -> None:
    answer = client.predict(TASK, api_name="/random_pairs")
    expected = laboratory.random_pairs(TASK)
    middle = answer["shares"].index(0.5)
    assert answer["query_document"][middle] == pytest.approx(expected.query_document.quantile(0.5), abs=1e-5)
    assert answer["pairs"] == [len(expected.query_document.cosines), len(expected.document_document.cosines)]
    assert "fp32 on CPU" in answer["embedding"]


def test_a_model_nobody_has_is_refused_in_one_sentence(client: Client) -> None:
    with pytest.raises(AppError, match="nobody/has-this"):
        client.predict(QUERIES, DOCUMENTS, second_model="nobody/has-this", api_name="/similarity_change")

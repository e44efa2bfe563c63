"""The evidence endpoints: the same numbers as the page's, as one file."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile

import pandas as pd
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

QUERY = "How long do fresh eggs keep?"
DOCUMENTS = ["In the fridge, eggs stay good for three weeks.", "=1+1", "Owls hunt at night."]


def opened(answer: dict[str, str]) -> zipfile.ZipFile:
    content = base64.b64decode(answer["zip"])
    assert hashlib.sha256(content).hexdigest() == answer["sha256"]
    return zipfile.ZipFile(io.BytesIO(content))


def test_a_reranking_is_bundled_with_the_numbers_that_rerank_gives(client: Client) -> None:
    answer = client.predict(QUERY, DOCUMENTS, "", "evaluation", "zh", api_name="/rerank_evidence")
    ranked = client.predict(QUERY, DOCUMENTS, "", "evaluation", api_name="/rerank")
    assert answer["name"] == "evidence-rerank.zip"
    with opened(answer) as archive:
        table = pd.read_csv(archive.open("evidence-rerank/scores.csv"))
        inputs = json.loads(archive.read("evidence-rerank/inputs.json"))
    assert table["log_odds"].tolist() == pytest.approx(ranked["log_odds"], abs=1e-6)
    assert table["cosine"].tolist() == pytest.approx(ranked["cosine"], abs=1e-6)
    assert (inputs["template"], inputs["documents"]) == ("evaluation", DOCUMENTS)


def test_a_comparison_is_bundled_with_the_numbers_that_similarity_gives(client: Client) -> None:
    answer = client.predict([QUERY], DOCUMENTS, api_name="/similarity_evidence")
    matrix = client.predict([QUERY], DOCUMENTS, api_name="/similarity")
    with opened(answer) as archive:
        table = pd.read_csv(archive.open("evidence-similarity/scores.csv"))
    assert table["cosine"].tolist() == pytest.approx(matrix["query_document"][0], abs=1e-6)


def test_what_cannot_be_bundled_is_refused_in_one_sentence(client: Client) -> None:
    with pytest.raises(AppError, match="no documents"):
        client.predict(QUERY, [], api_name="/rerank_evidence")
    with pytest.raises(AppError, match="en or zh"):
        client.predict(QUERY, DOCUMENTS, "", "model_card", "fr", api_name="/rerank_evidence")

"""What the endpoint ``/size_ladder`` answers."""

from __future__ import annotations

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from explorer.service.workspace import Workspace

QUERY = "How long do fresh eggs keep?"
DOCUMENTS = ["In the fridge, eggs stay good for three weeks.", "The opera opens in May."]


def test_the_bundled_model_answers_as_in_rerank_and_the_others_are_told_to_be_missing(
    client: Client, workspace: Workspace
) -> None:
    expected = client.predict(QUERY, DOCUMENTS, api_name="/rerank")
    loaded = workspace.shelf.reranker
    answer = client.predict("reranker", QUERY, DOCUMENTS, ["bundled", "0.6B"], api_name="/size_ladder")
    (rung,) = answer["models"]
    np.testing.assert_allclose(rung["scores"], expected["log_odds"], atol=1e-4)
    assert rung["ranks"] == expected["rerank_rank"]
    assert rung["milliseconds"] > 0 and rung["weight_bytes"] > 1_000_000
    assert "Qwen/Qwen3-Reranker-0.6B is not on this computer" in answer["left_out"][0]
    assert workspace.shelf.reranker is loaded


def test_a_family_that_does_not_exist_is_refused(client: Client) -> None:
    with pytest.raises(AppError, match="embedding or reranker"):
        client.predict("nonsense", QUERY, DOCUMENTS, api_name="/size_ladder")

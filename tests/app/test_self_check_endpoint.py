"""What the endpoint ``/self_check`` answers."""

from __future__ import annotations

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from explorer.engine.self_check import NAMES


def test_both_bundled_models_are_checked_with_numbers_and_bounds(client: Client) -> None:
    answer = client.predict(api_name="/self_check")
    assert [model["family"] for model in answer["models"]] == ["embedding", "reranker"]
    for model in answer["models"]:
        assert (model["verdict"], model["advice"]) == ("sound", [])
        assert [check["name"] for check in model["checks"]] == list(NAMES[model["family"]])
        for check in model["checks"]:
            assert not check["failed"]
            assert check["value"] is None or check["value"] <= check["bound"]
    assert "published" in answer["models"][0]["checks"][-1]["reason"]


def test_one_family_can_be_chosen_and_another_word_is_refused(client: Client) -> None:
    answer = client.predict(["reranker"], api_name="/self_check")
    assert [model["family"] for model in answer["models"]] == ["reranker"]
    with pytest.raises(AppError, match="embedding, reranker or both"):
        client.predict(["nonsense"], api_name="/self_check")

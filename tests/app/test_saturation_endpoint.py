"""What /saturation answers and refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError

QUERY = "How long do fresh eggs keep?"
DOCUMENTS = [
    "In the fridge, eggs stay good for three weeks.",
    "The opera opens in May.",
    "Owls hunt at night.",
]


def test_the_simulated_softmax_belongs_to_the_logits_beside_it(client: Client) -> None:
    answer = client.predict(QUERY, DOCUMENTS, api_name="/saturation")
    logits = torch.tensor(answer["answer_logits"])
    assert answer["bfloat16_softmax"] == torch.softmax(logits.bfloat16(), 1)[:, 1].tolist()
    np.testing.assert_allclose(answer["log_odds"], logits[:, 1] - logits[:, 0], atol=1e-6)
    np.testing.assert_allclose(answer["probability"], torch.softmax(logits, 1)[:, 1], atol=1e-6)
    assert answer["bfloat16_softmax_ties"]["distinct"] == len(set(answer["bfloat16_softmax"]))
    assert answer["both_logits"] is True and "fp32 on CPU" in answer["reranker"]


def test_nothing_to_score_is_refused(client: Client) -> None:
    with pytest.raises(AppError, match="no documents"):
        client.predict(QUERY, [], api_name="/saturation")

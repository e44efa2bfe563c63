"""Many visitors at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from gradio_client import Client

from explorer import load_embedder

CLIENTS = 8
REQUESTS = 25


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    texts = [
        f"visitor {visitor} asks thing {number}" for visitor in range(CLIENTS) for number in range(REQUESTS)
    ]
    return dict(zip(texts, load_embedder().encode(texts), strict=True))


def test_everybody_gets_their_own_answer(
    connect: Callable[[], Client], expected: dict[str, np.ndarray]
) -> None:
    def visit(visitor: int) -> int:
        client, right = connect(), 0
        for number in range(REQUESTS):
            text = f"visitor {visitor} asks thing {number}"
            if number % 2:
                vector = np.array(client.predict([text], api_name="/embed")["vectors"][0])
            else:
                answer = client.predict([text], [text, "something else"], api_name="/similarity")
                assert abs(answer["query_document"][0][0] - 1) < 1e-5
                vector = expected[text]
            right += int(np.abs(vector - expected[text]).max() < 1e-5)
        return right

    with ThreadPoolExecutor(CLIENTS) as pool:
        assert list(pool.map(visit, range(CLIENTS))) == [REQUESTS] * CLIENTS

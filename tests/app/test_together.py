"""Many visitors at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from gradio_client import Client

from explorer import load_embedder
from explorer.models.devices import device_lock
from explorer.service.workspace import Workspace

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


def test_the_queue_refuses_at_once_when_it_is_full(
    connect: Callable[[], Client], workspace: Workspace
) -> None:
    lock = device_lock(torch.device("cpu"))
    clients = [connect() for _ in range(4)]
    with lock:
        jobs = [clients[number % 4].submit([f"busy {number}"], api_name="/embed") for number in range(40)]
        started = time.monotonic()
        refused: list[str] = []
        while not refused and time.monotonic() - started < 30:
            refused = [str(job.exception()) for job in jobs if job.done() and job.exception()]
            time.sleep(0.05)
        assert any("full" in message for message in refused), refused
    answered = [job for job in jobs if not job.exception()]
    assert len(answered) >= 32
    assert clients[0].predict(["afterwards"], api_name="/embed")["vectors"]


def test_a_cancelled_request_starts_no_further_batch(client: Client, workspace: Workspace) -> None:
    documents = [f"{number} " + "long text " * 400 for number in range(100)]
    before = len(workspace.cache)
    job = client.submit("query", documents, api_name="/rerank")
    while len(workspace.cache) < before + 5 and not job.done():
        time.sleep(0.01)
    job.cancel()
    time.sleep(2)
    after = len(workspace.cache)
    time.sleep(2)
    assert len(workspace.cache) == after < before + 201
    assert client.predict(["next"], api_name="/embed")["vectors"]

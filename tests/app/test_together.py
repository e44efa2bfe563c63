"""Many visitors at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from gradio_client import Client
from gradio_client.client import Job

from explorer import load_embedder
from explorer.models.devices import device_lock
from explorer.service.embed import embed_texts
from explorer.service.workspace import Workspace, finished

CLIENTS = 8
REQUESTS = 25
ANOTHER = "something else"
REFUSAL_SECONDS = 1


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    texts = [
        f"visitor {visitor} asks thing {number}" for visitor in range(CLIENTS) for number in range(REQUESTS)
    ]
    return dict(zip([*texts, ANOTHER], load_embedder().encode([*texts, ANOTHER]), strict=True))


def test_everybody_gets_their_own_answer(
    connect: Callable[[], Client], expected: dict[str, np.ndarray]
) -> None:
    cosines = {text: float(vector @ expected[ANOTHER]) for text, vector in expected.items()}
    assert len({round(cosine, 4) for cosine in cosines.values()}) > len(cosines) // 2, (
        "these tell nobody apart"
    )

    def visit(visitor: int) -> int:
        client, right = connect(), 0
        for number in range(REQUESTS):
            text = f"visitor {visitor} asks thing {number}"
            if number % 2:
                vector = np.array(client.predict([text], api_name="/embed")["vectors"][0])
                right += int(np.abs(vector - expected[text]).max() < 1e-5)
            else:
                answer = client.predict([text], [text, ANOTHER], api_name="/similarity")
                difference = np.array(answer["query_document"][0]) - [1, cosines[text]]
                right += int(np.abs(difference).max() < 1e-5)
        return right

    with ThreadPoolExecutor(CLIENTS) as pool:
        assert list(pool.map(visit, range(CLIENTS))) == [REQUESTS] * CLIENTS


class Entries:
    """How many threads are inside a function at once, at most, and how often it was entered."""

    def __init__(self) -> None:
        self.most = self.total = self._now = 0
        self._lock = threading.Lock()

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self._lock:
            self._now += 1
            self.total += 1
            self.most = max(self.most, self._now)
        try:
            time.sleep(0.005)
            yield
        finally:
            with self._lock:
                self._now -= 1


def test_the_device_computes_for_one_at_a_time(
    connect: Callable[[], Client], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect().predict("query", ["document"], api_name="/rerank")
    entries = Entries()
    for family in ("embedding", "reranker"):
        backbone = workspace.shelf.get(family).backbone
        forward = backbone.forward

        def counted(*args: object, _forward=forward, **named: object) -> object:
            with entries.counted():
                return _forward(*args, **named)

        monkeypatch.setattr(backbone, "forward", counted)

    def visit(visitor: int) -> None:
        """Half of them through the page's queue, half beside it, as the map's first question comes."""
        client = connect() if visitor % 2 else None
        for number in range(6):
            text = f"device test {visitor} {number}"
            if client is None:
                finished(embed_texts(workspace, [text]))
            elif number % 2:
                client.predict(text, [text, "document"], api_name="/rerank")
            else:
                client.predict([text], api_name="/embed")

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(visit, range(CLIENTS)))
    assert entries.total >= CLIENTS * 6
    assert entries.most == 1


def test_the_queue_refuses_at_once_when_it_is_full(
    connect: Callable[[], Client], workspace: Workspace
) -> None:
    clients = [connect() for _ in range(4)]
    clients[0].predict(["warm"], api_name="/embed")
    sent: list[tuple[float, Job]] = []
    waited: dict[int, float] = {}
    with device_lock(torch.device("cpu")):
        for number in range(40):
            job = clients[number % 4].submit([f"busy {number}"], api_name="/embed")
            sent.append((time.monotonic(), job))
        end = time.monotonic() + 30
        while len(waited) < 40 - 33 and time.monotonic() < end:
            for number, (since, job) in enumerate(sent):
                if number not in waited and job.done():
                    waited[number] = time.monotonic() - since
            time.sleep(0.005)
        messages = [str(sent[number][1].exception()) for number in waited]
        assert messages and all("full" in message for message in messages), messages
        assert min(waited.values()) < REFUSAL_SECONDS
    answered = [job for _, job in sent if not job.exception()]
    assert len(answered) >= 32
    assert clients[0].predict(["afterwards"], api_name="/embed")["vectors"]


def test_a_cancelled_request_starts_no_further_batch(client: Client, workspace: Workspace) -> None:
    documents = [f"{number} " + "long text " * 1_500 for number in range(200)]
    client.predict("query", ["warm"], api_name="/rerank")
    before = len(workspace.cache)
    job = client.submit("query", documents, api_name="/rerank")
    while len(workspace.cache) == before and not job.done():
        time.sleep(0.005)
    assert not job.done(), "the request ended before it could be cancelled"
    job.cancel()
    assert len(workspace.cache) > before, "nothing was computed before it was cancelled"
    time.sleep(2)
    after = len(workspace.cache)
    assert client.predict(["next"], api_name="/embed")["vectors"]
    time.sleep(2)
    assert len(workspace.cache) == after + 1
    assert after - before < len(documents)

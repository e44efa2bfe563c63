"""A served embedding model reads exactly what the recipe says, and gives what the model in this process would."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from model_server import WIDTH, ModelServer, running, unit_of

from explorer import connect_embedder
from explorer.engine.prompts import embedding_query
from explorer.engine.remote_embedder import RemoteEmbedder
from explorer.engine.served_model import find_model
from explorer.engine.server import Server
from explorer.engine.vectors import truncate
from explorer.errors import Cancelled, InputError
from explorer.progress import CancelToken

TEXTS = [f"text {number}: 北京 \U0001f600\n" for number in range(70)] + [""]
TASK = "Given a web search query, retrieve relevant passages that answer the query"


@pytest.fixture(params=["vllm", "sglang", "tei"])
def served(request) -> Iterator[ModelServer]:
    with running(request.param) as server:
        yield server


@pytest.fixture
def vllm() -> Iterator[ModelServer]:
    with running("vllm") as server:
        yield server


def embedder(served: ModelServer, **options) -> RemoteEmbedder:
    """Connect without the pauses between tries."""
    server = Server(served.url, tries=2, timeout=10.0, wait=lambda seconds: None)
    return RemoteEmbedder(server, find_model(server), WIDTH, **options)


def test_vectors_are_those_of_the_exact_texts_in_order(served):
    remote = connect_embedder(served.url)
    assert (remote.dimensions, remote.max_length) == (WIDTH, 2048)
    documents = remote.encode(TEXTS)
    assert documents.dtype == np.float32
    assert np.allclose(documents, [unit_of(text) for text in TEXTS], atol=1e-6)
    queries = remote.encode(TEXTS, TASK)
    assert np.allclose(queries, [unit_of(embedding_query(TASK, text)) for text in TEXTS], atol=1e-6)
    assert np.array_equal(remote.encode(TEXTS[3]), documents[3:4])


def test_fewer_dimensions_are_cut_here_and_scaled_again(served):
    remote = embedder(served)
    whole, cut = remote.encode(TEXTS), remote.encode(TEXTS, dimensions=5)
    assert np.array_equal(cut, truncate(whole, 5))
    assert all("dimensions" not in body for body in served.posted("/v1/embeddings"))
    for wrong in (0, WIDTH + 1):
        with pytest.raises(InputError, match="1 to 12"):
            remote.encode(["a"], dimensions=wrong)


def test_every_number_says_that_a_server_gave_it(served):
    found = connect_embedder(served.url).embed(["a"], TASK).provenance
    assert (found.model, found.fingerprint, found.device) == ("Qwen/Qwen3", "Qwen/Qwen3", "server")
    assert (found.family, found.weights, found.attention) == ("embedding", "other", served.kind)
    assert found.dtype == ("float32" if served.kind == "tei" else "unknown")


def test_requests_keep_within_both_limits_and_few_are_under_way(served, monkeypatch):
    monkeypatch.setattr("explorer.engine.remote_embedder.MOST_CHARACTERS", 100)
    embedder(served, texts_per_request=4, parallel=2).encode(
        [*["a" * 10] * 9, "b" * 300, "c", "d" * 60, "e" * 60]
    )
    sizes = [len(body["input"]) for body in served.posted("/v1/embeddings")]
    assert sorted(sizes) == [1, 1, 1, 2, 4, 4]
    assert served.most_under_way <= 2


def test_a_server_is_not_asked_for_more_than_it_takes(served):
    embedder(served).encode(TEXTS)
    sizes = [len(body["input"]) for body in served.posted("/v1/embeddings")]
    assert max(sizes) == (16 if served.kind == "tei" else 32)


def test_only_vllm_is_asked_to_cut_long_texts(served):
    embedder(served).encode(["a"])
    (body,) = served.posted("/v1/embeddings")
    assert body.get("truncate_prompt_tokens") == (-1 if served.kind == "vllm" else None)


def test_a_stream_gives_batches_in_order_and_says_how_far_it_is(served):
    batches = list(embedder(served, texts_per_request=16).stream(TEXTS))
    assert np.concatenate([batch.indices for batch in batches]).tolist() == list(range(len(TEXTS)))
    assert [batch.done for batch in batches] == [16, 32, 48, 64, 71]
    assert {batch.total for batch in batches} == {71}
    steps = []
    embedder(served, texts_per_request=16).encode(
        TEXTS, progress=lambda done, total: steps.append((done, total))
    )
    assert steps == [(16, 71), (32, 71), (48, 71), (64, 71), (71, 71)]


def test_any_number_of_texts_is_read_only_a_little_ahead(vllm):
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield f"text {read}"

    stream = embedder(vllm, texts_per_request=4, parallel=2).stream_in_order(endless())
    batches = [next(stream) for _ in range(5)]
    stream.close()
    assert [batch.indices.tolist() for batch in batches] == [
        list(range(at, at + 4)) for at in range(0, 20, 4)
    ]
    assert all(batch.total == 0 for batch in batches)
    assert np.allclose(batches[4].vectors[3], unit_of("text 20"), atol=1e-6)
    assert read <= 20 + (2 * 2 + 1) * 4


def test_stopping_does_not_wait_for_the_server(vllm):
    released, cancel = threading.Event(), CancelToken()
    remote = embedder(vllm)
    vllm.reply = lambda path, body: (cancel.cancel(), released.wait(30), None)[2]
    try:
        with pytest.raises(Cancelled):
            remote.encode(TEXTS, cancel=cancel)
    finally:
        released.set()


def test_nothing_asked_is_nothing_sent(served):
    remote = embedder(served)
    assert remote.encode([]).shape == (0, WIDTH)
    assert served.posted("/v1/embeddings") == []


def data(*embeddings: object) -> tuple[int, object]:
    return 200, {"data": [{"index": at, "embedding": row} for at, row in enumerate(embeddings)]}


ROW = [1.0] * WIDTH


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (data(ROW), "sent 2 texts and gave 1"),
        (data(ROW, ROW, ROW), "sent 2 texts and gave 3"),
        ((200, {"data": [{"index": 0, "embedding": ROW}] * 2}), "not one for each"),
        (data(ROW[:4], ROW[:4]), "4 dimensions where 12"),
        (data(ROW, ROW[:4]), "4 dimensions where 12"),
        (data(ROW, [*ROW[:-1], float("nan")]), "not finite"),
        (data(ROW, [*ROW[:-1], 1e300]), "not finite"),
        (data(ROW, "AAAAAA=="[:6]), "something else"),
        (data(ROW, "!!!!"), "something else"),
        (data(ROW, "AACA" * WIDTH + "PwAAgD8AAIA/" + "!"), "something else"),
        (data(ROW, ""), "something else"),
        (data(ROW, None), "something else"),
        (data(ROW, []), "something else"),
        (data(ROW, [ROW, ROW]), "something else"),
        ((200, {"data": None}), "something else"),
        ((200, [ROW, ROW]), "something else"),
        ((200, b"<html>Sign in</html>"), "something else"),
        ((200, {"object": "error", "error": {"message": "out of memory"}}), "out of memory"),
        ((413, {"error": "batch size 2 > maximum allowed batch size 1", "error_type": "Validation"}), "batch size 2"),
        ((424, {"message": "Inference failed", "code": 424, "type": "Backend"}), "424.*Inference failed"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_one_clear_sentence(vllm, reply, sentence):
    remote = embedder(vllm)
    vllm.reply = lambda path, body: reply
    with pytest.raises(InputError, match=sentence) as failed:
        remote.encode(["a", "b"])
    assert vllm.host in str(failed.value)


def test_the_model_is_found_or_must_be_named(vllm):
    vllm.models = ["a", "b"]
    with pytest.raises(InputError, match="several models: a, b"):
        connect_embedder(vllm.url)
    connect_embedder(vllm.url, "b").encode(["x"])
    assert {body["model"] for body in vllm.posted("/v1/embeddings")} == {"b"}
    vllm.reply = lambda path, body: None if path == "/v1/embeddings" else (404, {"detail": "Not Found"})
    with pytest.raises(InputError, match="does not say which model"):
        connect_embedder(vllm.url)
    assert connect_embedder(vllm.url, "mine").provenance.attention == "other"
    vllm.reply = lambda path, body: (401, {"error": "Unauthorized"})
    vllm.paths.clear()
    with pytest.raises(InputError, match="401"):
        connect_embedder(vllm.url, "mine")
    assert vllm.paths == ["/v1/models"]


def test_the_key_comes_from_the_argument_or_the_variable_that_was_named(vllm, monkeypatch):
    monkeypatch.setenv("EXPLORER_SERVER_KEY", "sk-usual")
    monkeypatch.setenv("MINE", "sk-mine")
    for options in (
        {},
        {"key_variable": "MINE"},
        {"key": "sk-given"},
        {"key": ""},
        {"key_variable": "UNSET"},
    ):
        remote = connect_embedder(vllm.url, **options)
        assert "sk-" not in repr(remote)
    assert [sent.get("Authorization") for sent in vllm.headers[::2]] == [
        "Bearer sk-usual", "Bearer sk-mine", "Bearer sk-given", None, None,
    ]  # fmt: skip

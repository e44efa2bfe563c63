"""Requests go to the host that was named and nowhere else, are tried again, and fail with one sentence."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Iterator

import pytest
from model_server import ModelServer, running

from explorer.engine.server import Server, server_key
from explorer.errors import InputError

KEY = "sk-very-secret-1234"


@pytest.fixture
def served() -> Iterator[ModelServer]:
    with running("vllm") as server:
        yield server


def client(served: ModelServer, **options) -> Server:
    return Server(served.url, **{"wait": lambda seconds: None, "timeout": 10.0} | options)


@pytest.mark.parametrize(
    "end", ["", "/", "/v1", "/v1/", "/v1/embeddings", "/v1/rerank", "/rerank", "/v1/models", "/info"]
)
def test_the_address_is_completed(served, end):
    Server(served.url + end).ask("/v1/models")
    Server(f"{served.url}/behind/proxy{end}").send("/v1/models")
    assert served.paths == ["/v1/models", "/behind/proxy/v1/models"]


def test_no_proxy_of_the_environment_is_used(served, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert client(served).ask("/v1/models")["object"] == "list"


def test_a_passing_failure_is_tried_again_after_a_growing_pause(served):
    replies = iter([(500, b"broken"), (429, b""), (503, b""), (200, {"fine": 1})])
    served.reply = lambda path, body: next(replies)
    pauses: list[float] = []
    assert client(served, wait=pauses.append).ask("/x", {}) == {"fine": 1}
    assert pauses == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("asked", "waited"), [("7", 7.0), ("9999", 30.0), ("nan", 1.0), ("-5", 1.0), ("٣", 1.0)]
)
def test_the_pause_that_the_server_asks_for_is_kept_within_reason(served, asked, waited):
    served.headers_sent = {"Retry-After": asked} if asked.isascii() else {}
    replies = iter([(429, b""), (200, {})])
    served.reply = lambda path, body: next(replies)
    pauses: list[float] = []
    client(served, wait=pauses.append).ask("/x", {})
    assert pauses == [waited]


def test_a_lasting_failure_and_a_refusal_are_told(served):
    served.reply = lambda path, body: (503, {"error": "Model is overloaded", "error_type": "Overloaded"})
    with pytest.raises(InputError, match=r"HTTP status 503\): Model is overloaded"):
        client(served, tries=3).ask("/x", {})
    assert len(served.bodies) == 3
    served.reply = lambda path, body: (401, b"")
    with pytest.raises(InputError, match=r"HTTP status 401\): Unauthorized"):
        client(served).ask("/x", {})
    assert len(served.bodies) == 4


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            {"error": {"message": "The model `m` does not exist.", "code": 404}},
            "The model `m` does not exist",
        ),
        ({"object": "error", "message": "Query cannot be empty"}, "Query cannot be empty"),
        (
            {"error": "`inputs` must\nhave less than 512 tokens", "error_type": "Validation"},
            "must have less than",
        ),
        ({"detail": "Not Found"}, "Not Found"),
        ({"detail": [{"loc": ["body"]}]}, "Bad Request"),
        ([], "Bad Request"),
    ],
)
def test_the_servers_own_reason_is_repeated(served, body, reason):
    served.reply = lambda path, sent: (400, body)
    with pytest.raises(InputError, match=reason) as failed:
        client(served).ask("/x", {})
    assert "\n" not in str(failed.value)


def test_an_error_object_is_an_error_also_with_status_200(served):
    served.reply = lambda path, body: (200, {"error": {"message": "engine died"}})
    with pytest.raises(InputError, match="engine died"):
        client(served).ask("/x", {})


@pytest.mark.parametrize("garbage", [b"", b"<html>", b"\xff\xfe", b"3", b'"text"', b"[" * 100_000])
def test_what_is_no_json_is_told(served, garbage):
    served.reply = lambda path, body: (200, garbage)
    with pytest.raises(InputError, match="something else"):
        client(served).ask("/x", {})


@pytest.mark.parametrize("target", ["http://elsewhere.invalid/v1", "/elsewhere", "http://[::1"])
def test_a_redirection_is_not_followed_with_texts_and_key(served, target):
    served.headers_sent = {"Location": target}
    served.reply = lambda path, body: (307, b"")
    with pytest.raises(InputError, match=r"sends on to .*307") as failed:
        client(served, key=KEY).ask("/x", {})
    assert target in str(failed.value)
    assert served.paths == ["/x"]


def test_an_endless_answer_is_cut_off(served, monkeypatch):
    monkeypatch.setattr("explorer.engine.server._MOST_BYTES", 1_000)
    served.reply = lambda path, body: (200, b"[" + b" " * 2_000 + b"]")
    with pytest.raises(InputError, match="more than"):
        client(served).ask("/x", {})


def test_a_silent_server_is_given_up(served):
    released = threading.Event()
    served.reply = lambda path, body: (released.wait(30), (200, {}))[1]
    try:
        with pytest.raises(InputError, match="does not answer"):
            client(served, timeout=0.1, tries=2).ask("/x", {})
    finally:
        released.set()
    assert len(served.paths) == 2


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://a..b", "https://{host}"])
def test_nobody_there_is_told(served, address):
    with pytest.raises(InputError, match="does not answer"):
        Server(address.format(host=served.host), tries=1).ask("/x")


def test_a_lone_surrogate_is_replaced_and_a_pair_is_kept(served):
    served.reply = lambda path, body: (200, {})
    client(served).ask("/x", {"text": "a \ud800 b \U0001f600 \ud83d\ude00 北"})
    assert served.bodies == [{"text": "a \ufffd b \U0001f600 \U0001f600 北"}]


@pytest.mark.parametrize(
    "reply", [(401, {"error": f"unknown key {KEY}"}), (500, b""), (200, b"garbage"), (302, b"")]
)
def test_the_key_is_sent_and_never_shown(served, reply, caplog):
    served.reply = lambda path, body: reply
    served.headers_sent = {"Location": f"http://elsewhere.invalid/?{KEY}"}
    server = client(served, key=server_key({"MY_KEY": f" {KEY}\n"}, "MY_KEY"))
    with caplog.at_level(logging.DEBUG), pytest.raises(InputError) as failed:
        server.ask("/x", {})
    assert served.headers[0]["Authorization"] == f"Bearer {KEY}"
    error = failed.value
    shown = [
        *traceback.format_exception(error),
        error.text("zh"),
        repr(vars(error)),
        repr(server),
        caplog.text,
    ]
    assert KEY not in "".join(shown)


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_sent_is_refused_unseen(key):
    with pytest.raises(InputError, match="key") as refused:
        Server("http://localhost", key)
    assert key not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    ["", "localhost:8000", "ftp://localhost", "file:///etc/passwd", "http://", "http://user:word@localhost/v1",
     "http://localhost:port", "http://localhost:99999", "http://[::1", "http://localhost/v1?key=1", "http://a b/v1",
     "http://localhost/\nv1", "http://ex\u00e4mple"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(InputError, match="address"):
        Server(address)


def test_results_are_put_in_order_one_for_each_text():
    server = Server("http://localhost")
    assert server.one_each("/x", [{"index": 1}, {"index": 0}], 2) == [{"index": 0}, {"index": 1}]
    for items in ([{"index": 0}], [{"index": 0}] * 2, [{"index": 0}, {"index": 2}], [{"index": 0}, {}],
                  [{"index": 0}, {"index": True}], [{"index": 0}, {"index": 1}, {"index": 1}]):  # fmt: skip
        with pytest.raises(InputError, match="sent 2 texts"):
            server.one_each("/x", items, 2)
    for items in (None, {}, "ab", [1, 2]):
        with pytest.raises(InputError, match="something else"):
            server.one_each("/x", items, 2)

"""The client of an OpenAI-compatible server, against a real one on this machine."""

from __future__ import annotations

import json
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from explorer.engine.server import server_key
from explorer.errors import InputError
from explorer.training.synthesis.documents import SourceDocument
from explorer.training.synthesis.plan import SynthesisPlan
from explorer.training.synthesis.run import synthesize
from explorer.training.synthesis.server import ServerModel

KEY = "sk-very-secret-1234"


class Server:
    """Answers each request by a function of its body: (status, bytes), and remembers what it was sent."""

    def __init__(self) -> None:
        self.reply: Callable[[dict[str, Any]], tuple[int, bytes]] = lambda body: completion("fine")
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.location = ""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.bodies.append(body)
                outer.headers.append(dict(self.headers))
                outer.paths.append(self.path)
                status, answer = outer.reply(body)
                try:
                    self.send_response(status)
                    if outer.location:
                        self.send_header("Location", outer.location)
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    pass  # the client has given up

            def log_message(self, format: str, *values: object) -> None:
                """Say nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_address[1]}"


def completion(text: str | None) -> tuple[int, bytes]:
    return 200, json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()
    thread.join()


def client(server: Server, **options) -> ServerModel:
    return ServerModel(server.address, "qwen3", **{"wait": lambda seconds: None, "timeout": 10.0} | options)


def test_each_prompt_is_asked_once_and_answered_in_order(server):
    server.reply = lambda body: completion(body["messages"][0]["content"].upper())
    prompts = [f"prompt {number}" for number in range(9)]
    assert client(server).generate(prompts, 40, 7) == [prompt.upper() for prompt in prompts]
    assert {path for path in server.paths} == {"/v1/chat/completions"}
    assert sorted(body["seed"] for body in server.bodies) == list(range(7, 16))
    body = server.bodies[0]
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("qwen3", 40, 0.7)
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/", "/v1/chat/completions"])
def test_the_address_is_completed(server, end):
    assert ServerModel(server.address + end, "m").generate(["p"], 5, 0) == ["fine"]
    assert server.paths == ["/v1/chat/completions"]


def test_thoughts_and_missing_content_are_no_answers(server):
    server.reply = lambda body: completion("<think>hm</think>\n\nyes")
    assert client(server).generate(["p"], 5, 0) == ["yes"]
    server.reply = lambda body: completion(None)
    assert client(server).generate(["p"], 5, 0) == [""]
    assert client(server).generate([], 5, 0) == []


def test_a_passing_failure_is_tried_again_after_a_growing_pause(server):
    replies = iter([(500, b"broken"), (429, b""), completion("at last")])
    server.reply = lambda body: next(replies)
    pauses: list[float] = []
    assert client(server, wait=pauses.append).generate(["p"], 5, 0) == ["at last"]
    assert pauses == [1.0, 2.0]


def test_a_lasting_failure_is_told_with_its_status(server):
    server.reply = lambda body: (500, b"broken")
    with pytest.raises(InputError, match=r"127\.0\.0\.1:\d+ refused .* 500"):
        client(server).generate(["p"], 5, 0)
    assert len(server.bodies) == 3


def test_a_refusal_is_not_repeated(server):
    server.reply = lambda body: (401, b"who are you")
    with pytest.raises(InputError, match="401"):
        client(server).generate(["p"], 5, 0)
    assert len(server.bodies) == 1


def test_a_server_that_knows_no_template_settings_is_asked_without(server):
    server.reply = lambda body: (
        (400, b"unknown field") if "chat_template_kwargs" in body else completion("ok")
    )
    model = client(server)
    assert model.generate(["p"], 5, 0) == ["ok"]
    assert model.generate(["q"], 5, 0) == ["ok"]
    assert ["chat_template_kwargs" in body for body in server.bodies] == [True, False, False]
    assert client(server, parallel=4).generate(list("abcdefgh"), 5, 0) == ["ok"] * 8


def test_one_prompt_that_is_refused_for_itself_does_not_turn_the_settings_off(server):
    server.reply = lambda body: (400, b"too long") if body["seed"] == 1 else completion("ok")
    model = client(server, parallel=1)
    with pytest.raises(InputError, match="400"):
        model.generate(["p", "long"], 5, 0)
    model.generate(["p"], 5, 0)
    assert "chat_template_kwargs" in server.bodies[-1]


@pytest.mark.parametrize(
    "garbage",
    [b"", b"<html>", b"\xff\xfe", b"[]", b"{}", b'{"choices": []}', b'{"choices": [{"message": {"content": 3}}]}',
     b'{"choices": [{"text": "old interface"}]}', b"[" * 100_000],
)  # fmt: skip
def test_an_answer_that_is_no_completion_is_told(server, garbage):
    server.reply = lambda body: (200, garbage)
    with pytest.raises(InputError, match="no chat completion"):
        client(server).generate(["p"], 5, 0)


def test_a_silent_server_is_given_up(server):
    released = threading.Event()
    server.reply = lambda body: (released.wait(30), completion("too late"))[1]
    try:
        with pytest.raises(InputError, match="does not answer"):
            client(server, timeout=0.2, tries=2).generate(["p"], 5, 0)
    finally:
        released.set()
    assert len(server.bodies) == 2


def test_nobody_there_is_told(server):
    gone = client(server)
    server.http.server_close()
    with pytest.raises(InputError, match="does not answer"):
        gone.generate(["p"], 5, 0)


def test_a_redirection_is_not_followed_with_the_key(server):
    server.location = f"{server.address}/elsewhere"
    server.reply = lambda body: (302, b"")
    with pytest.raises(InputError, match="302"):
        client(server, key=KEY).generate(["p"], 5, 0)
    assert server.paths == ["/v1/chat/completions"]


@pytest.mark.parametrize("reply", [(401, b""), (500, b""), (200, b"garbage"), (302, b"")])
def test_the_key_is_sent_and_never_shown(server, reply, caplog):
    server.reply = lambda body: reply
    model = client(server, key=server_key({"EXPLORER_SERVER_KEY": f" {KEY}\n"}))
    with caplog.at_level(logging.DEBUG), pytest.raises(InputError) as failed:
        model.generate(["p"], 5, 0)
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    error = failed.value
    shown = "".join(
        [*traceback.format_exception(error), error.text("zh"), repr(vars(error)), repr(model), caplog.text]
    )
    assert KEY not in shown


def test_without_the_variable_there_is_no_key():
    assert server_key({}) == ""


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_sent_is_refused_unseen(key):
    with pytest.raises(InputError, match="EXPLORER_SERVER_KEY") as refused:
        ServerModel("http://localhost", "m", key)
    assert key not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    ["", "localhost:8000", "ftp://localhost", "file:///etc/passwd", "http://", "http://user:word@localhost/v1",
     "http://localhost:port", "http://localhost:99999", "http://[::1", "http://localhost/v1?key=1", "http://a b/v1",
     "http://localhost/\nv1", "http://ex\u00e4mple"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(InputError, match="address"):
        ServerModel(address, "m")


def test_pairs_through_a_server_say_so(server):
    server.reply = lambda body: completion('{"query": "why do stars twinkle"}')
    document = SourceDocument("Stars twinkle because air bends their light.")
    *_, last = synthesize([document] * 3, client(server), SynthesisPlan())
    provenances = {(pair.provenance.generator, pair.provenance.model) for pair in last.partial.pairs}
    assert provenances == {("server", "qwen3")}
    assert len(server.bodies) == 6


def test_prompts_are_under_way_together(server):
    together = threading.Barrier(3)
    server.reply = lambda body: (together.wait(10), completion("ok"))[1]
    assert client(server, parallel=3).generate(["a", "b", "c"], 5, 0) == ["ok"] * 3

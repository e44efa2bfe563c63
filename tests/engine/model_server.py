"""A real HTTP server in this process that answers in the forms of vLLM 0.32, SGLang 0.5 and TEI 1.7.

Its "model" gives each exact string a vector and each exact pair a score of its own, so that a test sees what was read.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

WIDTH = 12
Reply = tuple[int, Any]


def vector_of(text: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
    return (3 * np.random.default_rng(seed).normal(size=WIDTH)).astype(np.float32)


def unit_of(text: str) -> np.ndarray:
    vector = vector_of(text)
    return vector / np.linalg.norm(vector)


def log_odds_of_pair(query: str, document: str) -> float:
    return float(vector_of(query + document)[0])


class ModelServer:
    """Answers like a kind of server, unless a test sets ``reply``, and remembers what it was sent."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.reply: Callable[[str, Any], Reply | None] = lambda path, body: None
        self.headers_sent: dict[str, str] = {}
        self.paths: list[str] = []
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.models = ["Qwen/Qwen3"]
        self.template = False
        self.cosines = False
        self.under_way = 0
        self.most_under_way = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(None)

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def _answer(self, body: Any) -> None:
                with outer._lock:
                    outer.paths.append(self.path)
                    outer.bodies.append(body)
                    outer.headers.append(dict(self.headers))
                    outer.under_way += 1
                    outer.most_under_way = max(outer.most_under_way, outer.under_way)
                try:
                    status, answer = outer.reply(self.path, body) or outer.usual(self.path, body)
                    raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                    self.send_response(status)
                    for name, value in outer.headers_sent.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(raw)
                except OSError:
                    pass  # the client has given up
                finally:
                    with outer._lock:
                        outer.under_way -= 1

            def log_message(self, format: str, *values: object) -> None:
                """Say nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.http.server_address[1]}"
        self.url = f"http://{self.host}"

    def posted(self, path: str) -> list[Any]:
        return [body for at, body in zip(self.paths, self.bodies, strict=True) if at == path]

    def usual(self, path: str, body: Any) -> Reply:
        if path == "/v1/models" and self.kind != "tei":
            about = {"object": "model", "owned_by": self.kind, "max_model_len": 2048}
            return 200, {"object": "list", "data": [{"id": name} | about for name in self.models]}
        if path == "/info" and self.kind == "tei":
            kind = {"embedding": {"pooling": "last_token"}}
            about = {
                "model_id": self.models[0],
                "model_dtype": "float32",
                "model_type": kind,
                "version": "1.7.1",
            }
            return 200, about | {"max_client_batch_size": 16, "max_input_length": 2048}
        if path == "/v1/embeddings":
            return 200, self._embeddings(body)
        if path == ("/rerank" if self.kind == "tei" else "/v1/rerank"):
            return 200, self._ranks(body)
        return 404, b"" if self.kind == "tei" else {"detail": "Not Found"}

    def _embeddings(self, body: Any) -> Any:
        plain = self.kind == "sglang" or body["encoding_format"] != "base64"
        data = []
        for index, text in enumerate(body["input"]):
            vector = vector_of(text)
            shown = vector.tolist() if plain else base64.b64encode(vector.astype("<f4").tobytes()).decode()
            data.append({"object": "embedding", "index": index, "embedding": shown})
        random.Random(0).shuffle(data)
        usage = {"prompt_tokens": 3, "total_tokens": 3}
        return {"id": "embd-1", "object": "list", "model": self.models[0], "data": data, "usage": usage}

    def _ranks(self, body: Any) -> Any:
        documents = body["texts" if self.kind == "tei" else "documents"]
        scores = []
        for document in documents:
            if self.cosines:
                scores.append(float(unit_of(body["query"]) @ unit_of(document)))
                continue
            log_odds = log_odds_of_pair(body["query"], document)
            scores.append(log_odds if body.get("raw_scores") else 1 / (1 + np.exp(-log_odds)))
        order = np.argsort(scores)[::-1].tolist()
        if self.kind != "vllm":
            return [{"index": index, "score": scores[index]} for index in order]
        results = [
            {"index": index, "document": {"text": documents[index]}, "relevance_score": scores[index]}
            for index in order
        ]
        tokens = len(documents) * (90 if self.template else 2)
        return {"id": "score-1", "model": self.models[0], "results": results,
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}  # fmt: skip


@contextmanager
def running(kind: str) -> Iterator[ModelServer]:
    server = ModelServer(kind)
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        server.http.server_close()
        thread.join()

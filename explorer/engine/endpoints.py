"""What goes over the wire: the embedding and rerank endpoints of vLLM, SGLang and text-embeddings-inference.

vLLM and SGLang follow OpenAI for ``/v1/embeddings`` and Cohere and Jina for ``/v1/rerank``, of which SGLang answers
with the bare list; text-embeddings-inference has ``/v1/embeddings`` too, and ``/rerank`` in a form of its own.
"""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray

from explorer.engine.served_model import ServedModel
from explorer.engine.server import Server
from explorer.engine.vectors import Vectors
from explorer.errors import InputError

MOST_CHARACTERS = 400_000
"""Characters of one request: 1.2 MB of Chinese, below the 2 MB that text-embeddings-inference accepts by default."""

_EMBEDDINGS = "/v1/embeddings"
_RERANK = "/v1/rerank"
_TEI_RERANK = "/rerank"


def request_vectors(server: Server, model: ServedModel, texts: list[str]) -> Vectors:
    """Embed texts by one request to ``/v1/embeddings``.

    Args:
        server: The server.
        model: What it serves.
        texts: Exactly what the model reads, at least one.

    Returns:
        Unit rows, float32 [n, d], in the order of the texts.

    Raises:
        InputError: The server fails, or its answer is not one finite vector of equal length for each text.
    """
    # base64 takes a quarter of the bytes of decimal numbers; a server that does not know it answers with numbers.
    request: dict[str, object] = {"model": model.name, "input": texts, "encoding_format": "base64"}
    if model.kind == "vllm":
        request["truncate_prompt_tokens"] = -1
    answer = server.ask(_EMBEDDINGS, request)
    items = server.one_each(_EMBEDDINGS, answer.get("data") if isinstance(answer, dict) else None, len(texts))
    try:
        rows = [_row(item.get("embedding")) for item in items]
    except (ValueError, TypeError) as error:
        raise InputError("server.answer", server=server.host, path=_EMBEDDINGS) from error
    for row in rows:
        if row.shape != rows[0].shape:
            raise InputError("server.dimensions", server=server.host, got=row.size, wanted=rows[0].size)
    vectors = np.stack(rows)
    if not np.isfinite(vectors).all():
        raise InputError("server.not_finite", server=server.host)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit


def request_scores(
    server: Server, model: ServedModel, query: str, documents: list[str], fields: dict[str, str]
) -> tuple[NDArray[np.float64], int]:
    """Judge documents by one request to the rerank endpoint.

    Args:
        server: The server.
        model: What it serves; text-embeddings-inference has an endpoint of its own form.
        query: Exactly what the server is to read.
        documents: Exactly what the server is to read, at least one.
        fields: Further fields of the request.

    Returns:
        The server's scores, float64 [n], in the order of the documents: P(yes), or log-odds of
        text-embeddings-inference; and the tokens it read in all, 0 when it does not say.

    Raises:
        InputError: The server fails, or its answer is not one finite score for each document.
    """
    if model.kind == "tei":
        path = _TEI_RERANK
        answer = server.ask(path, {"query": query, "texts": documents, "raw_scores": True})
    else:
        path = _RERANK
        request = {"model": model.name, "query": query, "documents": documents, "return_documents": False}
        answer = server.ask(path, request | fields)
    items = server.one_each(
        path, answer.get("results") if isinstance(answer, dict) else answer, len(documents)
    )
    scores = [item.get("relevance_score", item.get("score")) for item in items]
    if not all(isinstance(score, int | float) for score in scores):
        raise InputError("server.answer", server=server.host, path=path)
    found = np.array(scores, dtype=np.float64)
    if not np.isfinite(found).all():
        raise InputError("server.not_finite", server=server.host)
    usage = answer.get("usage") if isinstance(answer, dict) else None
    tokens = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    return found, tokens if isinstance(tokens, int) else 0


def _row(embedding: object) -> Vectors:
    """Read one vector, from base64 or from numbers, float32 [d]."""
    if isinstance(embedding, str):
        row = np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4").astype(np.float32)
    else:
        with np.errstate(over="ignore"):  # what overflows becomes infinite, and is told as such
            row = np.asarray(embedding, dtype=np.float32)
    if row.ndim != 1 or row.size == 0:
        raise ValueError("not a vector")
    return row

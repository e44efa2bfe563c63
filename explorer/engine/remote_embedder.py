"""Texts to vectors by a server that already runs: vLLM, SGLang, text-embeddings-inference or the like."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from explorer.engine.endpoints import MOST_CHARACTERS, request_vectors
from explorer.engine.in_flight import in_order, text_batches
from explorer.engine.prompts import embedding_query
from explorer.engine.served_model import ServedModel, find_model
from explorer.engine.server import KEY_VARIABLE, Server, server_key
from explorer.engine.vectors import EmbeddedBatch, Embeddings, Vectors, checked_dimensions, collect_embeddings
from explorer.errors import InputError
from explorer.progress import CancelToken, ProgressCallback
from explorer.provenance import Provenance


class RemoteEmbedder:
    """An embedding model behind a server, with the verbs of :class:`explorer.engine.embedder.Embedder`.

    Instructions are put around queries here, by the official recipe; vectors are cut to fewer dimensions and scaled to
    length one here. What the server does with a text cannot be seen from here, so these numbers are only as good as
    its settings:

    - the server's tokenizer must end each text with ``<|endoftext|>``, as the published ones do, save their first
      revisions;
    - number format and kernels are the server's: bfloat16 moves cosines in the third decimal, and the same text may
      get other last digits in another batch;
    - a text that is too long is cut at its end by vLLM, which is asked to; text-embeddings-inference cuts it when
      started with ``--auto-truncate``; otherwise it is refused with an error. Lengths in tokens, and how much was
      cut, are not known and given as 0.

    Args:
        server: The server.
        model: What it serves.
        dimensions: Full dimension of the vectors.
        texts_per_request: Texts that one request holds at most; None for what the server is known to take.
        parallel: Requests under way at once.
    """

    def __init__(
        self,
        server: Server,
        model: ServedModel,
        dimensions: int,
        *,
        texts_per_request: int | None = None,
        parallel: int = 8,
    ) -> None:
        """Remember the server; nothing is sent yet."""
        self._server = server
        self._model = model
        self._texts_per_request = texts_per_request or model.most_texts
        self._parallel = parallel
        self.dimensions = dimensions

    @property
    def max_length(self) -> int:
        """Longest input in tokens; 0 where the server does not say."""
        return self._model.max_length

    @property
    def provenance(self) -> Provenance:
        """What must stand beside every number."""
        return self._model.provenance("embedding")

    def encode(
        self,
        texts: str | Sequence[str],
        instruction: str | None = None,
        dimensions: int | None = None,
        *,
        progress: ProgressCallback | None = None,
        cancel: CancelToken | None = None,
    ) -> Vectors:
        """Embed texts.

        Args:
            texts: One text or many.
            instruction: The task, which makes the texts queries; None for documents.
            dimensions: How many leading dimensions to keep before the rows are scaled to length one; None for all.
            progress: Called with (texts done, texts in all).
            cancel: Stops at once.

        Returns:
            Unit rows, float32 [n, d], in the order of the texts.

        Raises:
            InputError: ``dimensions`` is out of range, or the server fails; the message says how.
            Cancelled: The person asked to stop.
        """
        return self.embed(texts, instruction, dimensions, progress=progress, cancel=cancel).vectors

    def embed(
        self,
        texts: str | Sequence[str],
        instruction: str | None = None,
        dimensions: int | None = None,
        *,
        progress: ProgressCallback | None = None,
        cancel: CancelToken | None = None,
    ) -> Embeddings:
        """Embed texts and report provenance with the vectors.

        Args:
            texts: One text or many.
            instruction: The task, which makes the texts queries; None for documents.
            dimensions: How many leading dimensions to keep; None for all.
            progress: Called with (texts done, texts in all).
            cancel: Stops at once.

        Returns:
            The vectors and what must be said beside them; lengths in tokens are 0, not known.

        Raises:
            InputError: ``dimensions`` is out of range, or the server fails; the message says how.
            Cancelled: The person asked to stop.
        """
        texts = [texts] if isinstance(texts, str) else list(texts)
        kept = checked_dimensions(dimensions, self.dimensions)
        batches = self.stream(texts, instruction, cancel=cancel)
        return collect_embeddings(batches, len(texts), kept, instruction, self.provenance, progress)

    def stream(
        self, texts: Sequence[str], instruction: str | None = None, *, cancel: CancelToken | None = None
    ) -> Iterator[EmbeddedBatch]:
        """Embed texts and give each request's vectors, in order, as soon as they are there.

        Args:
            texts: Many texts.
            instruction: The task, which makes the texts queries; None for documents.
            cancel: Stops at once.

        Yields:
            Batches that together hold every text once, with vectors of full dimension.

        Raises:
            InputError: The server fails; the message says how.
            Cancelled: The person asked to stop.
        """
        return self._batches(texts, len(texts), instruction, cancel)

    def stream_in_order(
        self, texts: Iterable[str], instruction: str | None = None, *, cancel: CancelToken | None = None
    ) -> Iterator[EmbeddedBatch]:
        """Embed any number of texts in bounded memory, and give them back in their order.

        Args:
            texts: Read no further ahead than what is under way.
            instruction: The task, which makes the texts queries; None for documents.
            cancel: Stops at once.

        Yields:
            Neighbouring texts, with vectors of full dimension; ``total`` is 0, since the end is not known.

        Raises:
            InputError: The server fails; the message says how.
            Cancelled: The person asked to stop.
        """
        return self._batches(texts, 0, instruction, cancel)

    def _batches(
        self, texts: Iterable[str], total: int, instruction: str | None, cancel: CancelToken | None
    ) -> Iterator[EmbeddedBatch]:
        """Send batches and number what comes back."""
        if instruction is not None:
            texts = (embedding_query(instruction, text) for text in texts)
        batches = text_batches(texts, self._texts_per_request, MOST_CHARACTERS)
        done = 0
        for vectors in in_order(batches, self._ask, self._parallel, cancel):
            indices = np.arange(done, done + len(vectors))
            done += len(vectors)
            unknown = np.zeros(len(vectors), dtype=np.int64)
            yield EmbeddedBatch(done, total, indices, vectors, unknown, unknown)

    def _ask(self, texts: list[str]) -> Vectors:
        """Embed the texts of one request, [n, d]."""
        vectors = request_vectors(self._server, self._model, texts)
        if vectors.shape[1] != self.dimensions:
            raise InputError(
                "server.dimensions", server=self._server.host, got=vectors.shape[1], wanted=self.dimensions
            )
        return vectors


def connect_embedder(
    url: str,
    model: str | None = None,
    *,
    key: str | None = None,
    key_variable: str = KEY_VARIABLE,
    timeout: float = 120.0,
    texts_per_request: int | None = None,
    parallel: int = 8,
) -> RemoteEmbedder:
    """Use an embedding model that a running server serves. One short text is sent, to learn the dimension.

    Args:
        url: Address of the server, for instance ``"http://localhost:8000/v1"``. Nothing is sent anywhere else.
        model: The server's name for the model; None when it serves only one.
        key: Sent as a bearer token; None to take it from the environment.
        key_variable: Environment variable that holds the key, if there is one.
        timeout: Seconds without a word from the server after which a try is given up.
        texts_per_request: Texts that one request holds at most; None for what the server is known to take.
        parallel: Requests under way at once.

    Returns:
        The model, ready to encode.

    Raises:
        InputError: The address cannot be used, or the server fails; the message says how.
    """
    token = server_key(os.environ, key_variable) if key is None else key
    server = Server(url, token, timeout=timeout)
    served = find_model(server, model)
    dimensions = request_vectors(server, served, ["dimensions"]).shape[1]
    return RemoteEmbedder(server, served, dimensions, texts_per_request=texts_per_request, parallel=parallel)

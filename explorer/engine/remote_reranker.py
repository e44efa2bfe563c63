"""Pairs of query and document to scores by a server that already runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from explorer.engine.endpoints import MOST_CHARACTERS, request_scores
from explorer.engine.in_flight import in_order, text_batches
from explorer.engine.prompts import DEFAULT_INSTRUCTION, RerankTemplate, form_of
from explorer.engine.scores import RerankScores, ScoredBatch, Scores, collect_scores, logistic
from explorer.engine.served_model import ServedModel, ServerKind, find_model
from explorer.engine.server import KEY_VARIABLE, Server, server_key
from explorer.errors import InputError
from explorer.progress import CancelToken, ProgressCallback
from explorer.provenance import Provenance

Prompts = Literal["client", "server"]
"""Who writes the official prompt around query and document."""

LARGEST_PROBABILITY = 1 - 2.0**-24
"""The largest float32 below 1; its log-odds are 16.6."""

_DOCUMENT = "<Document>: "
_PROMPT_TOKENS = 60
"""Tokens of two pairs of one word each, with room to spare; the prompt takes more than that around each."""
_INSTRUCTION_FIELD: dict[ServerKind, str] = {"vllm": "instruction", "sglang": "instruct"}


class RemoteReranker:
    """A reranker behind a server, with the verbs of :class:`explorer.engine.reranker.Reranker`.

    vLLM gives its reranker query and document one after the other, with nothing around them, unless it was started
    with a score template (``--chat-template``); a Qwen3-Reranker then answers almost at random. So the official prompt
    is written here and sent in two parts (``prompts="client"``), cut before ``<Document>:`` as in vLLM's example
    ``qwen3_reranker.py``. SGLang always writes the prompt itself, and so does vLLM with a template: there it takes
    ``prompts="server"``. A prompt written twice spoils the scores without an error; :func:`connect_reranker` sees
    which is right by the number of tokens that the server reads.

    How far to trust these numbers: vLLM and SGLang give P(yes), and log-odds are computed from it, so they saturate:
    P(yes) ends at 1 - 2^-24 in float32, log-odds of 16.6, and earlier on a server that rounds to bfloat16 (log-odds
    of 5.5); documents above that tie. Low scores keep their order, down to log-odds of -87, which stands for 0.
    text-embeddings-inference gives log-odds themselves. Number format and kernels are the server's. Pairs that are too
    long are refused, since cutting would take the prompt's end with it. Lengths in tokens are not known and given as 0.

    Args:
        server: The server.
        model: What it serves.
        prompts: Who writes the prompt.
        texts_per_request: Documents that one request holds at most; None for what the server is known to take.
        parallel: Requests under way at once.
    """

    def __init__(
        self,
        server: Server,
        model: ServedModel,
        prompts: Prompts = "client",
        *,
        texts_per_request: int | None = None,
        parallel: int = 8,
    ) -> None:
        """Remember the server; nothing is sent yet."""
        self._server = server
        self._model = model
        self._prompts = prompts
        self._texts_per_request = texts_per_request or model.most_texts
        self._parallel = parallel

    @property
    def provenance(self) -> Provenance:
        """What must stand beside every number."""
        return self._model.provenance("reranker")

    def score(
        self,
        query: str,
        documents: Sequence[str],
        instruction: str | None = None,
        *,
        template: RerankTemplate = "model_card",
        progress: ProgressCallback | None = None,
        cancel: CancelToken | None = None,
    ) -> RerankScores:
        """Judge documents.

        Args:
            query: What is searched for.
            documents: What is judged; may be empty.
            instruction: The task; None for the model card's default.
            template: Which official prompt; the server's own is the model card's.
            progress: Called with (documents done, documents in all).
            cancel: Stops at once.

        Returns:
            Scores in the order of the documents.

        Raises:
            InputError: The server fails, or writes the prompt itself and cannot do what is asked.
            Cancelled: The person asked to stop.
        """
        batches = []
        for batch in self.stream(query, documents, instruction, template=template, cancel=cancel):
            batches.append(batch)
            if progress:
                progress(batch.done, batch.total)
        task = DEFAULT_INSTRUCTION if instruction is None else instruction
        return collect_scores(batches, len(documents), task, template, self.provenance)

    def stream(
        self,
        query: str,
        documents: Sequence[str],
        instruction: str | None = None,
        *,
        template: RerankTemplate = "model_card",
        cancel: CancelToken | None = None,
    ) -> Iterator[ScoredBatch]:
        """Judge documents and give each request's scores, in order, as soon as they are there.

        Args:
            query: What is searched for.
            documents: What is judged.
            instruction: The task; None for the model card's default.
            template: Which official prompt; the server's own is the model card's.
            cancel: Stops at once.

        Yields:
            Batches that together hold every document once.

        Raises:
            InputError: The server fails, or writes the prompt itself and cannot do what is asked.
            Cancelled: The person asked to stop.
        """
        fields: dict[str, str] = {}
        texts: Sequence[str] = documents
        if self._prompts == "client":
            query, texts = _prompted(query, documents, instruction, template)
        else:
            fields = self._instruction_field(instruction, template)
        done = 0
        batches = text_batches(texts, self._texts_per_request, MOST_CHARACTERS)
        for log_odds, probability in in_order(
            batches, lambda batch: self._judge(query, batch, fields), self._parallel, cancel
        ):
            indices = np.arange(done, done + len(log_odds))
            done += len(log_odds)
            unknown = np.zeros(len(log_odds), dtype=np.int64)
            logits = np.stack([np.zeros_like(log_odds), log_odds], axis=1)
            yield ScoredBatch(done, len(documents), indices, logits, log_odds, probability, unknown, unknown)

    def _instruction_field(self, instruction: str | None, template: RerankTemplate) -> dict[str, str]:
        """Name the instruction in the request of a server that writes the prompt."""
        field = _INSTRUCTION_FIELD.get(self._model.kind)
        if template != "model_card" or (instruction is not None and field is None):
            raise InputError("server.prompt_written_there", server=self._server.host)
        return {} if instruction is None or field is None else {field: instruction}

    def _judge(self, query: str, documents: list[str], fields: dict[str, str]) -> tuple[Scores, Scores]:
        """Judge the documents of one request: log-odds and P(yes), each [n]."""
        found, _ = request_scores(self._server, self._model, query, documents, fields)
        if self._model.kind == "tei":
            raw = found.astype(np.float32)
            return raw, logistic(raw)
        outside = found[(found < 0) | (found > 1)]
        if outside.size:
            raise InputError("server.not_probability", server=self._server.host, score=f"{outside[0]:.4g}")
        return log_odds_of(found), found.astype(np.float32)


def connect_reranker(
    url: str,
    model: str | None = None,
    *,
    key: str | None = None,
    key_variable: str = KEY_VARIABLE,
    prompts: Prompts | None = None,
    timeout: float = 120.0,
    texts_per_request: int | None = None,
    parallel: int = 8,
) -> RemoteReranker:
    """Use a reranker that a running server serves. Three short pairs are sent, to see that it is one.

    Args:
        url: Address of the server, for instance ``"http://localhost:8000/v1"``. Nothing is sent anywhere else.
        model: The server's name for the model; None when it serves only one.
        key: Sent as a bearer token; None to take it from the environment.
        key_variable: Environment variable that holds the key, if there is one.
        prompts: Who writes the official prompt; None to see for oneself.
        timeout: Seconds without a word from the server after which a try is given up.
        texts_per_request: Documents that one request holds at most; None for what the server is known to take.
        parallel: Requests under way at once.

    Returns:
        The model, ready to score.

    Raises:
        InputError: The address cannot be used, the model is no reranker, or the server fails; the message says how.
    """
    token = server_key(os.environ, key_variable) if key is None else key
    server = Server(url, token, timeout=timeout)
    served = find_model(server, model)
    seen = _looked_at(server, served)
    return RemoteReranker(
        server, served, prompts or seen, texts_per_request=texts_per_request, parallel=parallel
    )


def log_odds_of(probability: NDArray[np.float64]) -> Scores:
    """Turn probabilities into log-odds, within what float32 can tell apart.

    Args:
        probability: From 0 to 1, float64 [n].

    Returns:
        log(p / (1 - p)), float32 [n], from -87 (for 0) to 16.6 (for 1).
    """
    inside = np.clip(probability, float(np.finfo(np.float32).tiny), LARGEST_PROBABILITY)
    found: Scores = (np.log(inside) - np.log1p(-inside)).astype(np.float32)
    return found


def _prompted(
    query: str, documents: Sequence[str], instruction: str | None, template: RerankTemplate
) -> tuple[str, list[str]]:
    """Write the official prompt in two parts, which the server puts one after the other."""
    form = form_of(template)
    head = form.head(DEFAULT_INSTRUCTION if instruction is None else instruction, query)
    first = form.prefix + head.removesuffix(_DOCUMENT)
    return first, [f"{_DOCUMENT}{document}{form.close}{form.suffix}" for document in documents]


def _looked_at(server: Server, model: ServedModel) -> Prompts:
    """See by three short pairs that the model is a reranker, and who writes its prompt.

    For an embedding model, vLLM's rerank endpoint gives cosines: 1 for equal texts and the same in both directions,
    both of which a reranker does only where it saturates. A prompt that the server writes shows in the tokens it read.
    """
    (same, there), tokens = request_scores(server, model, "water", ["water", "stone"], {})
    (back,), _ = request_scores(server, model, "stone", ["water"], {})
    if same > 1 - 1e-3 > there and abs(there - back) < 1e-6:
        raise InputError("server.not_reranker", server=server.host, model=model.name)
    return "server" if model.kind == "sglang" or tokens > _PROMPT_TOKENS else "client"

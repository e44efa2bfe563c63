"""A served reranker reads exactly the official prompt, written once, and its scores mean what they mean here."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from model_server import ModelServer, log_odds_of_pair, running

from explorer import connect_reranker
from explorer.engine.prompts import DEFAULT_INSTRUCTION, FORMS
from explorer.engine.remote_reranker import RemoteReranker, log_odds_of
from explorer.engine.scores import logistic
from explorer.engine.served_model import find_model
from explorer.engine.server import Server
from explorer.errors import InputError

QUERY = "how long do eggs keep? <Document>: "
DOCUMENTS = [f" document {number}: 北京\n" for number in range(40)] + [""]


@pytest.fixture(params=["vllm", "tei"])
def served(request) -> Iterator[ModelServer]:
    with running(request.param) as server:
        yield server


@pytest.fixture
def vllm() -> Iterator[ModelServer]:
    with running("vllm") as server:
        yield server


@pytest.fixture
def sglang() -> Iterator[ModelServer]:
    with running("sglang") as server:
        yield server


def prompt(document: str, instruction: str, template: str) -> str:
    """The whole string that the model reads, as in :mod:`explorer.engine.tokens`."""
    form = FORMS[template]
    return form.prefix + form.head(instruction, QUERY) + document + form.close + form.suffix


@pytest.mark.parametrize("template", ["model_card", "evaluation"])
@pytest.mark.parametrize("instruction", [None, "Find what contradicts"])
def test_scores_are_those_of_the_exact_prompts_in_order(served, template, instruction):
    scores = connect_reranker(served.url).score(QUERY, DOCUMENTS, instruction, template=template)
    task = instruction or DEFAULT_INSTRUCTION
    expected = [log_odds_of_pair(prompt(document, task, template), "") for document in DOCUMENTS]
    assert np.allclose(scores.log_odds, expected, atol=1e-4)
    assert np.allclose(scores.probability, logistic(np.array(expected, np.float32)), atol=1e-6)
    assert scores.log_odds.dtype == scores.probability.dtype == np.float32
    assert (scores.instruction, scores.template) == (task, template)
    assert (scores.provenance.family, scores.provenance.device) == ("reranker", "server")


def test_the_prompt_is_cut_before_the_document_mark(vllm):
    connect_reranker(vllm.url).score(QUERY, ["a"])
    body = vllm.posted("/v1/rerank")[-1]
    assert body["query"].endswith(f"<Query>: {QUERY}\n")
    assert body["documents"] == ["<Document>: a<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"]


def test_sglang_writes_the_prompt_itself(sglang):
    remote = connect_reranker(sglang.url)
    scores = remote.score("q", ["b", "a"], "Find what contradicts")
    assert np.allclose(scores.log_odds, [log_odds_of_pair("q", text) for text in "ba"], atol=1e-4)
    remote.score("q", ["a"])
    named, plain = sglang.posted("/v1/rerank")[-2:]
    assert named["instruct"] == "Find what contradicts"
    assert plain == {"model": "Qwen/Qwen3", "query": "q", "documents": ["a"], "return_documents": False}
    with pytest.raises(InputError, match="writes the reranker's prompt itself"):
        remote.score("q", ["a"], template="evaluation")


def test_a_vllm_with_a_template_is_noticed_and_sent_the_bare_pair(vllm):
    vllm.template = True
    connect_reranker(vllm.url).score("q", ["a"], "Find what contradicts")
    body = vllm.posted("/v1/rerank")[-1]
    assert (body["query"], body["documents"], body["instruction"]) == ("q", ["a"], "Find what contradicts")
    connect_reranker(vllm.url, prompts="client").score("q", ["a"])
    assert vllm.posted("/v1/rerank")[-1]["query"].startswith("<|im_start|>system")


def test_a_server_without_a_field_for_it_takes_no_instruction():
    with running("tei") as tei:
        remote = connect_reranker(tei.url, prompts="server")
        remote.score("q", ["a"])
        with pytest.raises(InputError, match="takes no instruction"):
            remote.score("q", ["a"], "Find what contradicts")


def test_an_embedding_model_is_not_taken_for_a_reranker(vllm):
    vllm.cosines = True
    with pytest.raises(InputError, match="it is an embedding model"):
        connect_reranker(vllm.url)


def test_a_reranker_that_saturates_is_not_taken_for_an_embedding_model(vllm):
    vllm.reply = lambda path, body: (
        (200, [{"index": at, "score": 1 - 1e-7} for at in range(len(body["documents"]))]) if body else None
    )
    assert connect_reranker(vllm.url).score("q", ["a"]).log_odds[0] > 16


def test_a_stream_gives_batches_in_order(served):
    remote = connect_reranker(served.url, texts_per_request=16)
    batches = list(remote.stream(QUERY, DOCUMENTS))
    assert [batch.done for batch in batches] == [16, 32, 41]
    assert np.concatenate([batch.indices for batch in batches]).tolist() == list(range(41))
    steps = []
    remote.score(QUERY, DOCUMENTS, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(16, 41), (32, 41), (41, 41)]
    assert remote.score(QUERY, []).log_odds.shape == (0,)


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        ({"results": [{"index": 0, "relevance_score": 0.5}]}, "sent 2 texts and gave 1"),
        ([{"index": 0, "score": 0.5}, {"index": 1, "score": None}], "something else"),
        ([{"index": 0, "score": 0.5}, {"index": 1, "score": "0.5"}], "something else"),
        ([{"index": 0, "score": 0.5}, {"index": 1, "score": float("nan")}], "not finite"),
        ([{"index": 0, "score": 0.5}, {"index": 1, "score": -3.25}], "-3.25, which is no probability"),
        ({"results": {}}, "something else"),
        ({"object": "error", "error": {"message": "too long"}}, "too long"),
    ],
)
def test_a_wrong_answer_is_one_clear_sentence(vllm, reply, sentence):
    server = Server(vllm.url, tries=1)
    remote = RemoteReranker(server, find_model(server))
    vllm.reply = lambda path, body: (200, reply)
    with pytest.raises(InputError, match=sentence):
        remote.score("q", ["a", "b"])


def test_log_odds_saturate_where_float32_does():
    log_odds = np.array([-80, -20, -1, 0, 1, 12, 16], np.float64)
    found = log_odds_of(1 / (1 + np.exp(-log_odds)))
    assert np.allclose(found, log_odds, atol=1e-3)
    lowest, highest = log_odds_of(np.array([0.0, 1.0]))
    assert -88 < lowest < -87
    assert 16.6 < highest < 16.7

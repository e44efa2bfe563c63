"""The self-check passes a sound model and finds each fault where it lies."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from engine.qwen3_reference import card_embeddings, card_log_odds, card_pair_ids
from tiny_models import ModelFactory
from tokenizers import Tokenizer

from explorer.engine import embedder, prompts, reranker, runner, self_check, tokens
from explorer.engine.plain_reference import (
    CARD_DOCUMENTS,
    CARD_QUERIES,
    TASK,
    TEXTS,
    float32_states,
    plain_states,
)
from explorer.engine.self_check import NAMES, checks
from explorer.engine.tokens import embedding_tokens, pair_tokens
from explorer.models.catalog import PUBLISHED
from explorer.models.loading import LoadedModel, load_model

Patch = pytest.MonkeyPatch


def failed(loaded: LoadedModel) -> set[str]:
    return {check.name for check in checks(loaded) if check.failed}


def unmeasured(loaded: LoadedModel) -> set[str]:
    return {check.name for check in checks(loaded) if check.value is None}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"ends_text": False},
        {"dtype": torch.bfloat16},
        {"family": "reranker"},
        {"family": "reranker", "tied": False},
        {"family": "reranker", "architecture": "Qwen3ForSequenceClassification"},
    ],
    ids=["embedding", "early-tokenizer", "bf16-file", "tied", "untied", "one-row"],
)
def test_a_sound_model_passes_every_check(make_model: ModelFactory, fields: dict[str, object]) -> None:
    loaded = load_model(str(make_model(**fields)), fields.get("family", "embedding"), "cpu")
    found = list(checks(loaded))
    assert tuple(check.name for check in found) == NAMES[loaded.provenance.family]
    assert [check for check in found if check.failed] == []
    assert [check.name for check in found if check.value is None] == ["precision", "reference"]


def test_bfloat16_passes_with_its_own_bounds(make_model: ModelFactory) -> None:
    for family in ("embedding", "reranker"):
        assert failed(load_model(str(make_model(family=family)), family, "cpu", "bfloat16")) == set()


@pytest.mark.parametrize("padding", ["none", "left", "right"])
def test_the_plain_way_is_the_model_cards(
    tiny_embedding: LoadedModel, tiny_reranker: LoadedModel, make_model: ModelFactory, padding: str
) -> None:
    ids = [item.ids for item in embedding_tokens(tiny_embedding.tokenizer, TEXTS, None, 2048)]
    states = plain_states(tiny_embedding, ids, padding)
    found = torch.nn.functional.normalize(states, dim=1).numpy()
    np.testing.assert_allclose(found, card_embeddings(make_model(), TEXTS), atol=1e-5)
    folder, form = make_model(family="reranker", tied=False), prompts.FORMS["model_card"]
    pairs = pair_tokens(tiny_reranker.tokenizer, CARD_QUERIES[0], TEXTS, TASK, form, 2048)
    logits = plain_states(tiny_reranker, [pair.ids for pair in pairs], padding) @ tiny_reranker.head.T
    expected = card_log_odds(folder, card_pair_ids(folder, CARD_QUERIES[0], TEXTS))
    np.testing.assert_allclose((logits[:, 1] - logits[:, 0]).numpy(), expected, atol=1e-4)


def test_float32_layer_by_layer_is_the_model_loaded_in_float32(make_model: ModelFactory) -> None:
    folder = str(make_model(dtype=torch.bfloat16, layers=3))
    exact, coarse = (load_model(folder, "embedding", "cpu", dtype) for dtype in ("float32", "bfloat16"))
    ids = [item.ids for item in embedding_tokens(exact.tokenizer, TEXTS, None, 2048)]
    expected = plain_states(exact, ids, "none")
    torch.testing.assert_close(float32_states(coarse, ids), expected, atol=1e-5, rtol=1e-5)
    assert (plain_states(coarse, ids, "none") - expected).abs().max() > 1e-2


def test_a_model_that_does_not_bear_rounding_is_found(make_model: ModelFactory) -> None:
    loaded = load_model(str(make_model(family="reranker", seed=9)), "reranker", "cpu", "bfloat16")
    assert failed(loaded) == set()
    sharp = replace(loaded, head=loaded.head * 60)
    assert "precision" in failed(sharp)


def test_the_bundled_reranker_does_not_bear_bfloat16() -> None:
    assert failed(load_model("bundled", "reranker", "cpu", "bfloat16")) == {"precision"}


def changed_forward(change: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    sound = runner.last_hidden_states
    return lambda backbone, sequences, *rest, **named: change(
        lambda ids: sound(backbone, ids, *rest, **named), sequences
    )


@pytest.mark.parametrize("kind", ["tiny_embedding", "tiny_reranker"])
def test_a_state_from_another_token_fails_the_last_token(
    kind: str, request: pytest.FixtureRequest, monkeypatch: Patch
) -> None:
    early = changed_forward(lambda run, sequences: run([ids[:-1] for ids in sequences]))
    monkeypatch.setattr(runner, "last_hidden_states", early)
    assert failed(request.getfixturevalue(kind)) == {"last_token"}


@pytest.mark.parametrize("kind", ["tiny_embedding", "tiny_reranker"])
def test_a_result_that_depends_on_its_neighbours_fails_the_batch(
    kind: str, request: pytest.FixtureRequest, monkeypatch: Patch
) -> None:
    mixed = changed_forward(lambda run, sequences: run(sequences) + (len(sequences) > 1) * run(sequences)[:1])
    monkeypatch.setattr(runner, "last_hidden_states", mixed)
    assert failed(request.getfixturevalue(kind)) == {"batch"}


@pytest.mark.parametrize("kind", ["tiny_embedding", "tiny_reranker"])
def test_attention_to_padding_fails_the_padding(kind: str, request: pytest.FixtureRequest) -> None:
    loaded = request.getfixturevalue(kind)

    def forget_mask(_: object, positional: object, named: dict[str, object]) -> tuple[object, object]:
        return positional, named | {"attention_mask": None, "position_ids": None}

    hook = loaded.backbone.register_forward_pre_hook(forget_mask, with_kwargs=True)
    try:
        assert failed(loaded) == {"padding"}
    finally:
        hook.remove()


def test_nan_in_the_weights_is_found_there_and_nothing_is_compared(make_model: ModelFactory) -> None:
    loaded = load_model(str(make_model(seed=5)), "embedding", "cpu")
    with torch.no_grad():
        loaded.backbone.layers[1].mlp.up_proj.weight[3, 4] = float("nan")
    assert failed(loaded) == {"weights", "finite"}
    assert unmeasured(loaded) == {"last_token", "batch", "padding", "precision", "norms", "reference"}
    reasons = {check.reason.key for check in checks(loaded) if check.name == "batch"}
    assert reasons == {"engine.not_finite"}


def test_an_overflow_is_found_in_the_results_although_the_weights_are_finite(
    make_model: ModelFactory,
) -> None:
    loaded = load_model(str(make_model(seed=6)), "embedding", "cpu")
    with torch.no_grad():
        loaded.backbone.norm.weight[0] = 3.3e38
    assert failed(loaded) == {"finite"}


def test_another_number_format_than_stated_is_found(tiny_embedding: LoadedModel) -> None:
    assert failed(replace(tiny_embedding, dtype=torch.bfloat16)) == {"number_format"}


def test_another_prompt_fails_the_tokens(
    tiny_embedding: LoadedModel, tiny_reranker: LoadedModel, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(tokens, "embedding_query", lambda task, query: f"Instruct: {task}\nQuery: {query}")
    monkeypatch.setattr(prompts, "SYSTEM", "Judge the Document.")
    assert failed(tiny_embedding) == {"tokens"}
    assert failed(tiny_reranker) == {"tokens", "last_token"}


def test_another_end_token_fails_the_ending(tiny_embedding: LoadedModel, monkeypatch: Patch) -> None:
    monkeypatch.setattr(tokens, "END_OF_TEXT", "<|im_end|>")
    assert {"tokens", "ending"} <= failed(tiny_embedding)


def test_a_tokenizer_that_splits_control_tokens_is_found(tiny_reranker: LoadedModel) -> None:
    values = json.loads(tiny_reranker.tokenizer.to_str())
    values["added_tokens"] = [token for token in values["added_tokens"] if token["content"] != "</think>"]
    broken = replace(tiny_reranker, tokenizer=Tokenizer.from_str(json.dumps(values)))
    assert {"tokens", "ending"} <= failed(broken)


def test_vectors_that_are_not_of_length_one_fail_the_norms(
    tiny_embedding: LoadedModel, monkeypatch: Patch
) -> None:
    unit = embedder._unit
    monkeypatch.setattr(embedder, "_unit", lambda states: unit(states) * 1.00004)
    assert failed(tiny_embedding) == {"norms"}


def test_a_sigmoid_of_a_sigmoid_fails_the_probability(tiny_reranker: LoadedModel, monkeypatch: Patch) -> None:
    once = reranker.logistic
    monkeypatch.setattr(reranker, "logistic", lambda odds: once(once(odds)))
    assert failed(tiny_reranker) == {"probability"}


def as_published(loaded: LoadedModel, family: str) -> LoadedModel:
    card = next(entry for entry in PUBLISHED if entry.family == family)
    return replace(loaded, checkpoint=replace(loaded.checkpoint, revision=card.revision))


def test_published_weights_are_held_to_the_cards_figures(
    tiny_embedding: LoadedModel, make_model: ModelFactory, monkeypatch: Patch
) -> None:
    published = as_published(tiny_embedding, "embedding")
    assert failed(published) == {"reference"}
    folder: Path = make_model()
    queries = [f"Instruct: {TASK}\nQuery:{query}" for query in CARD_QUERIES]
    cosines = card_embeddings(folder, queries) @ card_embeddings(folder, CARD_DOCUMENTS).T
    monkeypatch.setitem(self_check.CARD_COSINES, "Qwen/Qwen3-Embedding-0.6B", cosines)
    assert failed(published) == set()


def test_a_published_reranker_must_judge_the_cards_example_rightly(
    tiny_reranker: LoadedModel, monkeypatch: Patch
) -> None:
    published = as_published(tiny_reranker, "reranker")
    found = next(check for check in checks(published) if check.name == "reference")
    odds = np.array(
        [reranker.Reranker(published).score(query, CARD_DOCUMENTS).log_odds for query in CARD_QUERIES]
    )
    assert found.value == ((odds > 0) != np.eye(2, dtype=bool)).sum()
    assert found.bound == 0

"""Gradients against finite differences of transformers' own model, and the completeness axiom."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import Qwen3ForCausalLM

from explorer.engine.attribution.gradients import gradient_x_input, integrated_gradients
from explorer.engine.attribution.words import pair_words
from explorer.engine.prompts import FORMS
from explorer.engine.reranker import Reranker
from explorer.models.loading import LoadedModel, load_model

QUERY, DOCUMENT, INSTRUCTION = (
    "capital of China",
    "Beijing is the capital. Paris is not.",
    "retrieve passages",
)


@pytest.fixture(scope="module")
def folder(make_model):
    return make_model(family="reranker", tied=False)


@pytest.fixture(scope="module")
def model(folder) -> LoadedModel:
    return load_model(str(folder), "reranker", "cpu")


def worded(model: LoadedModel):
    return pair_words(model.tokenizer, QUERY, DOCUMENT, INSTRUCTION, FORMS["model_card"], 2048)


def test_gradient_x_input_is_the_slope_towards_padding_of_transformers_own_model(folder, model) -> None:
    reference = Qwen3ForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
    tokenizer, pair = model.tokenizer, worded(model)
    yes, no, padding = (tokenizer.token_to_id(word) for word in ("yes", "no", "<|endoftext|>"))
    table = reference.get_input_embeddings().weight
    ids = torch.from_numpy(pair.sequence.ids)

    def log_odds(embeddings):
        logits = reference(inputs_embeds=embeddings[None]).logits[0, -1]
        return float(logits[yes] - logits[no])

    found = gradient_x_input(model, pair.sequence.ids, pair.words)
    with torch.no_grad():
        assert found.log_odds == pytest.approx(log_odds(table[ids]), abs=1e-3)
        for at in (pair.words[0].start, pair.words[4].start, pair.words[-1].start):
            way, step = table[ids[at]] - table[padding], 1e-2
            ends = []
            for sign in (1, -1):
                moved = table[ids].clone()
                moved[at] += sign * step * way
                ends.append(log_odds(moved))
            slope = (ends[0] - ends[1]) / (2 * step)
            assert found.values[at] == pytest.approx(slope, rel=2e-2, abs=2e-3)


def test_integrated_gradients_are_complete_and_leave_the_recipe_alone(model) -> None:
    pair = worded(model)
    *_, found = integrated_gradients(model, pair.sequence.ids, pair.words)
    assert found.completeness_error is not None and found.completeness_error < 0.02
    assert [effect.name for effect in found.fields] == ["instruction", "query", "document"]
    recipe = np.ones(len(pair.sequence), dtype=bool)
    for word in pair.words:
        recipe[word.start : word.stop] = False
    assert (found.values[recipe] == 0).all() and (found.values[~recipe] != 0).any()


def test_the_model_answers_as_before_afterwards(model) -> None:
    reranker, pair = Reranker(model), worded(model)
    before = reranker.score(QUERY, [DOCUMENT], INSTRUCTION).log_odds
    attention = model.backbone.config._attn_implementation
    gradient_x_input(model, pair.sequence.ids, pair.words)
    assert model.backbone.config._attn_implementation == attention
    assert (Reranker(model).score(QUERY, [DOCUMENT], INSTRUCTION).log_odds == before).all()
    assert all(parameter.grad is None for parameter in model.backbone.parameters())


def test_bfloat16_gradients_come_close_to_float32_ones(folder, model) -> None:
    half, pair = load_model(str(folder), "reranker", "cpu", "bfloat16"), worded(model)
    exact = gradient_x_input(model, pair.sequence.ids, pair.words).values
    rough = gradient_x_input(half, pair.sequence.ids, pair.words).values
    assert np.corrcoef(exact, rough)[0, 1] > 0.95

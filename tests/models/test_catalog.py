"""The catalogue's numbers are the published ones."""

from __future__ import annotations

import re

import pytest

from explorer.models.catalog import PUBLISHED, find, published

# From mteb's ModelMeta and the published files; rerankers' counts include a separate head where there is one.
PARAMETERS = {
    "Qwen/Qwen3-Embedding-0.6B": 595_776_512,
    "Qwen/Qwen3-Embedding-4B": 4_021_774_336,
    "Qwen/Qwen3-Embedding-8B": 7_567_295_488,
    "Qwen/Qwen3-Reranker-0.6B": 595_776_512,
    "Qwen/Qwen3-Reranker-4B": 4_021_784_576,
    "Qwen/Qwen3-Reranker-8B": 8_188_548_096,
}


def test_parameter_counts_are_the_published_ones() -> None:
    assert [checkpoint.name for checkpoint in PUBLISHED] == list(PARAMETERS)
    for checkpoint in PUBLISHED:
        head = checkpoint.head_parameters if checkpoint.family == "reranker" else 0
        assert checkpoint.parameters + head == PARAMETERS[checkpoint.name]


def test_a_model_built_from_the_shape_has_that_many_parameters() -> None:
    import torch
    from transformers import Qwen3Config, Qwen3Model

    for checkpoint in published("embedding"):
        config = Qwen3Config(
            vocab_size=checkpoint.vocabulary,
            hidden_size=checkpoint.hidden_size,
            intermediate_size=checkpoint.intermediate_size,
            num_hidden_layers=checkpoint.layers,
            num_attention_heads=checkpoint.query_heads,
            num_key_value_heads=checkpoint.key_value_heads,
            head_dim=checkpoint.head_dim,
        )
        with torch.device("meta"):
            model = Qwen3Model(config)
        assert sum(parameter.numel() for parameter in model.parameters()) == checkpoint.parameters


def test_every_checkpoint_is_pinned_and_licensed() -> None:
    for checkpoint in PUBLISHED:
        assert re.fullmatch("[0-9a-f]{40}", checkpoint.revision or "")
        assert checkpoint.licence == "Apache-2.0"
        assert checkpoint.context == 32_768
        assert checkpoint.tied_head is (checkpoint.size != "8B")
    assert len({checkpoint.revision for checkpoint in PUBLISHED}) == len(PUBLISHED)


def test_sixteen_bit_weights_take_two_bytes() -> None:
    small = PUBLISHED[0]
    assert small.bytes("bfloat16") == 2 * small.parameters
    assert small.bytes("float32") == 4 * small.parameters


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("0.6B", "Qwen/Qwen3-Reranker-0.6B"),
        ("4b", "Qwen/Qwen3-Reranker-4B"),
        ("Qwen3-Reranker-8B", "Qwen/Qwen3-Reranker-8B"),
        (" qwen/qwen3-embedding-8b ", "Qwen/Qwen3-Embedding-8B"),
        ("7B", None),
        ("", None),
    ],
)
def test_names_are_found_in_any_usual_form(typed: str, found: str | None) -> None:
    checkpoint = find(typed, "reranker")
    assert (checkpoint.name if checkpoint else None) == found

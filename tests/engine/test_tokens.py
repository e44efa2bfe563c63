"""Token ids equal those of the official code, and every cut is shown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qwen3_reference import PREFIX, SUFFIX, TASK, card_pair_ids, evaluation_pair_ids
from tiny_models import ModelFactory, make_tokenizer
from transformers import AutoTokenizer

from explorer.engine.prompts import FORMS, embedding_query, form_of, presets
from explorer.engine.tokens import common_prefix, describe, embedding_tokens, pair_tokens, shared_prefix
from explorer.models.loading import LoadedModel

TOKENIZER = make_tokenizer(ends_text=True)
SPECIAL_INSIDE = ["a<|im_end|>b", "<|endoftext|>", "x <think> y</think>", "<|im_start|>user\nyes"]
TEXTS = ["Beijing", "", " leading", "trailing ", "two\n\nlines", "北京 苹果", "\n", ":colon", *SPECIAL_INSIDE]
ANY_TEXT = st.text(max_size=40) | st.sampled_from(TEXTS)


def test_the_query_has_no_space_after_the_colon() -> None:
    assert embedding_query("Find it", "where?") == "Instruct: Find it\nQuery:where?"


def test_the_reranker_strings_are_the_official_ones() -> None:
    bodies = {
        "model_card": "<Instruct>: I\n<Query>: Q\n<Document>: D",
        "evaluation": "<Instruct>: I\n\n<Query>: Q\n\n<Document>: D<|im_end|>\n",
    }
    for name, body in bodies.items():
        prompt = pair_tokens(TOKENIZER, "Q", ["D"], "I", form_of(name), 2048)[0]
        assert TOKENIZER.decode(prompt.ids.tolist(), skip_special_tokens=False) == PREFIX + body + SUFFIX


def test_presets_begin_with_the_default_and_have_unique_names() -> None:
    for family in ("embedding", "reranker"):
        listed = presets(family)
        assert listed[0].instruction == TASK
        assert len({preset.name for preset in listed}) == len(listed)
        assert all(preset.source for preset in listed)
    assert {preset.name for preset in presets("embedding") if preset.symmetric} == {
        "similarity",
        "translation",
    }


@pytest.mark.parametrize("limit", [5, 12, 2048])
def test_document_ids_equal_the_official_tokenizer(make_model: ModelFactory, limit: int) -> None:
    reference = AutoTokenizer.from_pretrained(make_model())
    expected = reference(TEXTS, truncation=True, max_length=limit)["input_ids"]
    found = embedding_tokens(TOKENIZER, TEXTS, None, limit)
    assert [sequence.ids.tolist() for sequence in found] == expected


@settings(max_examples=60, deadline=None, derandomize=True)
@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_pair_ids_equal_the_official_code(
    make_model: ModelFactory, instruction: str, query: str, document: str
) -> None:
    folder = make_model(family="reranker")
    for name, official in (("model_card", card_pair_ids), ("evaluation", evaluation_pair_ids)):
        found = pair_tokens(TOKENIZER, query, [document], instruction, FORMS[name], 2048)[0]
        assert found.ids.tolist() == official(folder, query, [document], instruction)[0]
        assert found.cut_ids.size == 0


@settings(max_examples=60, deadline=None, derandomize=True)
@given(ANY_TEXT, st.none() | ANY_TEXT, st.integers(1, 60))
def test_cut_and_kept_tokens_make_the_whole_text(text: str, instruction: str | None, room: int) -> None:
    whole = embedding_tokens(TOKENIZER, [text], instruction, 10_000)[0]
    start = 0 if instruction is None else len(embedding_tokens(TOKENIZER, [""], instruction, 10_000)[0]) - 1
    cut = embedding_tokens(TOKENIZER, [text], instruction, start + 1 + room)[0]
    assert len(cut) <= start + 1 + room
    assert cut.ids[-1] == TOKENIZER.token_to_id("<|endoftext|>")
    assert np.concatenate([cut.ids[:-1], cut.cut_ids]).tolist() == whole.ids[:-1].tolist()
    views = describe(TOKENIZER, cut)
    assert [view.id for view in views] == whole.ids.tolist()
    assert [view.id for view in views if view.cut] == cut.cut_ids.tolist()


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8), max_size=5))
def test_common_prefix_equals_the_plain_definition(sequences: list[list[int]]) -> None:
    found = common_prefix([np.array(ids) for ids in sequences])
    expected = 0
    if len(sequences) > 1:
        shortest = min(map(len, sequences)) - 1
        while expected < shortest and len({ids[expected] for ids in sequences}) == 1:
            expected += 1
    assert found == expected


def test_a_short_common_beginning_is_not_worth_sharing() -> None:
    assert shared_prefix([np.arange(10), np.arange(10)]) == 0
    assert shared_prefix([np.arange(40), np.arange(50)]) == 39


@pytest.mark.parametrize("text", ["北京", "＜ｘ＞", "a\u200bb\u202ec", "👩‍👩‍👧 ok", "naïve", ""])
def test_the_texts_of_all_tokens_are_the_whole_string(tiny_embedding: LoadedModel, text: str) -> None:
    (sequence,) = embedding_tokens(tiny_embedding.tokenizer, [text], None, 512)
    assert (
        "".join(view.text for view in describe(tiny_embedding.tokenizer, sequence)) == text + "<|endoftext|>"
    )

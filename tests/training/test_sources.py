"""Questions by rule, readers of data sets, and the lists drawn from them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from explorer.training.sources.collections import load_sources
from explorer.training.sources.items import Item, Source, held_to, split_held_out
from explorer.training.sources.lexicon import Lexicon, Synset, read_lexicon
from explorer.training.sources.questions import keywords, question, words
from explorer.training.sources.sampling import ListSampler

BASE = Path(__file__).parents[2] / "assets" / "models" / "mini-embedding"
EMPTY = Lexicon({}, {})
NOUNS = (
    "  1 a line of the licence\n"
    '00000010 03 n 02 physician 0 doctor 0 001 @ 00000020 n 0000 | a licensed medical practitioner; "call a doctor"\n'
    "00000020 03 n 01 professional 0 000 | a person engaged in one of the learned professions\n"
)
INDEX = "  1 a line of the licence\ndoctor n 1 1 @ 1 1 00000010\nphysician n 1 1 @ 1 1 00000010\n"


@pytest.fixture
def wordnet(tmp_path) -> Path:
    folder = tmp_path / "wordnet"
    folder.mkdir()
    for part in ("noun", "verb", "adj", "adv"):
        (folder / f"data.{part}").write_text(NOUNS if part == "noun" else "")
        (folder / f"index.{part}").write_text(INDEX if part == "noun" else "")
    return folder


def test_lexicon_knows_synonyms_and_broader_words(wordnet):
    lexicon = read_lexicon(wordnet)
    assert set(lexicon.substitutes("doctors")) >= {"physician", "professional"}
    assert lexicon.substitutes("unheardof") == ()


def test_definitions_are_asked_for_by_every_synonym(wordnet):
    source = next(one for one in load_sources(wordnet.parent) if one.name == "wordnet")
    item = next(one for one in source.items if one.group == "n00000010")
    assert "what is physician" in item.queries and "what is doctor" in item.queries
    assert any(
        document.startswith("physician: a licensed medical practitioner") for document in item.documents
    )


def test_reading_comprehension_keeps_paragraph_and_questions(tmp_path):
    folder = tmp_path / "drcd"
    folder.mkdir()
    paragraph = {"context": "答案在這裡。", "id": "1", "qas": [{"question": "在哪裡?", "id": "1-1"}]}
    (folder / "DRCD_dev.json").write_text(
        json.dumps({"data": [{"title": "題", "paragraphs": [paragraph]}]}), "utf-8"
    )
    assert load_sources(tmp_path, ("en",)) == ()
    (source,) = load_sources(tmp_path, ("en", "zh"))
    assert source.items[0].documents == ("答案在這裡。",) and source.items[0].queries == ("在哪裡?",)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.integers(0, 999))
def test_questions_never_fail_on_odd_sentences(sentence, seed):
    asked = question(sentence, EMPTY, random.Random(seed))
    assert isinstance(asked, str)
    if len(words(sentence)) > 3:
        assert words(asked)


def test_question_leaves_the_answer_out():
    sentence = "The tower was finished in 1889 by engineers"
    asked = [question(sentence, EMPTY, random.Random(seed), drop=0) for seed in range(40)]
    about_time = [one for one in asked if one.lower().startswith(("when", "in what year", "what year"))]
    assert about_time and not any("1889" in one for one in about_time)


def test_keywords_are_content_words_of_the_sentence():
    found = keywords("The tower was finished by the engineers", EMPTY, random.Random(1), swap=0)
    assert set(found.lower().split()) <= {"tower", "finished", "engineers"}


def test_swapped_words_come_from_the_lexicon():
    lexicon = Lexicon({"n1": Synset(("physician", "doctor"), "")}, {"doctor": ("n1",)})
    assert "physician" in keywords("doctor hospital", lexicon, random.Random(0), swap=1).lower()


@pytest.fixture
def sampler() -> ListSampler:
    items = tuple(
        Item(f"group {i % 30}", (f"text number {i} about thing {i % 30}",), (f"thing {i % 30}?",))
        for i in range(60)
    )
    tokenizer = Tokenizer.from_file(str(BASE / "tokenizer.json"))
    weights = np.random.default_rng(0).normal(size=(tokenizer.get_vocab_size(), 16)).astype(np.float32)
    return ListSampler(Source("test", items), tokenizer, weights, EMPTY, seed=3)


def test_lists_begin_with_the_right_document_and_have_no_other_of_its_group(sampler):
    tokenizer = Tokenizer.from_file(str(BASE / "tokenizer.json"))
    for _ in range(30):
        ranked = sampler.draw(wrong=5, limit=40)
        texts = [tokenizer.decode(ids).strip() for ids in ranked.documents]
        thing = ranked.query.removesuffix("?")
        assert texts[0].endswith(thing) and len(texts) == 6 == len(set(texts))
        assert not any(text.endswith(f"about {thing}") for text in texts[1:])


def test_documents_are_cut_to_the_limit(sampler):
    assert all(len(ids) <= 4 for ids in sampler.draw(wrong=5, limit=4).documents)


def test_held_out_groups_are_whole_and_apart():
    source = Source("test", tuple(Item(str(i // 2), (str(i),)) for i in range(1000)))
    kept, held = split_held_out(source, every=25)
    assert {item.group for item in kept.items}.isdisjoint(item.group for item in held.items)
    assert len(held.items) == 40 and len(kept.items) == 960


def test_few_groups_are_all_kept():
    source = Source("test", tuple(Item(str(i % 10), (str(i),)) for i in range(100)))
    assert len(split_held_out(source)[0].items) == 100 and len(held_to(source, 7).items) == 7

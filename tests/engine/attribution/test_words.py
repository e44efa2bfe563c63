"""The words of an input: which field they fill, and that no token is lost or counted twice."""

from __future__ import annotations

import pytest

from explorer.engine.attribution.words import Word, embedding_words, pair_words, sentences_of
from explorer.engine.prompts import FORMS
from explorer.models.loading import LoadedModel

INSTRUCTION = "Given a web search query, retrieve relevant passages."
QUERY = "capital of China?"
DOCUMENT = "The capital isn't Paris. 北京是中国的首都。苹果 12,5 yes"


@pytest.mark.parametrize("template", ["model_card", "evaluation"])
def test_the_words_of_each_field_are_its_text(tiny_reranker: LoadedModel, template) -> None:
    worded = pair_words(tiny_reranker.tokenizer, QUERY, DOCUMENT, INSTRUCTION, FORMS[template], 2048)
    for field, text in (("instruction", INSTRUCTION), ("query", QUERY), ("document", DOCUMENT)):
        written = "".join(word.text for word in worded.words if word.field == field)
        assert written.strip() == text
    places = [at for word in worded.words for at in range(word.start, word.stop)]
    assert len(places) == len(set(places)) and places == sorted(places)


def test_a_word_is_what_a_reader_calls_one(tiny_reranker: LoadedModel) -> None:
    worded = pair_words(tiny_reranker.tokenizer, QUERY, DOCUMENT, INSTRUCTION, FORMS["model_card"], 2048)
    words = [word.text.strip() for word in worded.words if word.field == "document"]
    assert {"The", "capital", "isn't", "Paris", "12", "5"} <= set(words)
    assert {"苹果", "。"} <= set(words), "a script without spaces is not one long word"


def test_what_is_cut_off_has_no_words(tiny_reranker: LoadedModel) -> None:
    worded = pair_words(tiny_reranker.tokenizer, QUERY, DOCUMENT * 50, INSTRUCTION, FORMS["evaluation"], 600)
    assert worded.words[-1].stop <= worded.sequence.document[1]
    assert len(worded.sequence.cut_ids) > 0


def test_the_query_side_of_an_embedding_model(tiny_embedding: LoadedModel) -> None:
    worded = embedding_words(tiny_embedding.tokenizer, QUERY, INSTRUCTION, 2048)
    assert "".join(word.text for word in worded.words if word.field == "query").strip() == QUERY
    assert max(word.stop for word in worded.words) < len(worded.sequence), "the final token is the recipe's"
    bare = embedding_words(tiny_embedding.tokenizer, DOCUMENT, None, 2048)
    assert "".join(word.text for word in bare.words) == DOCUMENT
    assert {word.field for word in bare.words} == {"document"}


def test_sentences_end_where_a_reader_ends_them() -> None:
    texts = ["Wait", ".", " It", " costs", " 3", ".", "5", ".", " 好", "。", "再", "见", "！", "Yes", "?"]
    words = [Word(text, "document", at, at + 1) for at, text in enumerate(texts)]
    query = Word("Why", "query", 20, 21)
    assert sentences_of([query, *words]) == ((0, 1), (1, 3), (3, 9), (9, 11), (11, 14), (14, 16))

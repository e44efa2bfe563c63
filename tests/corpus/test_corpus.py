"""A table becomes a corpus without losing count of a row."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.corpus.corpus import (
    Corpus,
    build_corpus,
    colour_columns,
    guess_text_column,
    is_blank,
    split_lines,
)
from explorer.corpus.export import to_jsonl
from explorer.corpus.readers import read_table
from explorer.errors import CorpusError
from explorer.notices import Notice

REVIEWS = b"""id,review,stars,day,product
1,A long and friendly review of a kettle,5,2024-01-01,kettle
2,,1,2024-01-02,kettle
3,   ,2,2024-01-03,toaster
4,\xe2\x80\x8b\xef\xbb\xbf,2,2024-01-04,toaster
5,It burned my bread and then my hand,1,2024-01-05,toaster
6,A long and friendly review of a kettle,4,2024-01-06,kettle
7,too,many,cells,in,this,row
"""


def built(keep_duplicates: bool = True) -> Corpus:
    return build_corpus(read_table(REVIEWS, "a.csv"), "review", "reviews", keep_duplicates)


def test_blank_texts_are_left_out_and_counted() -> None:
    corpus = built()
    assert len(corpus.texts) == 3
    assert (corpus.rows_in, corpus.dropped, corpus.empty, corpus.duplicates) == (7, 4, 3, 1)
    assert list(corpus.columns["id"]) == [1, 5, 6]
    assert list(corpus.columns["review"]) == list(corpus.texts)
    assert Notice("corpus.texts_empty", {"count": 3}) in corpus.notices


def test_duplicates_can_be_left_out() -> None:
    corpus = built(keep_duplicates=False)
    assert len(corpus.texts) == 2
    assert corpus.rows_in == len(corpus.texts) + corpus.dropped
    assert Notice("corpus.duplicates_dropped", {"count": 1}) in corpus.notices


@pytest.mark.parametrize(
    ("data", "column", "key", "named"),
    [
        (REVIEWS, "price", "corpus.no_such_column", "price"),
        (REVIEWS, "stars", "corpus.number_column", "stars"),
        (REVIEWS, "day", "corpus.date_column", "day"),
        (b'[{"price": "12"}, {"price": "-0.5"}]', "price", "corpus.number_column", "price"),
        (b"text,n\n ,1\n,2\n", "text", "corpus.no_text_left", "text"),
    ],
)
def test_a_column_without_text_is_refused_by_name(data: bytes, column: str, key: str, named: str) -> None:
    table = read_table(data, "a.json" if data.startswith(b"[") else "a.csv")
    with pytest.raises(CorpusError) as caught:
        build_corpus(table, column)
    assert caught.value.key == key
    assert named in caught.value.text("en")
    assert named in caught.value.text("zh")


def test_the_text_column_is_guessed_by_length_and_name() -> None:
    assert guess_text_column(read_table(REVIEWS, "a.csv")) == "review"
    assert guess_text_column(read_table(b"text,label\nab,positive\ncd,negative\n", "a.csv")) == "text"
    assert guess_text_column(read_table(b"a,b\n1,2\n", "a.csv")) is None


def test_columns_for_colour_come_in_order_of_use() -> None:
    lines = [f"text number {i},{'abcd'[i % 4]},{'ed'[i % 2]},{i},2024-01-0{i + 1},same" for i in range(8)]
    data = "\n".join(["text,topic,language,stars,day,constant", *lines]).encode()
    columns = colour_columns(read_table(data, "a.csv"))
    assert [(column.name, column.kind) for column in columns] == [
        ("language", "category"),
        ("topic", "category"),
        ("stars", "number"),
        ("day", "date"),
    ]


def test_pasted_lines_become_documents() -> None:
    assert split_lines("one\r\n\n  two \rthree\n\u200b\n<b>four</b>\0") == [
        "one",
        "two",
        "three",
        "<b>four</b>",
    ]
    assert split_lines("") == []


def test_invisible_texts_are_blank() -> None:
    assert all(map(is_blank, ["", " \t\n", "\u200b\u200b", "\u3000", "\ufeff \u2060"]))
    assert not any(map(is_blank, ["a", "\u200ba", "。", "0"]))


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["", " ", "a", "b c", "\u200b", "文"]), min_size=1, max_size=20), st.booleans()
)
def test_no_row_is_lost(cells: list[str], keep_duplicates: bool) -> None:
    table = read_table(to_jsonl(pd.DataFrame({"text": cells, "n": range(len(cells))})), "a.jsonl")
    try:
        corpus = build_corpus(table, "text", keep_duplicates=keep_duplicates)
    except CorpusError as error:
        assert error.key == "corpus.no_text_left"
        assert all(map(is_blank, cells))
        return
    assert corpus.rows_in == len(cells) == len(corpus.texts) + corpus.dropped
    assert [cells[row] for row in corpus.columns["n"]] == list(corpus.texts)

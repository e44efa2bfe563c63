"""Pairs in files: what is written is read again, and what is no pair is refused with its line."""

from __future__ import annotations

import errno
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.errors import ExplorerError, InputError
from explorer.training.pairs import files as pair_files
from explorer.training.pairs.pair import (
    KINDS,
    PairProvenance,
    TrainingPair,
    check_pairs,
    checked_language,
    read_pairs,
    write_pairs,
)

TEXTS = st.text(max_size=60)
PROVENANCES = st.builds(
    PairProvenance,
    generator=TEXTS,
    model=TEXTS,
    source=TEXTS,
    configuration=st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple),
)
PAIRS = st.builds(
    TrainingPair,
    query=TEXTS,
    document=TEXTS,
    kind=st.sampled_from(KINDS),
    instruction=TEXTS,
    negatives=st.lists(TEXTS, max_size=3).map(tuple),
    score=st.none() | st.floats(0, 1),
    language=st.sampled_from(["en", "zh-Hans", "pt-BR", "es-419", "de-CH-1996", "yue"]),
    provenance=PROVENANCES,
)


def lines(path: Path, *rows: object) -> Path:
    """Write rows as JSON Lines, texts as they are."""
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "utf-8")
    return path


@settings(max_examples=150, deadline=None)
@given(st.lists(PAIRS, max_size=4))
def test_what_is_written_is_read_again(pairs):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.jsonl"
        write_pairs(pairs, path)
        assert read_pairs(path) == pairs
        assert path.read_bytes().count(b"\n") == len(pairs)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([".jsonl", ".csv", ".tsv"]))
def test_no_bytes_do_worse_than_a_sentence(data, suffix):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"pairs{suffix}"
        path.write_bytes(data)
        try:
            read_pairs(path)
        except ExplorerError as error:
            assert error.text("en") and error.text("zh")


@settings(max_examples=100, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | TEXTS,
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)),
       st.sampled_from(["query", "negatives", "score", "language", "kind", "provenance", "instruction"]))  # fmt: skip
def test_any_value_in_any_field_is_read_or_refused(value, field):
    with tempfile.TemporaryDirectory() as folder:
        path = lines(Path(folder) / "pairs.jsonl", {"query": "q", "document": "d"} | {field: value})
        try:
            pair = read_pairs(path)[0]
        except InputError as error:
            assert "1" in error.text("en")
        else:
            write_pairs([pair], path)
            assert read_pairs(path) == [pair]


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"query": "q"}, "pairs.missing"),
        ({"document": "d"}, "pairs.missing"),
        ({"query": None, "document": "d"}, "pairs.missing"),
        ({"query": ["q"], "document": "d"}, "pairs.wrong_type"),
        ("{", "pairs.not_json"),
        ("[" * 100_000, "pairs.not_json"),
        ("1" * 5_000, "pairs.not_json"),
        ('["q", "d"]', "pairs.not_object"),
        ({"query": "q", "document": "d", "score": 1.5}, "pairs.score_range"),
        ({"query": "q", "document": "d", "score": -0.1}, "pairs.score_range"),
        ({"query": "q", "document": "d", "score": True}, "pairs.score_range"),
        ({"query": "q", "document": "d", "score": 10**400}, "pairs.score_range"),
        ('{"query": "q", "document": "d", "score": NaN}', "pairs.score_range"),
        ({"query": "q", "document": "d", "language": "English"}, "pairs.line_language"),
        ({"query": "q", "document": "d", "language": "zh_CN"}, "pairs.line_language"),
        ({"query": "q", "document": "d", "language": ""}, "pairs.line_language"),
        ({"query": "q", "document": "d", "kind": "ranking"}, "pairs.kind_unknown"),
        ({"query": "q", "document": "d", "negative": ["n"]}, "pairs.unknown_key"),
        ({"query": "q", "document": "d", "negatives": "n"}, "pairs.wrong_type"),
        ({"query": "q", "document": "d", "provenance": {"model": "m"}}, "pairs.missing"),
        ({"query": "q", "document": "d", "provenance": {"generator": "g", "time": "t"}}, "pairs.unknown_key"),
        ({"query": "q", "document": "d", "provenance": {"generator": "g", "configuration": [["a"]]}},
         "pairs.wrong_type"),
    ],
)  # fmt: skip
def test_a_line_that_holds_no_pair_is_refused_by_its_number(tmp_path, row, key):
    path = lines(tmp_path / "pairs.jsonl", {"query": "q", "document": "d"}, "", row)
    with pytest.raises(InputError) as refused:
        read_pairs(path)
    assert refused.value.key == key
    assert refused.value.values["line"] == 3
    assert "3" in refused.value.text("en") and "3" in refused.value.text("zh")


def test_a_misspelt_field_is_named(tmp_path):
    path = lines(tmp_path / "pairs.jsonl", {"query": "q", "document": "d", "negative": []})
    with pytest.raises(InputError, match="“negative” is not known"):
        read_pairs(path)


def test_defaults_and_the_file_as_provenance(tmp_path):
    (pair,) = read_pairs(lines(tmp_path / "mine.jsonl", {"query": "q", "document": "d"}))
    assert pair == TrainingPair("q", "d", provenance=PairProvenance("upload", source="mine.jsonl"))


def test_halves_of_surrogate_pairs_become_the_replacement_character(tmp_path):
    path = lines(tmp_path / "pairs.jsonl", r'{"query": "a\ud800", "document": "\ud83d\ude00"}')
    (pair,) = read_pairs(path)
    assert (pair.query, pair.document) == ("a\ufffd", "😀")


@pytest.mark.parametrize(("suffix", "separator"), [(".csv", ","), (".tsv", "\t")])
def test_a_table_is_read_by_its_columns(tmp_path, suffix, separator):
    path = tmp_path / f"pairs{suffix}"
    rows = [
        ["Query", "document", "instruction", "kind", "score", "language"],
        ["what", '"two\nlines, ""quoted"""', "", "", "", "de"],
        ["<script>alert(1)</script>", "=HYPERLINK(1)", "Find it", "similarity", "0.25", ""],
        ["", "nothing asked", "", "", "", ""],
    ]
    path.write_text("\ufeff" + "\n".join(separator.join(row) for row in rows), "utf-8")
    first, second, third = read_pairs(path)
    assert (first.document, first.language, first.score) == ('two\nlines, "quoted"', "de", None)
    assert first.instruction == TrainingPair("", "").instruction
    assert (second.query, second.document) == ("<script>alert(1)</script>", "=HYPERLINK(1)")
    assert (second.kind, second.score, second.instruction) == ("similarity", 0.25, "Find it")
    assert third.query == ""
    assert check_pairs([first, second, third]).dropped_empty == 1


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("query,text\nq,d\n", "pairs.column_missing", None),
        ("query,document,query\nq,d,q\n", "pairs.column_twice", 1),
        ("query,document,colour\nq,d,red\n", "pairs.unknown_key", 2),
        ('query,document\n"a\nb",d\nq\n', "pairs.missing", 4),
        ("query,document\nq,d\nq,d,e\n", "pairs.row_long", 3),
        ('query,document\nq,"d\n', "pairs.not_table", 2),
        ("query,document,score\nq,d,high\n", "pairs.score_range", 2),
    ],
)
def test_a_table_that_holds_no_pairs_is_refused(tmp_path, text, key, line):
    path = tmp_path / "pairs.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as refused:
        read_pairs(path)
    assert refused.value.key == key
    assert refused.value.values.get("line") == line


def test_a_cell_may_be_as_long_as_a_document(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text(f"query,document\nq,{'word ' * 60_000}\n", "utf-8")
    assert len(read_pairs(path)[0].document) == 300_000


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"pairs\.jsonl cannot be written"):
        write_pairs([TrainingPair("q", "d")], tmp_path / "file" / "pairs.jsonl")


def test_a_chinese_table_saved_by_a_spreadsheet_is_read(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_bytes(
        "query,document\n中国的首都是哪里？,北京是中国的首都，也是全国的政治文化中心。\n".encode("gb18030")
    )
    assert read_pairs(path)[0].query == "中国的首都是哪里？"


def test_an_empty_file_holds_no_pairs_and_a_missing_one_is_named(tmp_path):
    (tmp_path / "none.jsonl").touch()
    assert read_pairs(tmp_path / "none.jsonl") == []
    with pytest.raises(InputError, match=r"gone\.jsonl"):
        read_pairs(tmp_path / "gone.jsonl")


def test_a_full_disk_leaves_the_earlier_file(tmp_path, monkeypatch):
    path = tmp_path / "pairs.jsonl"
    write_pairs([TrainingPair("q", "d")], path)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pair_files.os, "fsync", full)
    with pytest.raises(InputError, match="disk is full"):
        write_pairs([TrainingPair("other", "d")], path)
    assert read_pairs(path)[0].query == "q"
    assert [file.name for file in tmp_path.iterdir()] == ["pairs.jsonl"]


def test_a_generator_that_fails_while_it_is_written_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "pairs.jsonl"
    write_pairs([TrainingPair("q", "d")], path)

    def broken():
        yield TrainingPair("other", "d")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_pairs(broken(), path)
    assert read_pairs(path)[0].query == "q"
    assert len(list(tmp_path.iterdir())) == 1


def test_empty_and_repeated_pairs_are_counted_and_the_order_is_kept():
    first, second = TrainingPair("a", "b"), TrainingPair("c", "d")
    report = check_pairs(
        [first, TrainingPair(" ", "b"), second, TrainingPair("a ", "b"), TrainingPair("e", "\n")]
    )
    assert report.pairs == (first, second)
    assert (report.dropped_empty, report.dropped_duplicate) == (2, 1)


@pytest.mark.parametrize(
    ("pairs", "key"),
    [
        ([], "pairs.too_few"),
        ([TrainingPair("a", "b")], "pairs.too_few"),
        ([TrainingPair("a", "b"), TrainingPair("", "b")], "pairs.too_few"),
        ([TrainingPair("a", "b")] * 3, "pairs.all_identical"),
        ([TrainingPair("same", "same")] * 2, "pairs.all_identical"),
        ([TrainingPair("a", "one"), TrainingPair("b", "one")], "pairs.all_identical"),
        ([TrainingPair("a", "a"), TrainingPair("b", "b")], "pairs.sides_equal"),
    ],
)
def test_a_set_from_which_nothing_can_be_learnt_is_refused(pairs, key):
    with pytest.raises(InputError) as refused:
        check_pairs(pairs)
    assert refused.value.key == key


def test_one_label_is_enough_when_the_wrong_ones_are_named():
    labelled = [TrainingPair(text, "yes", "classification", negatives=("no",)) for text in "ab"]
    assert len(check_pairs(labelled).pairs) == 2


@pytest.mark.parametrize("tag", ["en", "zh-Hans", "zh-Hant-TW", "es-419", "sl-rozaj", "yue", "DE"])
def test_language_tags(tag):
    assert checked_language(tag) == tag


@pytest.mark.parametrize("tag", ["", "e", "english", "en_GB", "en-", "-en", "en GB", "中文", "en\n"])
def test_what_is_no_language_tag(tag):
    with pytest.raises(InputError, match="BCP 47"):
        checked_language(tag)

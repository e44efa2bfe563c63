from __future__ import annotations

import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "assets" / "demo"
MARKUP = re.compile(r"</?[A-Za-z!?]|&(?:[A-Za-z]+|#\d+);")


def read_json(name: str):
    return json.loads((DEMO / name).read_text(encoding="utf-8"))


def read_corpus() -> list[dict[str, str]]:
    with (DEMO / "corpus.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, strict=True))


def read_judgements() -> list[tuple[str, str, int]]:
    with (DEMO / "judgements.tsv").open(encoding="utf-8", newline="") as lines:
        return [
            (row["query_id"], row["doc_id"], int(row["grade"]))
            for row in csv.DictReader(lines, delimiter="\t")
        ]


CORPUS = read_corpus()
QUERIES = [json.loads(line) for line in (DEMO / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
JUDGEMENTS = read_judgements()
RERANK = read_json("rerank_examples.json")
INSTRUCTION = read_json("instruction_examples.json")
SIMILARITY = read_json("similarity_example.json")


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def all_strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for entry in value.values():
            yield from all_strings(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from all_strings(entry)


def both_languages(entry: dict[str, str]) -> bool:
    return set(entry) == {"en", "zh"} and all(text.strip() for text in entry.values())


def test_the_corpus_is_large_and_varied_enough() -> None:
    topics = Counter(row["topic"] for row in CORPUS)
    languages = Counter(row["language"] for row in CORPUS)
    assert len(CORPUS) >= 360
    assert len(topics) >= 10
    assert min(topics.values()) >= 30
    assert len(languages) >= 7
    assert languages["en"] >= 110
    assert languages["zh"] >= 80
    assert all(languages[code] >= 25 for code in ("de", "es", "fr", "ja", "ru"))


def test_each_topic_speaks_every_language() -> None:
    spoken = defaultdict(set)
    for row in CORPUS:
        spoken[row["topic"]].add(row["language"])
    assert all(len(languages) >= 7 for languages in spoken.values())


def test_identifiers_and_texts_are_unique_and_filled() -> None:
    assert list(CORPUS[0]) == ["id", "text", "topic", "language", "date"]
    assert all(value and value == value.strip() for row in CORPUS for value in row.values())
    assert len({row["id"] for row in CORPUS}) == len(CORPUS)
    assert len({row["text"] for row in CORPUS}) == len(CORPUS)


def test_dates_are_real_and_spread_over_the_years() -> None:
    dates = [date.fromisoformat(row["date"]) for row in CORPUS]
    assert all(row["date"] == day.isoformat() for row, day in zip(CORPUS, dates, strict=True))
    assert {day.year for day in dates} == set(range(2019, 2027))


@pytest.mark.parametrize(
    ("language", "script"),
    [
        ("zh", r"[\u4e00-\u9fff]"),
        ("ja", r"[\u3040-\u30ff]"),
        ("ru", r"[\u0400-\u04ff]"),
        ("ar", r"[\u0600-\u06ff]"),
        ("en", r"[A-Za-z]"),
    ],
)
def test_the_language_column_agrees_with_the_script(language: str, script: str) -> None:
    texts = [row["text"] for row in CORPUS if row["language"] == language]
    assert all(len(re.findall(script, text)) > 0.2 * len(text) for text in texts)
    if language == "zh":
        assert not any(re.search(r"[\u3040-\u30ff]", text) for text in texts)


def test_documents_are_short_but_say_something() -> None:
    for row in CORPUS:
        text, language = row["text"], row["language"]
        if language == "zh":
            assert 25 <= len(text) <= 90, row["id"]
        elif language == "ja":
            assert 35 <= len(text) <= 120, row["id"]
        else:
            assert 12 <= len(text.split()) <= 60, row["id"]


def test_there_are_enough_queries_in_several_languages() -> None:
    languages = Counter(query["language"] for query in QUERIES)
    assert len(QUERIES) >= 48
    assert languages["en"] >= 24
    assert languages["zh"] >= 12
    assert sum(languages.values()) - languages["en"] - languages["zh"] >= 12
    assert len({query["id"] for query in QUERIES}) == len(QUERIES)
    assert all(query["text"].strip() for query in QUERIES)


def test_judgements_name_known_queries_and_documents_once() -> None:
    documents = {row["id"] for row in CORPUS}
    queries = {query["id"] for query in QUERIES}
    assert all(query in queries and document in documents for query, document, _ in JUDGEMENTS)
    assert {grade for _, _, grade in JUDGEMENTS} == {0, 1, 2, 3}
    assert len({(query, document) for query, document, _ in JUDGEMENTS}) == len(JUDGEMENTS)


def test_every_query_has_an_answer_and_tempting_zeros() -> None:
    grades = defaultdict(list)
    for query, _, grade in JUDGEMENTS:
        grades[query].append(grade)
    for query in QUERIES:
        judged = grades[query["id"]]
        assert len(judged) >= 5, query["id"]
        assert max(judged) >= 2, query["id"]
        assert judged.count(0) >= 2, query["id"]


def test_reworded_queries_do_not_simply_repeat_their_documents() -> None:
    texts = {row["id"]: row["text"] for row in CORPUS}
    queries = {query["id"]: query["text"] for query in QUERIES if not query["id"].startswith("q-plain")}
    content = {key: {word for word in words(text) if len(word) > 3} for key, text in queries.items()}
    for query, document, grade in JUDGEMENTS:
        if grade == 3 and query in content:
            assert len(content[query] & words(texts[document])) <= 3, (query, document)


def test_rerank_examples_hold_together() -> None:
    assert len(RERANK) >= 8
    assert len({example["id"] for example in RERANK}) == len(RERANK)
    for example in RERANK:
        documents, relevant = example["documents"], example["relevant"]
        assert 6 <= len(documents) <= 10
        assert len(set(documents)) == len(documents)
        assert relevant
        assert set(relevant) < set(range(len(documents)))
        assert len(set(relevant)) == len(relevant)
        assert example["instruction"].strip()
        assert example["query"].strip()
        assert both_languages(example["title"])
        assert both_languages(example["note"])


def test_the_parcel_example_hides_its_answer_from_word_counting() -> None:
    (hero,) = (example for example in RERANK if example["id"] == "parcel-refund")
    (answer,) = hero["relevant"]
    query = words(hero["query"]) - {"how", "do", "i", "my", "if", "get"}
    shared = [len(query & words(document)) for document in hero["documents"]]
    assert len(shared) == 8
    assert shared[answer] == 0
    assert all(count >= 1 for position, count in enumerate(shared) if position != answer)


def test_the_instruction_decides_which_document_is_right() -> None:
    assert len(INSTRUCTION) >= 6
    assert len({example["id"] for example in INSTRUCTION}) == len(INSTRUCTION)
    for example in INSTRUCTION:
        variants, documents = example["instructions"], example["documents"]
        right = [variant["right"] for variant in variants]
        assert len(variants) >= 2
        assert len(set(right)) == len(right), "each instruction has its own right document"
        assert set(right) < set(range(len(documents))), "one document is never right"
        assert len({variant["text"] for variant in variants}) == len(variants)
        assert both_languages(example["title"])
        assert all(both_languages(variant["label"]) for variant in variants)


def test_the_similarity_example_has_blocks_of_several_languages() -> None:
    queries, documents = SIMILARITY["queries"], SIMILARITY["documents"]
    assert 6 <= len(queries) <= 8
    assert 10 <= len(documents) <= 14
    assert both_languages(SIMILARITY["title"])
    assert both_languages(SIMILARITY["note"])
    assert len(SIMILARITY["query_themes"]) == len(queries)
    assert len(SIMILARITY["document_themes"]) == len(documents)
    themes = set(range(len(SIMILARITY["themes"])))
    for labels in (SIMILARITY["query_themes"], SIMILARITY["document_themes"]):
        assert set(labels) == themes
        assert labels == sorted(labels), "themes lie together, so that the blocks show"


@pytest.mark.parametrize(
    "name",
    sorted(
        str(path.relative_to(DEMO))
        for path in DEMO.rglob("*")
        if path.is_file() and path.suffix not in {".md", ".npz"}
    ),
)
def test_files_are_clean_utf8(name: str) -> None:
    content = (DEMO / name).read_bytes()
    text = content.decode("utf-8")
    assert not content.startswith(b"\xef\xbb\xbf")
    assert "\r" not in text
    assert "\ufffd" not in text
    assert text.endswith("\n")


def test_no_text_is_markup_or_breaks_a_line() -> None:
    texts = [*all_strings(CORPUS), *all_strings(QUERIES), *all_strings(RERANK)]
    texts += [*all_strings(INSTRUCTION), *all_strings(SIMILARITY)]
    for text in texts:
        assert text.strip()
        assert not MARKUP.search(text), text
        assert not re.search(r"[\n\r\t\x00\u2028]", text), text

"""Pairs made by rule: what each rule gives, and that the demo corpus alone is enough."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from explorer.errors import Cancelled, InputError
from explorer.progress import CancelToken
from explorer.training.pairs.pair import KINDS, TrainingPair, check_pairs
from explorer.training.sources.lexicon import Lexicon, Synset
from explorer.training.synthesis.documents import SourceDocument, read_documents
from explorer.training.synthesis.offline import OfflineGenerator
from explorer.training.synthesis.paraphrases import paraphrase, sentence_to_split
from explorer.training.synthesis.plan import SynthesisPlan
from explorer.training.synthesis.rules import (
    question_to_paragraph,
    sentence_to_context,
    term_to_definition,
    title_to_body,
)
from explorer.training.synthesis.run import synthesize
from explorer.training.synthesis.sentences import clauses, sentences, size, whole_sentences

CORPUS = Path(__file__).parents[2] / "assets" / "demo" / "corpus.csv"
NOTHING = Lexicon({}, {})


def by(
    rule, text: str, title: str = "", language: str = "en", lexicon: Lexicon = NOTHING
) -> list[TrainingPair]:
    return list(rule(SourceDocument(text, title, language), random.Random(0), lexicon))


def texts(pairs: list[TrainingPair]) -> list[tuple[str, str]]:
    return [(pair.query, pair.document) for pair in pairs]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One is here. Two is there! Is it three?", ["One is here.", "Two is there!", "Is it three?"]),
        ("It costs 3.5 dollars. e.g. this", ["It costs 3.5 dollars. e.g. this"]),
        ('He said "Stop!" Then he left.', ['He said "Stop!', "Then he left."]),
        ("第一句。第二句！“第三句。”", ["第一句。", "第二句！", "“第三句。”"]),
        ("Один. Два.", ["Один.", "Два."]),
        ("line one\n\nline two", ["line one", "line two"]),
        ("  ", []),
    ],
)
def test_sentences(text, expected):
    assert sentences(text) == expected


def test_sizes_and_clauses():
    assert (size("four words are here"), size("八个汉字在这里啊")) == (4, 4)
    assert clauses("先洗手，再吃饭；“好吗？”") == ["先洗手", "再吃饭", "好吗"]
    assert whole_sentences("Too short. This one is long enough. " + "X " * 300) == [
        "This one is long enough."
    ]


def test_a_title_asks_for_its_body():
    body = "Let it rise overnight. Then bake it hot, and do not cut it before it is cold."
    assert texts(by(title_to_body, f"Sourdough bread. {body}", "Sourdough bread")) == [
        ("Sourdough bread", body)
    ]
    assert by(title_to_body, "No title here. None at all.") == []
    assert by(title_to_body, "Sourdough bread", "Sourdough bread") == []


def test_a_term_asks_for_its_definition():
    gloss = "a dough that rises by wild yeast and bacteria"
    (pair,) = by(term_to_definition, gloss, "sourdough")
    assert "sourdough" in pair.query and pair.document == gloss
    assert by(title_to_body, gloss, "sourdough") == []
    (pair,) = by(term_to_definition, "A black hole is a region from which no light escapes. It grows.")
    assert "black hole" in pair.query and pair.provenance.source == "term to definition"
    (pair,) = by(term_to_definition, "光合作用是植物利用光能制造养分的过程。它需要水。", language="zh")
    assert "光合作用" in pair.query
    for text in (
        "It is a good day to go out.",
        "They are the best of all.",
        "这是一种很好的办法。",
        "Nothing of the kind.",
    ):
        assert by(term_to_definition, text, language="zh" if text > "z" else "en") == []


def test_questions_are_answered_by_the_whole_text():
    text = "The tower was built in 1889 by a French engineer. Visitors climb it by stairs or by lift."
    pairs = by(question_to_paragraph, text)
    assert len(pairs) == 2 and all(pair.document == text and pair.query for pair in pairs)
    (pair,) = by(question_to_paragraph, "普通感冒由病毒引起，抗生素只对细菌有效。", language="zh")
    assert any(clause in pair.query for clause in ("普通感冒由病毒引起", "抗生素只对细菌有效"))
    (pair,) = by(question_to_paragraph, "Die Wärmepumpe holt ihre Energie aus der Luft.", language="de")
    assert pair.query == "Wärmepumpe holt ihre Energie"
    assert pair.language == "de"


def test_a_sentence_asks_for_the_text_it_was_taken_from():
    text = "The kettle broke after eight months. The shop has to repair it for free. Nobody else does."
    found = texts(by(sentence_to_context, text))
    assert (
        "The kettle broke after eight months.",
        "The shop has to repair it for free. Nobody else does.",
    ) in found
    assert all(query not in document for query, document in found)
    assert by(sentence_to_context, "There is one sentence only here.") == []
    chinese = by(sentence_to_context, "绿茶完全没有经过发酵。红茶经过完全发酵。", language="zh")
    assert ("绿茶完全没有经过发酵。", "红茶经过完全发酵。") in texts(chinese)


@pytest.mark.parametrize(
    ("sentence", "divided", "language"),
    [
        ("The flight was cancelled, and the queue at the desk was endless.",
         "The flight was cancelled. The queue at the desk was endless.", "en"),
        ("The oil does not dry by water; it reacts with the air.",
         "The oil does not dry by water. It reacts with the air.", "en"),
        ("宣纸吸水快得很，所以写意画讲究一气呵成。", "宣纸吸水快得很。写意画讲究一气呵成。", "zh"),
    ],
)  # fmt: skip
def test_a_sentence_of_two_statements_is_divided(sentence, divided, language):
    (pair,) = by(sentence_to_split, sentence, language=language)
    assert (pair.query, pair.document) == (sentence, divided)
    assert (pair.kind, pair.instruction, pair.score) == ("similarity", "", None)


@pytest.mark.parametrize(
    "sentence", ["Bread and butter, and a cup of tea.", "热泵不是制造热量，而是搬运热量。"]
)
def test_a_list_or_a_contrast_is_not_divided(sentence):
    assert by(sentence_to_split, sentence) == []


@pytest.mark.parametrize(
    ("sentence", "changed"),
    [
        ("If the sauce tastes flat, save some of the water.", "Save some of the water if the sauce tastes flat."),
        ("Bread goes stale faster in the fridge, because cold makes it hard.",
         "Because cold makes it hard, bread goes stale faster in the fridge."),
        ("It's late and you don't sleep.", "It is late and you do not sleep."),
        ("如果走四步都疼，应该马上去拍片。", "应该马上去拍片，如果走四步都疼。"),
    ],
)  # fmt: skip
def test_clauses_change_places_and_contractions_are_written_out(sentence, changed):
    (pair,) = by(paraphrase, sentence, language="zh" if sentence > "z" else "en")
    assert pair.document == changed


def test_only_words_of_one_sense_are_replaced():
    synsets = {
        "n1": Synset(("physician", "doctor"), "g"),
        "n2": Synset(("bank", "shore"), "g"),
        "n3": Synset(("bank", "till"), "g"),
    }
    lexicon = Lexicon(synsets, {"physician": ("n1",), "bank": ("n2", "n3")})
    found = {
        pair.document
        for seed in range(20)
        for pair in paraphrase(
            SourceDocument("The physician saw the bank again."), random.Random(seed), lexicon
        )
    }
    assert found == {"The doctor saw the bank again."}


def run(documents, **plan) -> list[TrainingPair]:
    *_, last = synthesize(documents, OfflineGenerator(), SynthesisPlan(**plan))
    return list(last.partial.pairs)


def test_the_demo_corpus_alone_gives_pairs_of_three_kinds_in_every_language():
    documents = read_documents(CORPUS)
    pairs = run(documents, kinds=("retrieval", "similarity", "classification"), pairs_per_document=2)
    assert {pair.kind for pair in pairs} == {"retrieval", "similarity", "classification"}
    assert {pair.language for pair in pairs if pair.kind == "retrieval"} == {
        document.language for document in documents
    }
    assert {pair.provenance.source for pair in pairs} >= {
        "question to paragraph", "sentence to context", "term to definition", "sentence to split", "paraphrase",
        "text to label"}  # fmt: skip
    assert all(pair.provenance.generator == "offline" for pair in pairs)
    report = check_pairs(pairs)
    assert len(report.pairs) > len(documents) and report.dropped_empty == 0


def test_labels_of_other_documents_are_the_wrong_ones():
    documents = [SourceDocument(f"Text number {number}", label=label) for number, label in enumerate("aabbc")]
    pairs = run([*documents, SourceDocument("No label")], kinds=("classification",), documents_at_once=1)
    assert [(pair.document, set(pair.negatives)) for pair in pairs[::2]] == [
        ("a", {"b", "c"}), ("b", {"a", "c"}), ("c", {"a", "b"})]  # fmt: skip
    with pytest.raises(InputError, match="No rule"):
        run([SourceDocument("Text", label="a")], kinds=("classification",))


def test_the_same_seed_gives_the_same_pairs_in_any_batches():
    documents = read_documents(CORPUS)[:40]
    assert run(documents, documents_at_once=3, seed=5) == run(documents, documents_at_once=40, seed=5)
    assert run(documents, seed=5) != run(documents, seed=6)


def test_no_document_gives_more_than_was_asked_for_or_the_same_twice():
    text = "If it rains, we stay at home and read. The cat sleeps all day long. " * 3
    document = SourceDocument(text.strip(), "A quiet day")
    for count in (1, 3, 50):
        pairs = run([document], kinds=("retrieval", "similarity"), pairs_per_document=count)
        assert len(pairs) == len({(pair.query, pair.document) for pair in pairs})
        assert len(pairs) <= 2 * count


def test_rules_cannot_translate():
    with pytest.raises(InputError, match="cannot translate"):
        run(read_documents(CORPUS)[:2], kinds=("bitext",))


def test_the_rules_stop_when_asked():
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        next(synthesize([SourceDocument("A text. Another text.")], OfflineGenerator(), cancel=token))


WORDS = st.sampled_from(
    [
        "if ",
        "If ",
        "because ",
        ", and the ",
        "; ",
        ". ",
        "。",
        "，但",
        "如果",
        "是",
        "A ",
        "is a ",
        "don't ",
        "1889 ",
        '"',
        "\n",
        "é",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(min_size=1, max_size=200), st.lists(WORDS, min_size=1, max_size=60).map("".join)),
       st.text(max_size=20), st.sampled_from(["en", "zh", "ja", "de", "ar"]))  # fmt: skip
@example("0", "\r", "en")
@example("\r. Text", "Text", "zh")
def test_no_text_is_too_odd_for_the_rules(text, title, language):
    document = SourceDocument(text, title, language, "label")
    plan = {"kinds": tuple(kind for kind in KINDS if kind != "bitext"), "pairs_per_document": 4}
    for pair in run([document, SourceDocument("A text of its own", label="other")], **plan):
        assert pair.query.strip() and pair.document.strip()
        assert pair.query != pair.document


@pytest.mark.parametrize(
    "piece", ["if ", "a, and the ", "x; ", '."', "1,", "中，但", ". (", " ", "Because a, "]
)
def test_long_repetitions_do_not_hang_the_rules(piece):
    run(
        [
            SourceDocument("A" + piece * 30_000),
            SourceDocument("Stars twinkle in the sky. Planets never do that."),
        ]
    )

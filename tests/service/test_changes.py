"""Small changes of a text: what the rules write, and where they keep their hands off."""

from __future__ import annotations

import pytest

from explorer.errors import InputError
from explorer.service.changes.change import KINDS, PLACES, Kind, PairVersion
from explorer.service.changes.proposals import MOST, changes_of, first_new_change
from explorer.service.changes.sentence_spans import sentence_spans
from explorer.service.examples import rerank_examples


def changed(text: str, kind: Kind) -> list[str]:
    version = PairVersion("q", text, "i")
    return [change.version.document for change in changes_of(version, kind, "document")]


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("The library is open late.", "The library is not open late."),
        ("Contracts can be cancelled.", "Contracts cannot be cancelled."),
        ("You cannot borrow another.", "You can borrow another."),
        ("Paint thinners are never safe.", "Paint thinners are safe."),
        ("It isn't safe and you won't like it.", "It is safe and you won't like it."),
        ("There is no difference to tell.", "There is some difference to tell."),
        ("Is it safe to take ibuprofen?", "Is it not safe to take ibuprofen?"),
        ("How do bees tell each other?", "How do bees not tell each other?"),
        ("How deep does the Great Red Spot reach?", "How deep does the Great Red Spot not reach?"),
        ("Who was Aristotle's teacher?", "Who was not Aristotle's teacher?"),
        ("Retrieve passages that answer the query", "Retrieve passages that do not answer the query"),
        ("Our club meets once a month.", "It is not true that our club meets once a month."),
        ("充电宝可以带上飞机。", "充电宝不可以带上飞机。"),
        ("感冒时不要吃抗生素。", "感冒时要吃抗生素。"),
        ("账号还能登录吗？", "账号还不能登录吗？"),
        ("这个功能很好，性能是第一。", "这个功能很好，性能不是第一。"),
    ],
)
def test_a_sentence_becomes_its_opposite(text: str, negated: str) -> None:
    assert changed(text, "negate") == [negated]


@pytest.mark.parametrize(
    "text",
    ["Die Bank ist geschlossen.", "return [x for x in items if x not in seen]", "冷凍庫にあります。", ""],
)
def test_what_the_rules_do_not_know_is_left_alone(text: str) -> None:
    assert changed(text, "negate") == []


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("1,642 metres in 1842", ["3,284 metres in 1842", "1,642 metres in 1832"]),
        ("at least 16 GB below 1.3 kg", ["at least 32 GB below 1.3 kg", "at least 16 GB below 2.6 kg"]),
        ("80% of 0 cases", ["40% of 0 cases", "80% of 1 cases"]),
        ("Twelve days", ["Twenty-four days"]),
        ("twenty-five days, one day", []),
        ("大约九十分钟", ["大约一百八十分钟"]),
        ("一百零五天，第三天", ["二百一十天，第三天"]),
        ("model X2 and v1.5.2", []),
    ],
)
def test_a_number_becomes_another_of_the_same_form(text: str, others: list[str]) -> None:
    assert changed(text, "number") == others


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("From Paris to Berlin.", ["From Rome to Berlin.", "From Paris to Rome."]),
        ("木星比土星大。", ["火星比土星大。", "木星比火星大。"]),
        ("He learnt there from Theophrastus.", ["He learnt there from Aldermoor."]),
        ("It is on the Earth in May.", []),
        ("Die Bank hat ihre Filiale geschlossen.", []),
    ],
)
def test_a_name_becomes_another_of_its_kind_or_an_invented_one(text: str, others: list[str]) -> None:
    assert changed(text, "name") == others


def test_each_sentence_is_left_out_once_and_the_only_one_never() -> None:
    text = "First one. Second one!  Third?"
    assert changed(text, "sentence") == ["Second one!  Third?", "First one. Third?", "First one. Second one!"]
    assert changed("第一句。第二句。", "sentence") == ["第二句。", "第一句。"]
    assert changed("Only one.", "sentence") == []
    assert [text[start:end] for start, end in sentence_spans(text)] == ["First one.", "Second one!", "Third?"]


def test_stored_translations_go_both_ways_and_cover_the_queries_of_the_examples() -> None:
    for example in rerank_examples()[:15]:
        (there,) = changed(example.query, "translate")
        assert changed(there, "translate") == [example.query]
    assert changed("Nobody has translated this.", "translate") == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_change_differs_from_the_text_in_the_place_that_it_names(kind: Kind) -> None:
    for example in rerank_examples():
        version = PairVersion(example.query, example.documents[0], example.instruction)
        for place in PLACES:
            for change in changes_of(version, kind, place):
                assert change.version.text(place) != version.text(place)
                assert all(
                    change.version.text(other) == version.text(other) for other in PLACES if other != place
                )
                assert change.after in change.version.text(place)


def test_the_next_press_makes_the_next_change_until_all_are_tried() -> None:
    version = PairVersion("q", "Two eggs and three onions.", "i")
    first = first_new_change(version, "number", "document", [version])
    second = first_new_change(version, "number", "document", [version, first.version])
    assert (first.before, second.before) == ("Two", "three")
    with pytest.raises(InputError, match="has been tried"):
        first_new_change(version, "number", "document", [first.version, second.version])
    with pytest.raises(InputError, match="no number"):
        first_new_change(version, "number", "query", [])


def test_an_unknown_rule_or_text_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="negate, number, name, sentence, translate"):
        changed("text", "nonsense")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="document, query, instruction"):
        list(changes_of(PairVersion("q", "d", "i"), "negate", "nonsense"))  # type: ignore[arg-type]


@pytest.mark.parametrize("piece", ["9", "万", "s", "The ", "is not ", "Paris. ", "A" * 50, "'", "\n", "1,"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_very_long_text_of_one_piece_is_searched_to_its_end(kind: Kind, piece: str) -> None:
    assert len(changed((piece * (30_000 // len(piece) + 1))[:30_000], kind)) <= MOST

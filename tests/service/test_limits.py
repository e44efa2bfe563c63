from __future__ import annotations

import pytest

from explorer.errors import InputError, LimitError
from explorer.service.limits import LIMITS, checked_instruction, checked_query, checked_texts, clean


@pytest.mark.parametrize("empty", ["", "   ", "\n\t", "\0\0", "　"])
def test_nothing_to_look_for_is_said_in_one_sentence(empty: str) -> None:
    with pytest.raises(InputError, match="no query"):
        checked_query(empty)
    with pytest.raises(InputError, match="no documents"):
        checked_texts([empty, empty], 10, "service.documents_empty")


def test_control_characters_and_lone_surrogates_never_reach_a_tokenizer() -> None:
    assert clean(" a\0b\x1b[31m\ud800 \n") == "ab[31m�"
    clean("a\ud83d").encode("utf-8")


def test_a_text_at_the_limit_passes_and_one_beyond_does_not() -> None:
    assert len(checked_query("x" * LIMITS.characters)) == LIMITS.characters
    with pytest.raises(LimitError, match="100,001 characters"):
        checked_query("x" * (LIMITS.characters + 1))
    with pytest.raises(LimitError, match="Text 2 has 100,001"):
        checked_texts(["a", "x" * (LIMITS.characters + 1)], 10, "service.documents_empty")
    with pytest.raises(LimitError, match="instruction"):
        checked_instruction("x" * (LIMITS.instruction_characters + 1))


def test_as_many_texts_as_allowed_pass_and_one_more_does_not() -> None:
    kept, notices = checked_texts(["a"] * 5, 5, "service.documents_empty")
    assert kept == ("a",) * 5 and notices == ()
    with pytest.raises(LimitError, match="6 texts"):
        checked_texts(["a"] * 6, 5, "service.documents_empty")


def test_empty_texts_are_left_out_and_counted() -> None:
    kept, (notice,) = checked_texts(["a", " ", "b", ""], 10, "service.documents_empty")
    assert kept == ("a", "b")
    assert notice.text("en") == "Empty texts were left out: 2. 2 remain."


def test_no_instruction_and_an_empty_one_are_the_same() -> None:
    assert checked_instruction(None) is None
    assert checked_instruction("  ") is None
    assert checked_instruction(" Find answers ") == "Find answers"

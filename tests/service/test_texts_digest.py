from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from explorer.service.demo_map import texts_digest

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5).map(tuple)


@given(TEXTS, TEXTS)
def test_only_equal_lists_share_a_name(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert (texts_digest(one) == texts_digest(other)) == (one == other)


def test_where_a_text_ends_is_part_of_the_name() -> None:
    assert texts_digest(("ab", "c")) != texts_digest(("a", "bc"))

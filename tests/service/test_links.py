"""Links: what goes in comes out, and a hostile one brings nothing but a sentence."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest

from explorer.errors import InputError, LimitError
from explorer.service.limits import LIMITS
from explorer.service.links import LINK_CHARACTERS, LinkedInputs, is_link, make_link, read_link

INPUTS = LinkedInputs(
    view="rerank",
    queries=("Which planet is <b>red</b>?",),
    documents=("Mars; $(reboot) `x` 'y' \"z\"", "木星很大\n两行", "\u202egnp.exe", "😀{0}%s\\u0041"),
    instruction="Given a query, …",
    template="evaluation",
    tab="counterfactuals",
)


def packed(value: Any, compressed: bytes | None = None) -> str:
    """A link of anything, as an attacker would write it."""
    data = zlib.compress(json.dumps(value).encode()) if compressed is None else compressed
    return "#explorer=1." + base64.urlsafe_b64encode(data).decode().rstrip("=")


def fields(**changed: Any) -> dict[str, Any]:
    return {
        "view": "rerank",
        "queries": ["q"],
        "documents": ["d"],
        "instruction": "",
        "template": "model_card",
        "tab": "",
    } | changed


@pytest.mark.parametrize("fragment", [make_link(INPUTS), "#" + make_link(INPUTS)])
def test_what_goes_into_a_link_comes_out(fragment: str) -> None:
    assert is_link(fragment)
    assert read_link(fragment) == INPUTS
    assert set(fragment) <= set("#=.-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def test_a_view_with_nothing_in_it_can_be_linked() -> None:
    empty = LinkedInputs("similarity", (), ())
    assert read_link(make_link(empty)) == empty


@pytest.mark.parametrize(
    "fragment",
    [
        "",
        "#",
        "#view=map",
        "#explorer=1.",
        "#explorer=1.!!!!",
        "#explorer=1.AAAA",
        "#explorer=2." + make_link(INPUTS)[11:],
        make_link(INPUTS)[:-9],
        make_link(INPUTS) + "AAAA",
        make_link(INPUTS).replace("1.e", "1.f", 1),
        packed(None, zlib.compress(b"\xff\xfe")),
        packed(None, zlib.compress(b"[" * 100_000)),
        packed(None, zlib.compress(b'{"a":' * 50_000)),
        packed(None, zlib.compress(b"9" * 10_000)),
        packed([]),
        packed("text"),
        packed(fields(more="x")),
        packed({"view": "rerank"}),
        packed(fields(view="map")),
        packed(fields(view=["rerank"])),
        packed(fields(template="nonsense")),
        packed(fields(template={})),
        packed(fields(queries="q")),
        packed(fields(queries=[["q"]])),
        packed(fields(documents=[1, 2])),
        packed(fields(documents={"0": "d"})),
        packed(fields(instruction=None)),
        packed(fields(tab="<img src=x onerror=alert(1)>")),
        packed(fields(tab="../../etc")),
        packed(fields(tab=7)),
    ],
)
def test_whatever_is_not_a_link_of_ours_is_refused_in_one_sentence(fragment: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_link(fragment)


def test_a_small_link_that_would_unpack_to_much_is_stopped_early() -> None:
    bomb = zlib.compress(b'{"view":"' + b"a" * 20_000_000, 9)
    assert len(bomb) < LINK_CHARACTERS
    with pytest.raises(InputError, match="cannot be read"):
        read_link(packed(None, bomb))


@pytest.mark.parametrize(
    "changed",
    [
        {"queries": ["a", "b"]},
        {"documents": ["d"] * (LIMITS.rerank_documents + 1)},
        {"documents": ["d" * (LIMITS.characters + 1)]},
        {"instruction": "i" * (LIMITS.instruction_characters + 1)},
    ],
)
def test_a_link_holds_no_more_than_a_visitor_may_type(changed: dict[str, Any]) -> None:
    with pytest.raises(LimitError):
        read_link(packed(fields(**changed)))


def test_control_characters_and_lone_surrogates_do_not_come_through() -> None:
    read = read_link(packed(fields(queries=["a\0b\x1b[31m"], documents=["\ud800x"])))
    assert read.queries == ("ab[31m",)
    assert read.documents == ("\ufffdx",)


def test_a_link_that_would_be_too_long_is_not_made() -> None:
    noise = "".join(chr(0x4E00 + (number * 7919) % 20_000) for number in range(30_000))
    with pytest.raises(LimitError, match="32,000"):
        make_link(LinkedInputs("rerank", ("q",), (noise,)))
    with pytest.raises(LimitError, match="32,000"):
        read_link("#explorer=1." + "A" * LINK_CHARACTERS)

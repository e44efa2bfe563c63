"""Links that restore what stands in a view: its inputs as compressed text behind the ``#`` of the page's address.

A browser keeps what follows the ``#`` to itself, so texts in a link reach neither a log nor a proxy; the page hands
them over once it is open. A link holds texts and choices, nothing that is run, and whatever comes with one is checked
as if a stranger had typed it.

The form is ``explorer=1.`` and base64url (RFC 4648, section 5) of zlib-compressed (RFC 1950) JSON.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from explorer.engine.prompts import RerankTemplate
from explorer.errors import InputError, LimitError
from explorer.service.compare import Comparison
from explorer.service.limits import LIMITS, checked_instruction, clean
from explorer.service.rerank import Reranking

LinkedView = Literal["rerank", "similarity"]

LINK_CHARACTERS = 32_000
"""Longest link that is made or read; browsers take more, mail programs and chats often less."""

UNPACKED_BYTES = 400_000
"""Most that a link may unpack to: a short one could unpack to gigabytes."""

_BEGINNING = "explorer=1."
_TAB = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True)
class LinkedInputs:
    """What a link restores.

    Attributes:
        view: ``"rerank"`` or ``"similarity"``.
        queries: One query for Rerank, one or more for Similarity.
        documents: The documents, whether they came from lines, a table or a file.
        instruction: As typed; empty for none.
        template: Which official prompt of the reranker.
        tab: Name of the panel that stands open, or empty.
    """

    view: LinkedView
    queries: tuple[str, ...]
    documents: tuple[str, ...]
    instruction: str = ""
    template: RerankTemplate = "model_card"
    tab: str = ""


def make_link(inputs: LinkedInputs) -> str:
    """Write inputs as the part of a link that follows the ``#``.

    Args:
        inputs: What the link restores.

    Returns:
        Letters, digits, ``=``, ``.``, ``-`` and ``_``.

    Raises:
        InputError: The inputs are not of their kinds, or more than the explorer allows.
        LimitError: The link would be too long.
    """
    packed = json.dumps(asdict(_checked(asdict(inputs))), ensure_ascii=False, separators=(",", ":"))
    unpacked = packed.encode("utf-8")
    encoded = base64.urlsafe_b64encode(zlib.compress(unpacked, 9)).decode("ascii").rstrip("=")
    link = _BEGINNING + encoded
    if len(link) > LINK_CHARACTERS or len(unpacked) > UNPACKED_BYTES:
        raise LimitError("links.too_long", count=len(link), limit=LINK_CHARACTERS)
    return link


def inputs_of(shown: Reranking | Comparison, tab: str = "") -> LinkedInputs:
    """Give the inputs behind a result.

    Args:
        shown: A ranking or a comparison.
        tab: Name of the panel of the Rerank view that is to stand open, or empty.
    """
    if isinstance(shown, Reranking):
        template = shown.scores.template
        return LinkedInputs("rerank", (shown.query,), shown.documents, shown.instruction, template, tab)
    return LinkedInputs("similarity", shown.queries, shown.documents, shown.instruction or "")


def is_link(fragment: str) -> bool:
    """Tell whether the part of an address after the ``#`` was made by :func:`make_link`.

    Args:
        fragment: With or without the ``#``.
    """
    return fragment.removeprefix("#").startswith(_BEGINNING)


def read_link(fragment: str) -> LinkedInputs:
    """Read a link.

    Args:
        fragment: The part of the address after the ``#``, with or without it, from wherever.

    Returns:
        The inputs, cleaned like typed ones.

    Raises:
        InputError: It is not a link of this explorer, or was damaged.
        LimitError: It is too long, or unpacks to too much.
    """
    if not isinstance(fragment, str) or not is_link(fragment):
        raise InputError("links.unreadable")
    if len(fragment) > LINK_CHARACTERS + 1:
        raise LimitError("links.too_long", count=len(fragment), limit=LINK_CHARACTERS)
    encoded = fragment.removeprefix("#").removeprefix(_BEGINNING)
    try:
        packed = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        unpacking = zlib.decompressobj()
        unpacked = unpacking.decompress(packed, UNPACKED_BYTES)
        if unpacking.unconsumed_tail or not unpacking.eof or unpacking.unused_data:
            raise InputError("links.unreadable")
        return _checked(_parsed(unpacked.decode("utf-8")))
    except (binascii.Error, zlib.error, ValueError, RecursionError) as error:
        raise InputError("links.unreadable") from error


def _parsed(text: str) -> Mapping[str, Any]:
    parsed = json.loads(text)
    if not isinstance(parsed, dict) or parsed.keys() != LinkedInputs.__dataclass_fields__.keys():
        raise InputError("links.unreadable")
    return parsed


def _checked(raw: Mapping[str, Any]) -> LinkedInputs:
    """Take only what has the right kind, cleaned, and within the limits of the view."""
    view, template, tab, instruction = raw["view"], raw["template"], raw["tab"], raw["instruction"]
    if view not in get_args(LinkedView) or template not in get_args(RerankTemplate):
        raise InputError("links.unreadable")
    if not isinstance(tab, str) or (tab and not _TAB.fullmatch(tab)):
        raise InputError("links.unreadable")
    if not isinstance(instruction, str):
        raise InputError("links.unreadable")
    most_queries = 1 if view == "rerank" else LIMITS.compared_texts
    most_documents = LIMITS.rerank_documents if view == "rerank" else LIMITS.compared_texts
    return LinkedInputs(
        view=view,
        queries=_texts(raw["queries"], most_queries),
        documents=_texts(raw["documents"], most_documents),
        instruction=checked_instruction(instruction) or "",
        template=template,
        tab=tab,
    )


def _texts(raw: object, most: int) -> tuple[str, ...]:
    if not isinstance(raw, list | tuple) or not all(isinstance(text, str) for text in raw):
        raise InputError("links.unreadable")
    if len(raw) > most:
        raise LimitError("service.too_many", count=len(raw), limit=most)
    texts = tuple(clean(text) for text in raw)
    longest = max(map(len, texts), default=0)
    if longest > LIMITS.characters:
        place = next(place for place, text in enumerate(texts, start=1) if len(text) == longest)
        raise LimitError("service.text_long", position=place, count=longest, limit=LIMITS.characters)
    return texts

"""Pairs: a query, the document that belongs to it, and where both came from.

Pairs are kept as JSON Lines, one object a line with the fields of :class:`TrainingPair`; only ``query`` and
``document`` must be there. Tables (CSV, TSV) with the same names as columns are read too.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from explorer.engine.prompts import DEFAULT_INSTRUCTION
from explorer.errors import InputError
from explorer.training.pairs.files import Record, read_records, write_whole

PairKind = Literal["retrieval", "bitext", "classification", "similarity"]
"""The four kinds that the report synthesises (arXiv 2506.05176, section 3.3)."""

KINDS: tuple[PairKind, ...] = get_args(PairKind)

_LANGUAGE_TAG = re.compile(
    r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"
)
"""Language, script, region and variants of RFC 5646 (BCP 47), section 2.1; the shape, not the registry."""


@dataclass(frozen=True)
class PairProvenance:
    """Who or what made a pair.

    Attributes:
        generator: ``"language model"``, ``"server"``, ``"offline"``, ``"upload"`` or ``"labelled"``.
        model: Name of the language model; empty where none was used.
        source: File, data set or rule, for instance ``"title to body"``.
        configuration: What the generator was asked for, by name: persona, question type, difficulty, length.
    """

    generator: str
    model: str = ""
    source: str = ""
    configuration: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class TrainingPair:
    """A query and a document that belongs to it.

    Attributes:
        query: What is searched for, without its instruction.
        document: What answers it.
        kind: What sort of pair it is.
        instruction: Task of the query; empty where the query stands raw, as in symmetric similarity.
        negatives: Documents that are known not to answer the query.
        score: Graded similarity in [0, 1] for pairs of kind ``"similarity"``; None for a plain positive.
        language: BCP 47 tag of the query.
        provenance: Where the pair came from.
    """

    query: str
    document: str
    kind: PairKind = "retrieval"
    instruction: str = DEFAULT_INSTRUCTION
    negatives: tuple[str, ...] = ()
    score: float | None = None
    language: str = "en"
    provenance: PairProvenance = PairProvenance("upload")


@dataclass(frozen=True)
class PairReport:
    """Pairs that can be trained on, and how many were left out.

    Attributes:
        pairs: Distinct pairs with two sides, in their order.
        dropped_empty: Pairs with a side of nothing but white space.
        dropped_duplicate: Pairs that repeat an earlier one in kind, instruction, query and document.
    """

    pairs: tuple[TrainingPair, ...]
    dropped_empty: int
    dropped_duplicate: int


def check_pairs(pairs: Sequence[TrainingPair]) -> PairReport:
    """Leave out what cannot teach, and refuse a set from which nothing can be learnt.

    Args:
        pairs: As read or made.

    Returns:
        What is left, with counts of what is not.

    Raises:
        InputError: Fewer than two pairs are left, all documents are the same text, or every query is its document.
    """
    whole = [pair for pair in pairs if pair.query.strip() and pair.document.strip()]
    distinct: dict[tuple[str, ...], TrainingPair] = {}
    for pair in whole:
        distinct.setdefault((pair.kind, pair.instruction, pair.query.strip(), pair.document.strip()), pair)
    kept = tuple(distinct.values())
    _refuse_unteachable(whole, kept)
    return PairReport(kept, len(pairs) - len(whole), len(whole) - len(kept))


def _refuse_unteachable(whole: Sequence[TrainingPair], kept: Sequence[TrainingPair]) -> None:
    """Raise when no contrast is left between documents, or between the two sides of a pair."""
    contrasted = any(pair.negatives or pair.score is not None for pair in whole)
    if len(whole) > 1 and not contrasted and len({pair.document.strip() for pair in whole}) == 1:
        raise InputError("pairs.all_identical", count=len(whole))
    if len(kept) < 2:
        raise InputError("pairs.too_few", count=len(kept))
    if all(pair.query.strip() == pair.document.strip() for pair in kept):
        raise InputError("pairs.sides_equal", count=len(kept))


def checked_language(tag: str) -> str:
    """Check the shape of a language tag.

    Args:
        tag: For instance ``"en"``, ``"zh-Hans"`` or ``"pt-BR"``.

    Returns:
        The same tag.

    Raises:
        InputError: It is not shaped like a BCP 47 tag.
    """
    if not _LANGUAGE_TAG.fullmatch(tag):
        raise InputError("pairs.language_tag", tag=tag[:40])
    return tag


def read_pairs(path: Path) -> list[TrainingPair]:
    """Read pairs from a file.

    Args:
        path: JSON Lines, or a table when its name ends in ``.csv`` or ``.tsv``.

    Returns:
        Every pair, empty and repeated ones too; see :func:`check_pairs`.

    Raises:
        InputError: The file cannot be read, or a line holds no pair; the message names the line.
        CorpusError: The bytes are no text.
    """
    return [_pair(record, path.name) for record in read_records(path)]


def write_pairs(pairs: Iterable[TrainingPair], path: Path) -> None:
    """Write pairs as JSON Lines; a file that is already there is replaced only by the whole new one.

    Args:
        pairs: The pairs.
        path: The file.

    Raises:
        InputError: The disk is full, or the file cannot be written.
    """
    write_whole(path, (_line(pair) for pair in pairs))


def _line(pair: TrainingPair) -> str:
    """Write one pair as a JSON object with every field."""
    return json.dumps(dataclasses.asdict(pair), ensure_ascii=False)


def _pair(record: Record, file: str) -> TrainingPair:
    """Make a pair of a line's fields after checking each."""
    record.refuse_unknown(field.name for field in dataclasses.fields(TrainingPair))
    kind = record.text("kind", "retrieval")
    if kind not in KINDS:
        raise InputError("pairs.kind_unknown", line=record.line, kind=kind[:40], known=", ".join(KINDS))
    language = record.text("language", "en")
    if not _LANGUAGE_TAG.fullmatch(language):
        raise InputError("pairs.line_language", line=record.line, tag=language[:40])
    return TrainingPair(
        query=record.text("query"),
        document=record.text("document"),
        kind=kind,
        instruction=record.text("instruction", DEFAULT_INSTRUCTION),
        negatives=record.texts("negatives"),
        score=record.share("score"),
        language=language,
        provenance=_provenance(record.inner("provenance"), file),
    )


def _provenance(record: Record | None, file: str) -> PairProvenance:
    """Read where a pair came from; a line that does not say came from the file itself."""
    if record is None:
        return PairProvenance("upload", source=file)
    record.refuse_unknown(field.name for field in dataclasses.fields(PairProvenance))
    return PairProvenance(
        generator=record.text("generator"),
        model=record.text("model", ""),
        source=record.text("source", ""),
        configuration=record.named_texts("configuration"),
    )

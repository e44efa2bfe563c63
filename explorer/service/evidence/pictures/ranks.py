"""Pictures of a reranking: how documents moved, and how sure the reranker was."""

from __future__ import annotations

import unicodedata
from itertools import accumulate

import numpy as np

from explorer.provenance import Provenance
from explorer.service.evidence.pictures.drawing import (
    FELL,
    GRID,
    INK,
    QUIET,
    ROSE,
    STAYED,
    Anchor,
    Colour,
    Drawing,
    Label,
    Mark,
    Shape,
    box,
)
from explorer.service.rerank import Reranking
from explorer.texts import Language, say

WIDTH = 1000.0
TOP = 86.0
ROW = 26.0
BOTTOM = 44.0
EXCERPT = 34
MIDDLE = 660.0
HALF_BAR = 200.0


def movement_picture(shown: Reranking, language: Language) -> Drawing:
    """Draw each document as a line from the embedding model's rank to the reranker's.

    Args:
        shown: The result on screen.
        language: What the reader reads.

    Returns:
        The picture; the longest moves lie on top.
    """
    moved = shown.movement.moved
    titles = [_movement_title(shown, each) for each in (language, "en")]
    left, right = 330.0, 640.0
    marks: list[Mark] = [
        Label(
            left + 16, TOP - 24, say("evidence.first_order", language), "Embedding model", 13, "end", QUIET
        ),
        Label(right, TOP - 24, say("evidence.second_order", language), "Reranker", 13, "start", QUIET),
    ]
    for index in np.argsort(np.abs(moved), kind="stable"):
        marks += _moved_document(shown, int(index), left, right, language)
    height = TOP + ROW * len(shown.documents) + BOTTOM
    return _drawing(shown, titles, marks, height, language)


def log_odds_picture(shown: Reranking, language: Language) -> Drawing:
    """Draw each document's log-odds as a bar from zero, in the reranker's order.

    Args:
        shown: The result on screen.
        language: What the reader reads.

    Returns:
        The picture.
    """
    scores = shown.scores
    count, total = int((scores.log_odds > 0).sum()), len(shown.documents)
    titles = [say("evidence.log_odds_title", each, count=count, total=total) for each in (language, "en")]
    reach = HALF_BAR / max(float(np.abs(scores.log_odds).max()), 1e-6)
    height = TOP + ROW * total + BOTTOM
    axis = say("evidence.log_odds_axis", language)
    marks: list[Mark] = [
        Label(MIDDLE, TOP - 24, axis, "no <- log-odds of yes -> yes", 13, "middle", QUIET),
        Shape(((MIDDLE, TOP - 14), (MIDDLE, height - BOTTOM)), GRID, 1.5),
    ]
    for index in range(total):
        marks += _judged_document(shown, index, reach, language)
    return _drawing(shown, titles, marks, height, language)


def signed(value: float, digits: int = 2) -> str:
    """Write a number with its sign, and a minus as long as a plus."""
    return f"{value:+.{digits}f}".replace("-", "−")


def excerpt(text: str, limit: int = EXCERPT) -> str:
    """Keep the beginning of a text, on one line.

    Args:
        text: Any text.
        limit: Most columns; a wide East Asian character takes two (Unicode Annex 11).
    """
    line = "".join(letter if letter.isprintable() else " " for letter in " ".join(text.split()))
    ends = accumulate(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)
    kept = sum(end <= limit for end in ends)
    return line if kept == len(line) else line[: max(1, kept - 1)] + "…"


def _movement_title(shown: Reranking, language: Language) -> str:
    moved = shown.movement.moved
    count, total = int((moved != 0).sum()), len(moved)
    if not count:
        return say("evidence.movement_title_none", language, total=total)
    furthest = int(np.abs(moved).max())
    return say("evidence.movement_title", language, count=count, total=total, furthest=furthest)


def _moved_document(
    shown: Reranking, index: int, left: float, right: float, language: Language
) -> tuple[Mark, ...]:
    movement = shown.movement
    first, second, moved = (
        int(ranks[index]) for ranks in (movement.first_ranks, movement.second_ranks, movement.moved)
    )
    start, end = (TOP + ROW * (rank - 0.5) for rank in (first, second))
    colour = ROSE if moved > 0 else FELL if moved < 0 else STAYED
    line = Shape(((left + 52, start), (right - 24, end)), colour, 2.5, _sentence(shown, index, language))
    step = f"{moved:+d}".replace("-", "−") if moved else "0"
    return (
        line,
        _direction(right - 14, end, moved, colour),
        Label(left + 16, start + 5, excerpt(shown.documents[index]), f"Document {index + 1}", 13, "end"),
        Label(left + 46, start + 5, f"{first}.", size=13, anchor="end", colour=QUIET),
        Label(right, end + 5, f"{second}.", size=13, colour=QUIET),
        Label(right + 34, end + 5, step, size=13, colour=colour),
        Label(right + 74, end + 5, signed(float(shown.scores.log_odds[index])), size=13),
        Label(right + 134, end + 5, excerpt(shown.documents[index], 28), f"Document {index + 1}", 13),
    )


def _judged_document(shown: Reranking, index: int, reach: float, language: Language) -> tuple[Mark, ...]:
    """Draw one bar, which is ``reach`` pixels long for log-odds of 1, with its numbers at the end."""
    value, rank = float(shown.scores.log_odds[index]), int(shown.movement.second_ranks[index])
    y, end = TOP + ROW * (rank - 0.5), MIDDLE + value * reach
    colour = ROSE if value > 0 else FELL
    words = f"{signed(value)}  (P {shown.scores.probability[index]:.3f})"
    anchor: Anchor = "start" if value > 0 else "end"
    beside = end + 8 if value > 0 else end - 8
    return (
        box(min(MIDDLE, end), y - 8, abs(end - MIDDLE), 16, colour, _sentence(shown, index, language)),
        Label(beside, y + 5, words, size=13, anchor=anchor),
        Label(50, y + 5, f"{rank}.", size=13, anchor="end", colour=QUIET),
        Label(60, y + 5, excerpt(shown.documents[index], 38), f"Document {index + 1}", 13),
    )


def _direction(x: float, y: float, moved: int, colour: Colour) -> Shape:
    """Draw a triangle up or down, or a bar for a document that stayed."""
    if moved > 0:
        return Shape(((x - 6, y + 5), (x + 6, y + 5), (x, y - 6)), colour)
    if moved < 0:
        return Shape(((x - 6, y - 5), (x + 6, y - 5), (x, y + 6)), colour)
    return box(x - 6, y - 2, 12, 4, colour)


def _sentence(shown: Reranking, index: int, language: Language) -> str:
    return say(
        "evidence.document_sentence",
        language,
        number=index + 1,
        text=excerpt(shown.documents[index], 120),
        first=int(shown.movement.first_ranks[index]),
        second=int(shown.movement.second_ranks[index]),
        cosine=f"{shown.cosines[index]:.3f}",
        log_odds=signed(float(shown.scores.log_odds[index])),
        probability=f"{shown.scores.probability[index]:.3f}",
    )


def _drawing(
    shown: Reranking, titles: list[str], marks: list[Mark], height: float, language: Language
) -> Drawing:
    captions = [_caption(shown, each) for each in (language, "en")]
    heading = Label(30, 32, titles[0], titles[1], 18, colour=INK)
    foot = Label(30, height - 14, captions[0], captions[1], 12, colour=QUIET)
    names = ("number", "second_rank", "log_odds", "probability", "first_rank", "cosine", "document")
    best_first = np.argsort(shown.movement.second_ranks)
    return Drawing(
        title=titles[0],
        caption=f"{captions[0]} {bundled_line(language, shown.scores.provenance, shown.embedding)}".strip(),
        width=WIDTH,
        height=height,
        marks=(heading, *marks, foot),
        columns=tuple(say(f"evidence.column_{name}", language) for name in names),
        rows=tuple(_row(shown, int(index)) for index in best_first),
    )


def bundled_line(language: Language, *made: Provenance) -> str:
    """Say that bundled models are small ones, where one of them made the numbers; else nothing."""
    return say("rerank.bundled_line", language) if any(model.weights == "bundled" for model in made) else ""


def _caption(shown: Reranking, language: Language) -> str:
    reranker, embedding = shown.scores.provenance.line, shown.embedding.line
    return say("rerank.model_line", language, reranker=reranker, embedding=embedding)


def _row(shown: Reranking, index: int) -> tuple[str, ...]:
    scores, movement = shown.scores, shown.movement
    return (
        str(index + 1),
        str(movement.second_ranks[index]),
        signed(float(scores.log_odds[index]), 4),
        f"{scores.probability[index]:.4f}",
        str(movement.first_ranks[index]),
        f"{shown.cosines[index]:.4f}",
        shown.documents[index],
    )

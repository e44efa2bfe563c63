"""Where the sentences of a text stand, and the text without one of them."""

from __future__ import annotations

from collections.abc import Iterator

from explorer.service.changes.change import Edit
from explorer.training.synthesis.sentences import sentences


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Find the sentences of a text.

    Args:
        text: Any text.

    Returns:
        Start and end of each, white space around it left out.
    """
    spans, reached = [], 0
    for sentence in sentences(text):
        start = text.index(sentence, reached)
        reached = start + len(sentence)
        spans.append((start, reached))
    return spans


def drop_sentence(text: str) -> Iterator[Edit]:
    """Leave out one sentence; a text of a single sentence allows no such edit.

    Args:
        text: Any text.

    Yields:
        One edit for each sentence.
    """
    spans = sentence_spans(text)
    if len(spans) < 2:
        return
    for number, (start, end) in enumerate(spans):
        following = spans[number + 1][0] if number + 1 < len(spans) else len(text)
        begins = start if number + 1 < len(spans) else spans[number - 1][1]
        yield Edit(begins, max(end, following), "")

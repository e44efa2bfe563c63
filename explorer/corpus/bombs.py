"""Refuse files whose contents are far larger than the file, before the contents take memory."""

from __future__ import annotations

from explorer.corpus.table import ReadLimits
from explorer.errors import CorpusError


def refuse_bomb(contents: int, size: int, limits: ReadLimits) -> None:
    """Refuse a compressed file by the size of its contents.

    Args:
        contents: Bytes of the contents, declared or counted so far.
        size: Bytes of the file.
        limits: The greatest size, and the greatest ratio above a floor.

    Raises:
        CorpusError: The contents are too large in themselves, or suspiciously large for such a small file.
    """
    if contents > limits.most_contents(size):
        raise CorpusError("corpus.bomb", megabytes=contents / 1e6, size=size / 1e6)

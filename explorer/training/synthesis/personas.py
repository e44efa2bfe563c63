"""Who might ask about a document.

The report retrieves the five nearest personas of Persona Hub for each document and lets the language model choose
(arXiv 2506.05176, section 3.3 and appendix A.1). Here a short list written for this project stands in for the Hub.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from explorer.engine.embedder import Embedder
from explorer.progress import CancelToken
from explorer.training.synthesis.documents import SourceDocument

CANDIDATES = 5
"""How many personas the model chooses from, as in the report."""

INSTRUCTION = "Given a passage, retrieve the person who would ask about it"
"""Instruction under which documents are compared with personas."""


@cache
def personas(language: str) -> tuple[str, ...]:
    """List the personas.

    Args:
        language: BCP 47 tag of the document.

    Returns:
        In Chinese for Chinese documents, else in English.
    """
    lists = tomllib.loads(Path(__file__).with_name("personas.toml").read_text(encoding="utf-8"))
    return tuple(lists["zh" if language.split("-")[0].lower() == "zh" else "en"])


def candidates(
    documents: Sequence[SourceDocument],
    draws: Sequence[random.Random],
    embedder: Embedder | None,
    cancel: CancelToken | None = None,
) -> list[tuple[str, ...]]:
    """Choose a few personas for each document.

    Args:
        documents: The documents.
        draws: One source of randomness each, for when there is no embedding model.
        embedder: Ranks the personas by cosine; None to draw them.
        cancel: Stops between batches.

    Returns:
        :data:`CANDIDATES` personas a document, the nearest first.

    Raises:
        Cancelled: The person asked to stop.
    """
    lists = [personas(document.language) for document in documents]
    if embedder is None:
        return [tuple(draw.sample(known, CANDIDATES)) for known, draw in zip(lists, draws, strict=True)]
    asked = embedder.encode([document.text for document in documents], INSTRUCTION, cancel=cancel)
    found = []
    for known, vector in zip(lists, asked, strict=True):
        cosines = embedder.encode(known, cancel=cancel) @ vector
        found.append(tuple(known[index] for index in np.argsort(-cosines, kind="stable")[:CANDIDATES]))
    return found

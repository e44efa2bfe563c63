"""What the two teachers of the bundled models say about the texts of the pairs."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from explorer.training.distil.targets import clip
from explorer.training.distil.teachers import (
    Matrix,
    english_teacher,
    fit_joint_space,
    multilingual_teacher,
    unit,
)
from explorer.training.embedding.objective import TeacherVectors
from explorer.training.mini_reranker.parts import as_parts
from explorer.training.pairs.pair import TrainingPair

log = logging.getLogger("explorer.training.bundled")
DIMENSIONS = 384
"""Axes of the joint space that are kept; the rest holds under one part in a hundred of the similarities."""
FIRST_READ = ("stsb-multi-mt", "written", "wiki-split", "clinc150", "banking77", "wordnet", "debian-en")
"""The English teacher is slow: it reads these sources first, as far as its count of texts goes."""
_ASCII = re.compile(r"[\x00-\x7f‘’“”–—]+")


def teach(pairs: Sequence[TrainingPair], folder: Path, english_texts: int) -> None:
    """Let the teachers read, and keep one vector a text in the joint space.

    Args:
        pairs: All pairs of all stages.
        folder: Receives ``teacher.npy`` [texts, 384] and ``teacher.json``, the texts.
        english_texts: How many English texts the English teacher reads too.
    """
    texts = list(dict.fromkeys(clip(text) for pair in pairs for text in _texts(pair)))
    chosen = _english(pairs)[:english_texts]
    log.info("%d texts, %d of them read by both teachers", len(texts), len(chosen))
    multilingual = multilingual_teacher()(texts)
    english = english_teacher()(chosen)
    row = {text: place for place, text in enumerate(texts)}
    both = [row[text] for text in chosen]
    known = set(both)
    others = [place for place in range(len(texts)) if place not in known][:40_000]
    space = fit_joint_space(english, multilingual[both], multilingual[others], DIMENSIONS)
    vectors = space.from_multilingual(multilingual)
    vectors[both] = space.from_both(english, multilingual[both])
    np.save(folder / "teacher.npy", vectors.astype(np.float16))
    (folder / "teacher.json").write_text(json.dumps(texts, ensure_ascii=False), "utf-8")


def read_teacher(folder: Path, pairs: Sequence[TrainingPair], parts: bool) -> TeacherVectors:
    """Look up what the teachers said about the texts of some pairs.

    Args:
        folder: Where :func:`teach` wrote.
        pairs: The pairs, as they are before anything is put around their texts.
        parts: Whether the student reads the parts of the reranker's prompt instead of the bare texts.

    Returns:
        A row for each text that a teacher has read. The teachers know no instructions, so a query that only its
        instruction decides is left out when it stands in the same text as the instruction.
    """
    texts = json.loads((folder / "teacher.json").read_text("utf-8"))
    known = {text: row for row, text in enumerate(texts)}
    vectors: Matrix = unit(np.load(folder / "teacher.npy").astype(np.float32))
    rows: dict[str, int] = {}
    for pair in pairs:
        read = as_parts(pair) if parts else pair
        for text, seen in zip(_texts(pair), _texts(read), strict=True):
            undecided = parts and seen == read.query and "contrast" in pair.provenance.source
            if clip(text) in known and not undecided:
                rows[seen] = known[clip(text)]
    return TeacherVectors(rows, vectors)


def _texts(pair: TrainingPair) -> Iterable[str]:
    return (pair.query, pair.document, *pair.negatives)


def _english(pairs: Sequence[TrainingPair]) -> list[str]:
    """List the texts in plain Latin letters of English pairs, the most useful sources first."""
    rank = {source: place for place, source in enumerate(FIRST_READ)}

    def place(pair: TrainingPair) -> int:
        source = pair.provenance.source
        return next((rank[name] for name in FIRST_READ if source.startswith(name)), len(rank))

    ordered = sorted((pair for pair in pairs if pair.language == "en"), key=place)
    texts = (clip(text) for pair in ordered for text in _texts(pair))
    return list(dict.fromkeys(text for text in texts if _ASCII.fullmatch(text)))

"""The demo corpus and its recorded map, so that a picture stands on the page before any model is warm.

The record is made by :func:`record` with the bundled embedding model. It is used only while that same model answers,
which its fingerprint tells; with any other model the map is computed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from functools import cache
from pathlib import Path

import numpy as np

from explorer.corpus.corpus import Corpus, build_corpus, colour_columns
from explorer.corpus.project import Project
from explorer.corpus.readers import read_table
from explorer.corpus.table import Table
from explorer.provenance import Provenance
from explorer.service.examples import DEMO

CORPUS = DEMO / "corpus.csv"
RECORD = DEMO / "map.npz"
COLOURS = ("topic", "language", "date")


@cache
def _table() -> Table:
    return read_table(CORPUS.read_bytes(), CORPUS.name)


@cache
def corpus() -> Corpus:
    """Read the demo corpus."""
    return build_corpus(_table(), "text", name="demo")


@cache
def colours() -> tuple[str, ...]:
    """List the columns that can colour the demo map, the most telling first."""
    able = {column.name for column in colour_columns(_table())}
    return tuple(name for name in COLOURS if name in able)


def texts_digest(texts: tuple[str, ...]) -> str:
    """Name a list of texts by its content.

    Args:
        texts: The documents in order.

    Returns:
        Hex digest; lengths are part of it, so ``("ab", "c")`` and ``("a", "bc")`` differ.
    """
    digest = hashlib.blake2b(digest_size=16)
    for text in texts:
        encoded = text.encode("utf-8")
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.hexdigest()


@cache
def _record() -> Project | None:
    if not RECORD.exists():
        return None
    with np.load(RECORD, allow_pickle=False) as arrays:
        about = json.loads(str(arrays["about"]))
        if about["texts"] != texts_digest(corpus().texts):
            return None
        return Project(
            corpus=corpus(),
            vectors=arrays["vectors"],
            neighbors=arrays["neighbors"],
            cosines=arrays["cosines"],
            coordinates=arrays["coordinates"],
            provenance=Provenance(**about["provenance"]),
        )


def recorded(fingerprint: str | None) -> Project | None:
    """Find the recorded map.

    Args:
        fingerprint: Of the embedding model in use; None while the bundled one is still being loaded.

    Returns:
        The project, or None when it was made by another model or from other texts.
    """
    found = _record()
    if found is None or fingerprint not in (None, found.provenance.fingerprint):
        return None
    return found


def record(made: Project, path: Path = RECORD) -> None:
    """Write a map of the demo corpus to be shown from now on.

    Args:
        made: The project, as computed.
        path: Where the record goes.
    """
    about = {"texts": texts_digest(made.corpus.texts), "provenance": dataclasses.asdict(made.provenance)}
    np.savez_compressed(
        path,
        about=np.array(json.dumps(about)),
        vectors=made.vectors,
        neighbors=made.neighbors,
        cosines=made.cosines,
        coordinates=made.coordinates,
    )

"""The documents that a search goes through: a visitor's own, those of the Map, or the demo corpus."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Never

import numpy as np
import numpy.typing as npt

from explorer.analysis.similarity import cosine_matrix
from explorer.engine.embedder import Embedder
from explorer.errors import InputError
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service import demo_map
from explorer.service.embedding import Embedded, Side, cut_notices, embed
from explorer.service.limits import LIMITS, checked_texts
from explorer.service.workspace import Workspace


@dataclass(frozen=True)
class Source:
    """Which documents are searched: those given, else those of a map, else the demo corpus.

    Attributes:
        documents: Texts, as typed or sent; None for those of a map or the demo corpus.
        project: Name under which a map's project is kept; None for the demo corpus.
    """

    documents: Sequence[str] | None = None
    project: str | None = None


@dataclass(frozen=True)
class Searched:
    """Documents of a corpus, and how close each of them lies to each query.

    Attributes:
        texts: The documents [n].
        cosines: Cosine of every query's and every document's embedding, float32 [q, n].
        embedding: The model behind the cosines.
        notices: What was left out or cut.
    """

    texts: tuple[str, ...]
    cosines: npt.NDArray[np.float32]
    embedding: Provenance
    notices: tuple[Notice, ...]


_Side = tuple[npt.NDArray[np.float32], tuple[Notice, ...]]
"""Unit rows, float32 [n, d], and what was left out or cut."""


def search(
    workspace: Workspace, queries: Sequence[str], source: Source, instruction: str
) -> Generator[Progress[Never], None, Searched]:
    """Compare queries with every document of a corpus.

    Args:
        workspace: Where the models and projects are.
        queries: Cleaned queries [q].
        source: Which documents are searched.
        instruction: What the queries look for.

    Yields:
        One step a batch; only a visitor's own documents have to be embedded.

    Returns:
        The documents with their cosines.

    Raises:
        InputError: The documents are all empty, too long or too many; or the map has left the memory or was made with
            another model.
    """
    embedder = yield from workspace.embedder()
    texts, (vectors, notices) = yield from _documents(workspace, source, embedder)
    asked, cut = yield from _embedded(embedder, queries, instruction, "query")
    return Searched(texts, cosine_matrix(asked, vectors), embedder.provenance, (*notices, *cut))


def _documents(
    workspace: Workspace, source: Source, embedder: Embedder
) -> Generator[Progress[Never], None, tuple[tuple[str, ...], _Side]]:
    """Take the documents with their vectors."""
    if source.documents is not None:
        read, empty = checked_texts(source.documents, LIMITS.mapped_documents, "service.documents_empty")
        vectors, cut = yield from _embedded(embedder, read, None, "document")
        return read, (vectors, (*empty, *cut))
    fingerprint = embedder.provenance.fingerprint
    if source.project is None:
        recorded = demo_map.recorded(fingerprint)
        if recorded is not None:
            return recorded.corpus.texts, (recorded.vectors, ())
        texts = demo_map.corpus().texts
        return texts, (yield from _embedded(embedder, texts, None, "document"))
    of = workspace.projects.get(source.project)
    if of.provenance.fingerprint != fingerprint:
        raise InputError("service.other_model", made=of.provenance.line, loaded=embedder.provenance.line)
    return of.corpus.texts, (of.vectors, ())


def _embedded(
    embedder: Embedder, texts: Sequence[str], instruction: str | None, side: Side
) -> Generator[Progress[Never], None, _Side]:
    whole: Embedded | None = None
    for step in embed(embedder, texts, instruction):
        whole = step.partial
        yield Progress(step.done, step.total, step.stage)
    if whole is None:
        raise InputError("service.documents_empty")
    return whole.vectors, cut_notices(whole.cut_tokens, side, embedder.provenance)

"""Map: embed a corpus, find every document's true neighbours, and lay the documents out on a plane."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Never

import numpy as np
import numpy.typing as npt

from explorer.analysis.neighbors import Neighbors, exact_neighbors
from explorer.analysis.projection import Layout, UmapParameters, project_steps
from explorer.analysis.trust import MapTrust, map_trust
from explorer.corpus.corpus import Corpus, build_corpus, colour_columns, guess_text_column
from explorer.corpus.project import Project
from explorer.errors import CorpusError, InputError
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service import demo_map
from explorer.service.embedding import Embedded, cut_notices, embed
from explorer.service.limits import LIMITS
from explorer.service.uploads import read_upload
from explorer.service.workspace import Workspace

LEAST_DOCUMENTS = 3
"""Below this a map says nothing."""

LISTED = 20
"""Neighbours and selected documents that are listed beside the map."""

SAMPLE_SEED = 0


@dataclass(frozen=True)
class MapRequest:
    """How to lay a corpus out; the names are umap-learn's.

    Attributes:
        n_neighbors: Neighbours that count as close: few for detail, many for the big picture.
        min_dist: How tightly points may be packed, 0 to 0.99.
        seed: The same seed gives the same map.
    """

    n_neighbors: int = 15
    min_dist: float = 0.1
    seed: int = 42


@dataclass(frozen=True)
class Mapped:
    """A map that is ready to be looked at.

    Attributes:
        name: Under which the project is kept.
        project: The corpus with its vectors and layout.
        colours: Columns that can colour the points, the most telling first.
        trust: How far the picture can be believed.
        recorded: Whether the layout was computed in advance.
    """

    name: str
    project: Project
    colours: tuple[str, ...]
    trust: MapTrust
    recorded: bool


def map_demo(workspace: Workspace) -> Generator[Progress[Mapped], None, None]:
    """Show the demo corpus: at once when its layout was recorded with the embedding model in use, else computed.

    Args:
        workspace: Where the models and projects are.

    Yields:
        Steps, the last with the map.
    """
    recorded = demo_map.recorded(workspace.embedding_fingerprint())
    if recorded is not None:
        name = workspace.projects.keep(recorded, name=f"demo-{recorded.provenance.fingerprint}")
        yield _done(name, recorded, demo_map.colours(), was_recorded=True)
        return
    embedder = yield from workspace.embedder()
    name = f"demo-{embedder.provenance.fingerprint}"
    if name in workspace.projects:
        yield _done(name, workspace.projects.get(name), demo_map.colours(), was_recorded=False)
        return
    yield from map_corpus(workspace, demo_map.corpus(), MapRequest(), demo_map.colours(), name)


def recorded_demo(workspace: Workspace) -> Mapped | None:
    """Show the demo corpus without computing anything.

    Args:
        workspace: Where the models and projects are.

    Returns:
        The recorded map; None when another model is in use, for which :func:`map_demo` computes one.
    """
    if demo_map.recorded(workspace.embedding_fingerprint()) is None:
        return None
    return next(map_demo(workspace)).partial


def map_file(
    workspace: Workspace, path: Path | None, text_column: str | None, request: MapRequest
) -> Generator[Progress[Mapped], None, None]:
    """Map an uploaded file.

    Args:
        workspace: Where the models and projects are.
        path: Where the upload was stored by us; None for the demo corpus.
        text_column: Which column holds the documents; the likeliest when None.
        request: How to lay it out.

    Yields:
        Steps, the last with the map.

    Raises:
        CorpusError: The file holds no usable texts.
        InputError: There are too few documents, or a parameter is out of range.
    """
    if path is None:
        yield from map_corpus(workspace, demo_map.corpus(), request, demo_map.colours())
        return
    table = read_upload(path)
    column = text_column or guess_text_column(table)
    if column is None:
        raise CorpusError("service.no_text_column", columns=", ".join(table.columns[:10]))
    colours = tuple(found.name for found in colour_columns(table) if found.name != column)
    yield from map_corpus(workspace, build_corpus(table, column, name=path.stem), request, colours)


def map_corpus(
    workspace: Workspace,
    corpus: Corpus,
    request: MapRequest,
    colours: tuple[str, ...],
    name: str | None = None,
) -> Generator[Progress[Mapped], None, None]:
    """Embed a corpus, find its neighbours and lay it out.

    Args:
        workspace: Where the models and projects are.
        corpus: The documents.
        request: How to lay them out.
        colours: Columns that can colour the points.
        name: Under which to keep the project; a fresh name when None.

    Yields:
        Steps, the last with the map.

    Raises:
        InputError: There are too few documents, or a parameter is out of range.
    """
    parameters = UmapParameters(request.n_neighbors, request.min_dist, request.seed)
    if len(corpus.texts) < LEAST_DOCUMENTS:
        raise InputError("service.too_few_to_map", least=LEAST_DOCUMENTS, count=len(corpus.texts))
    corpus = sampled(corpus, LIMITS.mapped_documents)
    embedder = yield from workspace.embedder()
    embedded: Embedded | None = None
    for step in embed(embedder, corpus.texts, None):
        embedded = step.partial
        yield Progress(step.done, step.total, step.stage)
    if embedded is None:
        raise InputError("service.documents_empty")
    cut = cut_notices(embedded.cut_tokens, "document", embedder.provenance)
    made = yield from _laid_out(corpus, embedded.vectors, parameters, embedder.provenance, cut)
    yield _done(workspace.projects.keep(made, name), made, colours, was_recorded=False)


def _laid_out(
    corpus: Corpus,
    vectors: npt.NDArray[np.float32],
    parameters: UmapParameters,
    provenance: Provenance,
    cut: tuple[Notice, ...],
) -> Generator[Progress[Never], None, Project]:
    """Find the neighbours of embedded documents and lay the documents out."""
    count = len(vectors)
    yield Progress(0, count, "service.stage_neighbors")
    listed = min(count, max(LISTED, parameters.n_neighbors) + 1)
    neighbors = exact_neighbors(vectors, listed, provenance.device)
    layout: Layout | None = None
    for epoch in project_steps(vectors, neighbors, parameters):
        layout = epoch.partial
        yield Progress(epoch.done, epoch.total, "service.stage_layout")
    if layout is None:
        raise InputError("service.documents_empty")
    return Project(
        corpus=corpus,
        vectors=vectors,
        neighbors=neighbors.indices,
        cosines=neighbors.cosines,
        coordinates=layout.coordinates,
        provenance=provenance,
        notices=(*corpus.notices, *cut, *layout.notices),
    )


def sampled(corpus: Corpus, limit: int) -> Corpus:
    """Keep an even sample of a corpus that is larger than a map can draw, and say so.

    Args:
        corpus: The documents.
        limit: The most to keep.

    Returns:
        The corpus itself, or a sample in the original order.
    """
    total = len(corpus.texts)
    if total <= limit:
        return corpus
    chosen = np.sort(np.random.default_rng(SAMPLE_SEED).choice(total, limit, replace=False))
    notice = Notice("service.sampled", {"total": total, "kept": limit})
    return dataclasses.replace(
        corpus,
        texts=tuple(corpus.texts[row] for row in chosen),
        columns=corpus.columns.iloc[chosen].reset_index(drop=True),
        dropped=corpus.dropped + total - limit,
        notices=(*corpus.notices, notice),
    )


def _done(name: str, of: Project, colours: tuple[str, ...], *, was_recorded: bool) -> Progress[Mapped]:
    trust = map_trust(of.vectors, of.coordinates, Neighbors(of.neighbors, of.cosines))
    mapped = Mapped(name, of, colours, trust, was_recorded)
    return Progress(len(of.corpus.texts), len(of.corpus.texts), "service.stage_done", mapped)

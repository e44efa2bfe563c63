"""Map: embed a corpus, find every document's true neighbours, and lay the documents out on a plane."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from explorer.analysis.neighbors import Neighbors, exact_neighbors
from explorer.analysis.projection import UmapParameters, place, project_steps
from explorer.analysis.trust import map_trust
from explorer.corpus.corpus import Corpus, build_corpus, colour_columns, guess_text_column
from explorer.corpus.project import Project
from explorer.errors import CorpusError, InputError
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service import demo_map
from explorer.service.embedding import Embedded, cut_notices, embed
from explorer.service.limits import LIMITS, checked_instruction, checked_query
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
        kept_share: Mean share of a document's ``trust_k`` true neighbours that are among its nearest points.
        trust_k: See ``kept_share``.
        recorded: Whether the layout was computed in advance.
    """

    name: str
    project: Project
    colours: tuple[str, ...]
    kept_share: float
    trust_k: int
    recorded: bool


@dataclass(frozen=True)
class Found:
    """Documents nearest to a query or to a chosen document, by cosine of the full vectors.

    Attributes:
        index: The chosen document; -1 for a query.
        neighbors: Row of each neighbour, nearest first, int32 [k].
        cosines: float32 [k].
        texts: Their texts.
        position: Where the query or document lies on the map.
        provenance: The model behind the cosines.
    """

    index: int
    neighbors: npt.NDArray[np.int32]
    cosines: npt.NDArray[np.float32]
    texts: tuple[str, ...]
    position: tuple[float, float]
    provenance: Provenance


def map_demo(workspace: Workspace) -> Generator[Progress[Mapped], None, None]:
    """Show the demo corpus: at once when its layout was recorded with the embedding model in use, else computed.

    Args:
        workspace: Where the models and projects are.

    Yields:
        Steps, the last with the map.
    """
    recorded = demo_map.recorded(workspace.embedding_fingerprint())
    if recorded is None:
        yield from map_corpus(workspace, demo_map.corpus(), MapRequest(), demo_map.colours())
        return
    name = workspace.projects.keep(recorded, name=f"demo-{recorded.provenance.fingerprint}")
    yield _done(name, recorded, demo_map.colours(), was_recorded=True)


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
    workspace: Workspace, corpus: Corpus, request: MapRequest, colours: tuple[str, ...]
) -> Generator[Progress[Mapped], None, None]:
    """Embed a corpus, find its neighbours and lay it out.

    Args:
        workspace: Where the models and projects are.
        corpus: The documents.
        request: How to lay them out.
        colours: Columns that can colour the points.

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
    count = len(corpus.texts)
    yield Progress(0, count, "service.stage_neighbors")
    listed = min(count, max(LISTED + 1, request.n_neighbors + 1))
    neighbors = exact_neighbors(embedded.vectors, listed, embedder.provenance.device)
    layout = None
    for epoch in project_steps(embedded.vectors, neighbors, parameters):
        layout = epoch.partial
        yield Progress(epoch.done, epoch.total, "service.stage_layout")
    if layout is None:
        raise InputError("service.documents_empty")
    project = Project(
        corpus=corpus,
        vectors=embedded.vectors,
        neighbors=neighbors.indices,
        cosines=neighbors.cosines,
        coordinates=layout.coordinates,
        provenance=embedder.provenance,
        notices=(*corpus.notices, *cut_notices(embedded.cut_tokens), *layout.notices),
    )
    yield _done(workspace.projects.keep(project), project, colours, was_recorded=False)


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


def project(workspace: Workspace, name: str | None) -> Project:
    """Find the project of a page.

    Args:
        workspace: Where the projects are.
        name: What the page holds; None before its first map.

    Returns:
        The project.

    Raises:
        InputError: It is no longer in memory.
    """
    return workspace.projects.get(name or "")


def neighbors_of(of: Project, index: int) -> Found:
    """List a document's true neighbours.

    Args:
        of: The project.
        index: Row of the document.

    Returns:
        Its neighbours by cosine of the full vectors, the document itself left out.

    Raises:
        InputError: There is no such document.
    """
    if not 0 <= index < len(of.corpus.texts):
        raise InputError("service.no_such_point", index=index)
    rows, cosines = of.neighbors[index, 1 : LISTED + 1], of.cosines[index, 1 : LISTED + 1]
    return _found(of, index, rows, cosines, of.coordinates[index])


def find(
    workspace: Workspace, name: str | None, query: str, instruction: str | None = None, k: int = 10
) -> Generator[Progress[Found], None, None]:
    """Place a query on a map and list its true neighbours. The points do not move.

    Args:
        workspace: Where the models and projects are.
        name: Which project.
        query: What is looked for.
        instruction: What counts as relevant.
        k: How many neighbours.

    Yields:
        Steps, the last with the neighbours.

    Raises:
        InputError: The query is empty, or the map was made with another model than the one loaded now.
    """
    asked, of = checked_query(query), project(workspace, name)
    embedder = yield from workspace.embedder()
    if embedder.provenance.fingerprint != of.provenance.fingerprint:
        raise InputError("service.other_model", made=of.provenance.line, loaded=embedder.provenance.line)
    vector = embedder.encode([asked], checked_instruction(instruction))
    nearest = exact_neighbors(of.vectors, min(k, len(of.vectors)), embedder.provenance.device, queries=vector)
    landed = place(vector, of.vectors, of.coordinates)
    found = _found(of, -1, nearest.indices[0], nearest.cosines[0], landed.coordinates[0])
    yield Progress(1, 1, "service.stage_done", found)


def _found(
    of: Project,
    index: int,
    rows: npt.NDArray[np.int32],
    cosines: npt.NDArray[np.float32],
    position: npt.NDArray[np.float32],
) -> Found:
    texts = tuple(of.corpus.texts[row] for row in rows)
    return Found(index, rows, cosines, texts, (float(position[0]), float(position[1])), of.provenance)


def _done(name: str, of: Project, colours: tuple[str, ...], *, was_recorded: bool) -> Progress[Mapped]:
    quality = map_trust(of.vectors, of.coordinates, Neighbors(of.neighbors, of.cosines))
    mapped = Mapped(name, of, colours, float(np.mean(quality.kept)), quality.k, was_recorded)
    return Progress(len(of.corpus.texts), len(of.corpus.texts), "service.stage_done", mapped)

"""Search a map: a document's true neighbours, and where a query lands among them."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.analysis.neighbors import exact_neighbors
from explorer.analysis.projection import place
from explorer.corpus.project import Project
from explorer.errors import InputError
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service.embedding import cut_notices, embed
from explorer.service.limits import checked_instruction, checked_query
from explorer.service.map_corpus import LISTED
from explorer.service.workspace import Workspace


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
        notices: What was cut.
    """

    index: int
    neighbors: npt.NDArray[np.int32]
    cosines: npt.NDArray[np.float32]
    texts: tuple[str, ...]
    position: tuple[float, float]
    provenance: Provenance
    notices: tuple[Notice, ...] = ()


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
    for step in embed(embedder, (asked,), checked_instruction(instruction)):
        if step.partial is None:
            yield Progress(step.done, step.total, step.stage)
            continue
        vector = step.partial.vectors
        nearest = exact_neighbors(
            of.vectors, min(k, len(of.vectors)), embedder.provenance.device, queries=vector
        )
        landed = place(vector, of.vectors, of.coordinates)
        found = _found(of, -1, nearest.indices[0], nearest.cosines[0], landed.coordinates[0])
        cut = cut_notices(step.partial.cut_tokens, "query", embedder.provenance)
        found = dataclasses.replace(found, provenance=embedder.provenance, notices=cut)
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

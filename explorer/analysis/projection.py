"""A map of vectors: UMAP that can be watched and stopped, and places for points that come later."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from explorer.analysis.arrays import Floats, checked_vectors
from explorer.analysis.neighbors import Neighbors, exact_neighbors
from explorer.errors import InputError
from explorer.notices import Notice
from explorer.progress import CancelToken, Progress, ProgressCallback

Method = Literal["umap", "pca", "even"]

_FEWEST_FOR_UMAP = 6
_FEWEST_NEIGHBORS = 2
_DEFAULT_EPOCHS = 200
_SAME = 1e-6
_GOLDEN_ANGLE = np.pi * (3.0 - np.sqrt(5.0))
_WARM_UP_ROWS = 300


@dataclass(frozen=True)
class UmapParameters:
    """UMAP's parameters under the names that its authors gave them.

    Attributes:
        n_neighbors: How many neighbours, self included, hold a point: few show detail, many show the whole.
        min_dist: How near two points may come; 0 packs clusters tightly.
        seed: The same seed gives the same map, bit for bit.
        n_components: 2 for a plane, 3 for a space.
        n_epochs: Passes over the edges; 200 when None.
    """

    n_neighbors: int = 15
    min_dist: float = 0.1
    seed: int = 42
    n_components: int = 2
    n_epochs: int | None = None

    def __post_init__(self) -> None:
        """Refuse values that UMAP has no meaning for."""
        ranges = (
            ("n_neighbors", self.n_neighbors, _FEWEST_NEIGHBORS, 1_000),
            ("min_dist", self.min_dist, 0.0, 0.99),
            ("seed", self.seed, 0, 2**32 - 1),
            ("n_components", self.n_components, 2, 3),
            ("n_epochs", self.n_epochs or _DEFAULT_EPOCHS, 1, 10_000),
        )
        for name, value, low, high in ranges:
            if not low <= value <= high:
                raise InputError("analysis.out_of_range", name=name, value=value, low=low, high=high)


@dataclass(frozen=True)
class Layout:
    """A map.

    Attributes:
        coordinates: Points centred in the cube from -1 to 1, float32 [n, 2 or 3]; axes share one scale.
        parameters: The parameters as they were used.
        seconds: How long it took.
        method: ``"umap"``; ``"pca"`` for a handful of points; ``"even"`` when all vectors are the same.
        notices: What a reader of the map should know.
    """

    coordinates: Floats
    parameters: UmapParameters
    seconds: float
    method: Method
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Placement:
    """Places for points that were not there when the map was made.

    Attributes:
        coordinates: Places [m, 2 or 3] on the same map.
        neighbors: The true neighbours [m, k] that they were placed by.
    """

    coordinates: Floats
    neighbors: Neighbors


def project(
    vectors: npt.ArrayLike,
    neighbors: Neighbors,
    parameters: UmapParameters | None = None,
    on_epoch: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> Layout:
    """Draw a map of vectors.

    Args:
        vectors: Unit rows [n, d].
        neighbors: Their exact neighbours, self first.
        parameters: UMAP's parameters.
        on_epoch: Called with (epochs done, epochs in all).
        cancel: Looked at after every epoch.

    Returns:
        The finished map.

    Raises:
        InputError: A parameter is out of its range, or vectors and neighbours do not belong together.
        Cancelled: ``cancel`` was raised.
    """
    layout = None
    for step in project_steps(
        vectors, neighbors, parameters, cancel, every=1 if on_epoch else _DEFAULT_EPOCHS
    ):
        if on_epoch is not None:
            on_epoch(step.done, step.total)
        layout = step.partial
    assert layout is not None  # noqa: S101 - the last step always carries the map
    return layout


def project_steps(
    vectors: npt.ArrayLike,
    neighbors: Neighbors,
    parameters: UmapParameters | None = None,
    cancel: CancelToken | None = None,
    every: int = 10,
) -> Iterator[Progress[Layout]]:
    """Draw a map of vectors and show it while it takes shape.

    Args:
        vectors: Unit rows [n, d].
        neighbors: Their exact neighbours, self first.
        parameters: UMAP's parameters.
        cancel: Looked at after every epoch.
        every: Epochs between two steps.

    Yields:
        Steps of the descent with the map so far; the last one has ``done == total``.

    Raises:
        InputError: A parameter is out of its range, or vectors and neighbours do not belong together.
        Cancelled: ``cancel`` was raised.
    """
    begun = time.perf_counter()
    rows = checked_vectors(vectors)
    used, notices = _fitted(parameters or UmapParameters(), rows, neighbors)
    simple = _without_umap(rows, used, neighbors.indices.shape[1])
    if simple is not None:
        coordinates, method, notice = simple
        seconds = time.perf_counter() - begun
        yield Progress(1, 1, "analysis.laying_out", Layout(coordinates, used, seconds, method, notice))
        return
    from explorer.analysis import umap_layout

    epochs = used.n_epochs or _DEFAULT_EPOCHS
    random = umap_layout.seeded(used.seed)
    graph = umap_layout.fuzzy_graph(_nearest(neighbors, used.n_neighbors), epochs)
    start = umap_layout.pca_start(rows, used.n_components, random)
    for done, points in enumerate(umap_layout.descend(start, graph, used.min_dist, epochs, random), start=1):
        if cancel is not None:
            cancel.raise_if_cancelled()
        if done % every == 0 or done == epochs:
            seconds = time.perf_counter() - begun
            yield Progress(
                done, epochs, "analysis.laying_out", Layout(_centred(points), used, seconds, "umap", notices)
            )


def place(
    new_vectors: npt.ArrayLike,
    vectors: npt.ArrayLike,
    coordinates: npt.ArrayLike,
    k: int = 5,
    device: str = "cpu",
) -> Placement:
    """Place new vectors on a finished map, between their true neighbours.

    Args:
        new_vectors: Unit rows [m, d].
        vectors: Unit rows of the map [n, d], n at least 1.
        coordinates: Places of ``vectors`` on the map [n, 2 or 3].
        k: Neighbours to lean on.
        device: Where to look for neighbours.

    Returns:
        The mean of the neighbours' places, each weighted by the inverse of its cosine distance, so that a vector that
        is on the map already lands on itself.

    Raises:
        InputError: The map is empty, or its vectors and coordinates do not belong together.
    """
    known, places = checked_vectors(vectors), checked_vectors(coordinates)
    if len(known) == 0 or len(known) != len(places):
        raise InputError("analysis.rows_differ", first=len(known), second=len(places))
    neighbors = exact_neighbors(known, k, device, queries=new_vectors)
    distances = np.maximum(1.0 - neighbors.cosines.astype(np.float64), 0.0)
    weights = 1.0 / (distances + _SAME)
    weights /= weights.sum(axis=1, keepdims=True)
    placed = np.einsum("mk,mkc->mc", weights, places[neighbors.indices].astype(np.float64))
    return Placement(placed.astype(np.float32), neighbors)


def warm_up() -> None:
    """Compile UMAP's loops on a small example, about ten seconds once; call it from a thread at the start."""
    example = np.random.default_rng(0).normal(size=(_WARM_UP_ROWS, 16)).astype(np.float32)
    example /= np.linalg.norm(example, axis=1, keepdims=True)
    project(example, exact_neighbors(example, 15), UmapParameters(n_epochs=5))


def _fitted(
    parameters: UmapParameters, rows: Floats, neighbors: Neighbors
) -> tuple[UmapParameters, tuple[Notice, ...]]:
    """Fit the number of neighbours to what there is."""
    if len(neighbors.indices) != len(rows):
        raise InputError("analysis.rows_differ", first=len(rows), second=len(neighbors.indices))
    known = neighbors.indices.shape[1]
    fitted = replace(parameters, n_epochs=parameters.n_epochs or _DEFAULT_EPOCHS)
    if parameters.n_neighbors <= known:
        return fitted, ()
    notice = Notice("analysis.neighbors_clipped", {"wanted": parameters.n_neighbors, "used": known})
    return replace(fitted, n_neighbors=max(known, _FEWEST_NEIGHBORS)), (notice,)


def _without_umap(
    rows: Floats, used: UmapParameters, known: int
) -> tuple[Floats, Method, tuple[Notice, ...]] | None:
    """Place points where UMAP has nothing to work with: a handful of them, or the same one again and again."""
    count = len(rows)
    if count > 1 and float(np.ptp(rows, axis=0).max(initial=0.0)) <= _SAME:
        return _disc(count, used.n_components), "even", (Notice("analysis.all_the_same", {"count": count}),)
    if count >= _FEWEST_FOR_UMAP and known >= _FEWEST_NEIGHBORS:
        return None
    coordinates = np.zeros((count, used.n_components), dtype=np.float32)
    if count > 1:
        centred = rows.astype(np.float64) - rows.mean(axis=0)
        left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
        axes = min(used.n_components, lengths.size)
        coordinates[:, :axes] = (left * lengths)[:, :axes]
    notices = (Notice("analysis.few_points", {"count": count}),) if count > 1 else ()
    return _centred(coordinates), "pca", notices


def _disc(count: int, components: int) -> Floats:
    """Spread points evenly over a disc in a sunflower's order (Vogel 1979), so that each can be pointed at."""
    step = np.arange(count)
    radius, angle = np.sqrt((step + 0.5) / count), step * _GOLDEN_ANGLE
    disc = np.zeros((count, components), dtype=np.float32)
    disc[:, 0], disc[:, 1] = radius * np.cos(angle), radius * np.sin(angle)
    return _centred(disc)


def _nearest(neighbors: Neighbors, count: int) -> Neighbors:
    """Keep the first neighbours of each row."""
    return Neighbors(
        np.ascontiguousarray(neighbors.indices[:, :count]), np.ascontiguousarray(neighbors.cosines[:, :count])
    )


def _centred(points: Floats) -> Floats:
    """Move the middle of a map to the origin and scale its longest side to 2, keeping its proportions."""
    if len(points) == 0:
        return points.astype(np.float32)
    low, high = points.min(axis=0), points.max(axis=0)
    half = float((high - low).max()) / 2
    centred: Floats = ((points - (low + high) / 2) / (half or 1.0)).astype(np.float32)
    return centred

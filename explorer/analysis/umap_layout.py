"""UMAP (McInnes, Healy, Melville, arXiv 1802.03426) epoch by epoch, on umap-learn's own compiled functions.

umap-learn's estimator can neither be stopped nor watched, and without given neighbours it compiles a second library
first. So its stages are called one after the other here: the fuzzy graph from exact neighbours, a start from PCA, and
one call for each epoch of the descent. With the same seed the coordinates equal the estimator's bit for bit; a test
holds this against the installed version, since the single epoch is not part of its public surface.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from umap import layouts, umap_

from explorer.analysis.arrays import Doubles, Floats
from explorer.analysis.neighbors import Neighbors

_NEGATIVE_SAMPLES = 5
_SPREAD = 1.0
_START_WIDTH = 10.0
_UNUSED = np.zeros(1, dtype=np.float32)

_parallel_stage = threading.Lock()
"""Numba's default threading layer aborts the process when two threads enter parallel code at once."""


@dataclass(frozen=True)
class FuzzyGraph:
    """The edges of the fuzzy simplicial set that are strong enough to be drawn in some epoch.

    Attributes:
        heads: Index of one end, int32 [edges].
        tails: Index of the other end, int32 [edges].
        weights: Strength in (0, 1], float32 [edges].
    """

    heads: Any
    tails: Any
    weights: Any


def fuzzy_graph(neighbors: Neighbors, epochs: int) -> FuzzyGraph:
    """Build the fuzzy simplicial set (section 3.1 of the paper) from neighbours by cosine.

    Args:
        neighbors: Neighbours including self in column 0 [n, k].
        epochs: An edge weaker than the strongest divided by this is never drawn, and left out.

    Returns:
        Edges in both directions.
    """
    rows, count = neighbors.indices.shape
    distances = np.maximum(1.0 - neighbors.cosines, 0.0).astype(np.float32)
    distances[:, 0] = 0.0
    with _parallel_stage:
        graph, _, _ = umap_.fuzzy_simplicial_set(
            np.empty((rows, 1), dtype=np.float32),
            count,
            None,
            "cosine",
            knn_indices=neighbors.indices,
            knn_dists=distances,
        )
    edges = graph.tocoo()
    edges.sum_duplicates()
    edges.data[edges.data < edges.data.max() / float(epochs)] = 0.0
    edges.eliminate_zeros()
    return FuzzyGraph(edges.row, edges.col, edges.data)


def pca_start(vectors: Floats, components: int, random: np.random.RandomState) -> Floats:
    """Place points by their first principal components, with a little noise against ties.

    Args:
        vectors: Rows [n, d], not all equal.
        components: 2 or 3.
        random: Source of the noise.

    Returns:
        Coordinates from 0 to 10 [n, components].
    """
    padded = np.pad(vectors, ((0, 0), (0, max(0, components - vectors.shape[1]))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        placed = PCA(n_components=components, random_state=random).fit_transform(padded).astype(np.float32)
    noisy: Floats = umap_.noisy_scale_coords(placed, random, max_coord=10, noise=0.0001)
    low, high = noisy.min(axis=0), noisy.max(axis=0)
    start: Floats = (_START_WIDTH * (noisy - low) / (high - low)).astype(np.float32, order="C")
    return start


def descend(
    start: Floats, graph: FuzzyGraph, min_dist: float, epochs: int, random: np.random.RandomState
) -> Iterator[Floats]:
    """Improve a layout by stochastic gradient descent (section 3.2 of the paper).

    Args:
        start: Coordinates [n, 2 or 3], not changed.
        graph: Edges that attract.
        min_dist: How near two points may come.
        epochs: Passes over the edges.
        random: Source of the repelling samples.

    Yields:
        The coordinates after each epoch: one array, changed in place.
    """
    points = start.copy()
    a, b = umap_.find_ab_params(_SPREAD, min_dist)
    every: Doubles = umap_.make_epochs_per_sample(graph.weights, epochs)
    every_negative = every / _NEGATIVE_SAMPLES
    next_sample, next_negative = every.copy(), every_negative.copy()
    state = random.randint(np.iinfo(np.int32).min + 1, np.iinfo(np.int32).max - 1, 3).astype(np.int64)
    states = np.full((len(points), 3), state) + points[:, 0].astype(np.float64).view(np.int64).reshape(-1, 1)
    run_epoch = layouts._get_optimize_layout_euclidean_single_epoch_fn(parallel=False)
    no_density = (False, _UNUSED, _UNUSED, 0, 0, 0, 0, _UNUSED, _UNUSED, 0)
    for epoch in range(epochs):
        step = 1.0 - max(epoch - 1, 0) / epochs
        edges = (points, points, graph.heads, graph.tails, len(points), every)
        forces = (a, b, states, 1.0, points.shape[1], True, step)
        run_epoch(*edges, *forces, every_negative, next_negative, next_sample, epoch, *no_density)
        yield points


def seeded(seed: int) -> np.random.RandomState:
    """Make the source of random numbers that all stages of one layout share.

    Args:
        seed: Any number from 0 to 2**32 - 1.

    Returns:
        A fresh source.
    """
    return np.random.RandomState(seed)

"""Drawing a map, against umap-learn's own defaults."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from sklearn.manifold import trustworthiness

from explorer.analysis.neighbors import exact_neighbors
from explorer.analysis.projection import project, warm_up
from tests.benchmarks.peers import Array
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import Row, row_of
from tests.benchmarks.timing import take_turns

_DIMENSIONS, _CLUSTERS, _NEIGHBORS, _SAMPLE = 384, 40, 15, 2_000


def measure(setting: Setting) -> list[Row]:
    """Time exact neighbours and layout after the warm-up, and umap-learn after its own.

    Args:
        setting: How much to measure.

    Returns:
        Lines of the table.
    """
    vectors = clustered(setting.map_rows)
    device = str(setting.device)
    rows = [_once("our warm-up", warm_up)]

    def ours(_: object) -> Array:
        neighbors = exact_neighbors(vectors, _NEIGHBORS, device)
        return project(vectors, neighbors).coordinates

    contestants = {"ours": ours}
    if setting.against_umap:
        contestants["umap-learn's defaults"] = _defaults(vectors)
        rows.append(_once("umap-learn's warm-up", lambda: contestants["umap-learn's defaults"](vectors)))
    turns = take_turns(contestants, [], setting.repetitions, torch.device("cpu"))
    title = f"map of {len(vectors):,} x {_DIMENSIONS}"
    for name, taken in turns.items():
        note = f"trustworthiness {trust(vectors, taken.result):.4f} on {min(_SAMPLE, len(vectors)):,} points"
        rows.append(row_of(title, name, taken, turns["ours"], note))
    return rows


def clustered(rows: int) -> Array:
    """Draw unit rows around a few centres."""
    draw = np.random.default_rng(0)
    centres = draw.normal(size=(_CLUSTERS, _DIMENSIONS))
    points = centres[draw.integers(0, _CLUSTERS, rows)] + 0.8 * draw.normal(size=(rows, _DIMENSIONS))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def trust(vectors: Array, places: Array) -> float:
    """Measure trustworthiness on a sample."""
    chosen = np.random.default_rng(0).permutation(len(vectors))[:_SAMPLE]
    return float(trustworthiness(vectors[chosen], places[chosen], n_neighbors=10, metric="cosine"))


def _defaults(vectors: Array) -> Callable[[object], Array]:
    """Let umap-learn choose everything but the metric."""

    def run(_: object) -> Array:
        import umap

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(umap.UMAP(metric="cosine").fit_transform(vectors), np.float32)

    return run


def _once(way: str, run: Callable[[], object]) -> Row:
    """Time what happens once a process: imports and compilation."""
    begun = time.perf_counter()
    run()
    return Row("map, once a process", way, [time.perf_counter() - begun])

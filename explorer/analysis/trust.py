"""How far a map can be believed: which true neighbours are still neighbours on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree
from sklearn.manifold import trustworthiness

from explorer.analysis.arrays import Floats, checked_vectors
from explorer.analysis.neighbors import Neighbors
from explorer.errors import InputError

_SAMPLE = 3_000


@dataclass(frozen=True)
class MapTrust:
    """The quality of a map.

    Attributes:
        trustworthiness: From 0 to 1: how far points near each other on the map are so in truth (Venna and Kaski
            2001), measured with cosine distance. 1 when there are too few points to be wrong.
        k: Neighbours that were looked at.
        sampled: Points that trustworthiness was measured on.
        kept: Share of each point's true neighbours that are among its neighbours on the map, float32 [n].
    """

    trustworthiness: float
    k: int
    sampled: int
    kept: Floats


def map_trust(
    vectors: npt.ArrayLike, coordinates: npt.ArrayLike, neighbors: Neighbors, k: int = 10, seed: int = 0
) -> MapTrust:
    """Measure how far a map can be believed.

    Args:
        vectors: Unit rows [n, d].
        coordinates: Their places on the map [n, 2 or 3].
        neighbors: Their true neighbours, self first.
        k: Neighbours to look at, self not counted; fewer are used when fewer are known.
        seed: Chooses the sample that trustworthiness is measured on, above 3,000 points.

    Returns:
        Trustworthiness over the map, and the share of neighbours kept for each point.

    Raises:
        InputError: Vectors, coordinates and neighbours do not belong together.
    """
    rows, places = checked_vectors(vectors), checked_vectors(coordinates)
    for count in (len(places), len(neighbors.indices)):
        if count != len(rows):
            raise InputError("analysis.rows_differ", first=len(rows), second=count)
    used = min(k, neighbors.indices.shape[1] - 1, len(rows) - 1)
    if used < 1:
        return MapTrust(1.0, 0, len(rows), np.ones(len(rows), dtype=np.float32))
    sample = np.arange(len(rows))
    if len(rows) > _SAMPLE:
        sample = np.sort(np.random.default_rng(seed).choice(len(rows), _SAMPLE, replace=False))
    trust = _trustworthiness(rows[sample], places[sample], used)
    return MapTrust(trust, used, len(sample), _kept(places, neighbors, used))


def _trustworthiness(rows: Floats, places: Floats, k: int) -> float:
    """Measure trustworthiness, which is defined for fewer than n/2 neighbours only."""
    allowed = min(k, (len(rows) - 1) // 2)
    if allowed < 1:
        return 1.0
    return float(trustworthiness(rows, places, n_neighbors=allowed, metric="cosine"))


def _kept(places: Floats, neighbors: Neighbors, k: int) -> Floats:
    """Compare the k nearest on the map with the k nearest in truth, without the point itself."""
    _, found = KDTree(places).query(places, k=k + 1)
    own = np.arange(len(places))[:, None]
    is_self = found == own
    is_self[~is_self.any(axis=1), -1] = True
    on_map = found[~is_self].reshape(len(places), k)
    true = neighbors.indices[:, 1 : k + 1]
    shared = (true[:, :, None] == on_map[:, None, :]).any(axis=2)
    kept: Floats = shared.mean(axis=1).astype(np.float32)
    return kept

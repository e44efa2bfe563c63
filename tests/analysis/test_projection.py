"""Maps are those of umap-learn, come out the same every time, and cope with too little to draw."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import silhouette_score

from explorer.analysis import umap_layout
from explorer.analysis.arrays import Floats, unit_rows
from explorer.analysis.neighbors import Neighbors, exact_neighbors
from explorer.analysis.projection import UmapParameters, place, project, project_steps
from explorer.analysis.trust import map_trust
from explorer.errors import Cancelled, InputError
from explorer.progress import CancelToken

Clusters = tuple[Floats, np.ndarray]


def random_units(rows: int, width: int, seed: int = 0) -> Floats:
    return unit_rows(np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32))


@pytest.mark.usefixtures("compiled")
def test_three_clusters_stay_three(clusters: Clusters) -> None:
    vectors, labels = clusters
    neighbors = exact_neighbors(vectors, 15)
    layout = project(vectors, neighbors)
    trust = map_trust(vectors, layout.coordinates, neighbors, k=10)
    assert layout.method == "umap"
    assert trust.trustworthiness >= 0.9
    assert silhouette_score(layout.coordinates, labels) > 0.5


@pytest.mark.usefixtures("compiled")
def test_the_same_seed_gives_the_same_map_and_another_seed_another(clusters: Clusters) -> None:
    vectors, _ = clusters
    neighbors = exact_neighbors(vectors, 15)
    first, second = (project(vectors, neighbors, UmapParameters(n_epochs=50)) for _ in range(2))
    other = project(vectors, neighbors, UmapParameters(n_epochs=50, seed=1))
    assert np.array_equal(first.coordinates, second.coordinates)
    assert not np.array_equal(first.coordinates, other.coordinates)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("components", [2, 3])
def test_the_map_is_that_of_umap_learn_bit_for_bit(clusters: Clusters, components: int) -> None:
    """Holds the single-epoch function, which umap-learn does not promise, against its public estimator."""
    from umap import UMAP

    vectors, _ = clusters
    neighbors = exact_neighbors(vectors, 12)
    distances = np.maximum(1 - neighbors.cosines, 0)
    distances[:, 0] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = UMAP(
            n_neighbors=12,
            n_components=components,
            min_dist=0.2,
            metric="cosine",
            random_state=3,
            init="pca",
            n_epochs=40,
            precomputed_knn=(neighbors.indices.copy(), distances),
        ).fit_transform(vectors)
    random = umap_layout.seeded(3)
    graph = umap_layout.fuzzy_graph(neighbors, 40)
    start = umap_layout.pca_start(vectors, components, random)
    *_, found = umap_layout.descend(start, graph, 0.2, 40, random)
    assert np.array_equal(found, expected)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("components", [2, 3])
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 5, 6, 16])
@pytest.mark.parametrize("width", [1, 2, 24])
def test_small_corpora_get_finite_places(rows: int, width: int, components: int) -> None:
    vectors = random_units(rows, width)
    layout = project(
        vectors, exact_neighbors(vectors, 15), UmapParameters(n_components=components, n_epochs=20)
    )
    assert layout.coordinates.shape == (rows, components)
    assert layout.coordinates.dtype == np.float32
    assert np.isfinite(layout.coordinates).all()
    assert np.abs(layout.coordinates).max(initial=0) <= 1 + 1e-6
    if 1 < rows < 15:
        assert layout.notices


@pytest.mark.usefixtures("compiled")
def test_more_neighbours_than_texts_are_clipped_and_told() -> None:
    vectors = random_units(16, 24)
    layout = project(vectors, exact_neighbors(vectors, 50), UmapParameters(n_neighbors=50, n_epochs=20))
    assert layout.parameters.n_neighbors == 16
    assert "50" in layout.notices[0].text("en")
    assert "16" in layout.notices[0].text("zh")


@pytest.mark.parametrize("rows", [2, 16, 100])
def test_identical_vectors_are_spread_out_and_told(rows: int) -> None:
    vectors = np.repeat(random_units(1, 8), rows, axis=0)
    layout = project(vectors, exact_neighbors(vectors, 15))
    assert layout.method == "even"
    assert len(np.unique(layout.coordinates, axis=0)) == rows
    assert layout.notices[0].key == "analysis.all_the_same"


@pytest.mark.usefixtures("compiled")
def test_many_duplicates_stay_together(clusters: Clusters) -> None:
    vectors = np.repeat(clusters[0][::30], 20, axis=0)
    layout = project(vectors, exact_neighbors(vectors, 15))
    groups = layout.coordinates.reshape(10, 20, 2)
    assert np.isfinite(layout.coordinates).all()
    assert np.ptp(groups, axis=1).max() < np.ptp(groups.mean(axis=1), axis=0).max()


@pytest.mark.usefixtures("compiled")
def test_progress_shows_the_map_taking_shape(clusters: Clusters) -> None:
    vectors, _ = clusters
    steps = list(project_steps(vectors, exact_neighbors(vectors, 15), UmapParameters(n_epochs=25), every=10))
    assert [(step.done, step.total) for step in steps] == [(10, 25), (20, 25), (25, 25)]
    shapes = [step.partial.coordinates for step in steps if step.partial is not None]
    assert not np.array_equal(shapes[0], shapes[1])
    seen: list[tuple[int, int]] = []
    project(
        vectors, exact_neighbors(vectors, 15), UmapParameters(n_epochs=3), lambda *step: seen.append(step)
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.usefixtures("compiled")
def test_maps_can_be_drawn_in_several_threads_at_once(clusters: Clusters) -> None:
    vectors, _ = clusters
    neighbors = exact_neighbors(vectors, 15)
    with ThreadPoolExecutor(4) as threads:
        drawn = [threads.submit(project, vectors, neighbors, UmapParameters(n_epochs=30)) for _ in range(8)]
        maps = [future.result().coordinates for future in drawn]
    assert all(np.array_equal(maps[0], coordinates) for coordinates in maps)


@pytest.mark.usefixtures("compiled")
def test_drawing_stops_at_the_epoch_in_which_it_is_asked_to(clusters: Clusters) -> None:
    vectors, _ = clusters
    cancel = CancelToken()
    seen: list[int] = []

    def watch(done: int, _: int) -> None:
        seen.append(done)
        if done == 4:
            cancel.cancel()

    with pytest.raises(Cancelled):
        project(vectors, exact_neighbors(vectors, 15), on_epoch=watch, cancel=cancel)
    assert seen == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "wrong", [{"n_neighbors": 1}, {"min_dist": 1.5}, {"seed": -1}, {"n_components": 4}, {"n_epochs": 20_000}]
)
def test_parameters_out_of_range_are_named_before_anything_is_computed(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="must lie between"):
        UmapParameters(**wrong)


def test_neighbours_of_other_vectors_are_refused() -> None:
    with pytest.raises(InputError, match="belong together"):
        project(random_units(20, 4), exact_neighbors(random_units(10, 4), 5))


def test_a_known_vector_is_placed_on_itself_and_a_new_one_among_its_neighbours() -> None:
    vectors, places = random_units(200, 16), random_units(200, 2, seed=1)
    placement = place(vectors[[17, 5]], vectors, places)
    assert np.abs(placement.coordinates - places[[17, 5]]).max() < 1e-3
    assert placement.neighbors.indices[:, 0].tolist() == [17, 5]
    new = place(random_units(3, 16, seed=9), vectors, places)
    around = places[new.neighbors.indices]
    assert np.all(new.coordinates >= around.min(axis=1) - 1e-6)
    assert np.all(new.coordinates <= around.max(axis=1) + 1e-6)
    with pytest.raises(InputError):
        place(vectors, vectors[:0], places[:0])


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(1, 8), st.integers(0, 4))
def test_placing_never_leaves_the_map(rows: int, k: int, seed: int) -> None:
    vectors, places = random_units(rows, 4, seed), random_units(rows, 3, seed + 1)
    placed = place(random_units(5, 4, seed + 2), vectors, places, k).coordinates
    assert placed.shape == (5, 3)
    assert np.isfinite(placed).all()
    assert np.abs(placed).max() <= np.abs(places).max() + 1e-5


def test_trust_is_full_for_a_perfect_map_and_low_for_a_random_one() -> None:
    angles = np.sort(np.random.default_rng(0).uniform(0, 2 * np.pi, 200))
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    neighbors = exact_neighbors(circle, 15)
    perfect = map_trust(circle, circle, neighbors)
    assert perfect.trustworthiness > 0.999
    assert perfect.kept.mean() > 0.99
    shuffled = map_trust(circle, circle[np.random.default_rng(1).permutation(200)], neighbors)
    assert shuffled.trustworthiness < 0.7
    assert shuffled.kept.mean() < 0.2


def test_trust_is_sampled_above_three_thousand_points() -> None:
    vectors = random_units(3_200, 3)
    trust = map_trust(vectors, vectors, exact_neighbors(vectors, 11))
    assert (trust.sampled, trust.k, trust.kept.shape) == (3_000, 10, (3_200,))
    assert trust.trustworthiness > 0.99


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 4])
def test_trust_of_a_handful_is_defined(rows: int) -> None:
    vectors = random_units(rows, 4)
    trust = map_trust(vectors, np.zeros((rows, 2)), exact_neighbors(vectors, 15))
    assert 0 <= trust.trustworthiness <= 1
    assert trust.kept.shape == (rows,)


def test_kept_neighbours_are_counted_without_the_point_itself() -> None:
    places = np.array([[0, 0], [0, 1], [5, 0], [5, 1]], dtype=np.float32)
    indices = np.array([[0, 1], [1, 2], [2, 3], [3, 2]], dtype=np.int32)
    trust = map_trust(unit_rows(places + 1), places, Neighbors(indices, np.ones((4, 2), np.float32)), k=1)
    assert trust.kept.tolist() == [1, 0, 1, 1]

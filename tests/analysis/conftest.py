"""Vectors to look at, and UMAP compiled once for all tests."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.analysis.arrays import Floats, unit_rows
from explorer.analysis.projection import warm_up


@pytest.fixture(scope="session")
def compiled() -> None:
    warm_up()


@pytest.fixture(scope="session")
def clusters() -> tuple[Floats, np.ndarray]:
    """300 unit vectors in three Gaussian clusters, and the cluster of each."""
    random = np.random.default_rng(7)
    centres = random.normal(size=(3, 32))
    labels = np.repeat(np.arange(3), 100)
    return unit_rows((centres[labels] + 0.35 * random.normal(size=(300, 32))).astype(np.float32)), labels

"""Word vectors add up to what the words do to the embedding."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.engine.attribution.token_pairs import word_states, word_vectors
from explorer.engine.attribution.words import embedding_words
from explorer.engine.embedder import Embedder
from explorer.models.loading import load_model

TEXT = "Beijing is the capital of China."


@pytest.fixture(scope="module")
def bundled():
    return load_model("bundled", "embedding", "cpu")


def test_they_add_up_and_end_at_the_models_own_embedding(bundled) -> None:
    worded = embedding_words(bundled.tokenizer, TEXT, None, 2048)
    *_, (done, total, found) = word_vectors(bundled, worded, worded.words)
    assert done == total
    np.testing.assert_allclose(found.vector, Embedder(bundled).encode(TEXT)[0], atol=1e-4)
    whole = found.vector - found.baseline
    assert np.linalg.norm(found.parts.sum(0) - whole) < 0.1 * np.linalg.norm(whole)


def test_each_part_is_the_slope_of_the_embedding(tiny_embedding) -> None:
    worded = embedding_words(tiny_embedding.tokenizer, TEXT, None, 2048)
    first = worded.words[:1]
    *_, (_, _, alone) = word_vectors(tiny_embedding, worded, first)
    np.testing.assert_allclose(alone.parts.sum(0), alone.vector - alone.baseline, atol=0.05)


def test_states_are_unit_rows(tiny_embedding) -> None:
    worded = embedding_words(tiny_embedding.tokenizer, TEXT, None, 2048)
    states = word_states(tiny_embedding, worded, worded.words)
    assert states.shape == (len(worded.words), tiny_embedding.dimensions)
    np.testing.assert_allclose(np.linalg.norm(states, axis=1), 1, atol=1e-5)

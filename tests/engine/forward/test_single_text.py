"""A short text that is filled up to a graph's length gets the state it would have alone; one recording a length."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import varlen_stand_in
from tiny_models import ModelFactory
from torch.nn.attention import varlen as kernels

from explorer.engine.forward import single_text as module
from explorer.engine.forward.paths import last_hidden_states, use_path
from explorer.engine.forward.single_text import LENGTHS, fits_graph, single_last_state
from explorer.models.loading import LoadedModel, load_model

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def loaded(make_model: ModelFactory) -> LoadedModel:
    return load_model(str(make_model(seed=61)), "embedding", "cpu")


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record and replay as a GPU does, into the same memory each time, by running again."""
    recordings: list[int] = []

    def record(run: Callable[[], torch.Tensor], _: torch.device) -> tuple[Callable[[], None], torch.Tensor]:
        state = run()
        recordings.append(len(recordings))
        return lambda: state.copy_(run()), state

    monkeypatch.setattr(module, "_record", record)
    monkeypatch.setattr(kernels, "varlen_attn", varlen_stand_in.varlen_attn)
    return recordings


@torch.inference_mode()
def test_filling_changes_nothing(loaded: LoadedModel, recorded: list[int]) -> None:
    draw = np.random.default_rng(0)
    texts = [draw.integers(0, 400, tokens) for tokens in (7, 1, 32, 33, 9, 200, 256, 20)]
    use_path(loaded.backbone, "padded")
    expected = last_hidden_states(loaded.backbone, texts, 0, CPU, "padded")
    use_path(loaded.backbone, "varlen")
    found = [single_last_state(loaded.backbone, text, CPU) for text in texts]
    assert torch.cat(found).sub(expected).abs().max() <= 1e-5
    assert len(recorded) == 3  # of 32, 64 and 256 tokens


@torch.inference_mode()
@pytest.mark.usefixtures("recorded")
def test_a_later_text_leaves_an_earlier_result_alone(loaded: LoadedModel) -> None:
    use_path(loaded.backbone, "varlen")
    first = single_last_state(loaded.backbone, np.arange(5), CPU)
    kept = first.clone()
    second = single_last_state(loaded.backbone, np.arange(9), CPU)
    assert torch.equal(first, kept) and not torch.equal(first, second)


def test_graphs_are_for_short_texts_of_models_to_be_compiled(make_model: ModelFactory) -> None:
    model = load_model(str(make_model(seed=61)), "embedding", "cpu")
    assert not fits_graph(model.backbone, 3)
    for layer in model.backbone.layers:
        layer.compile(backend="eager")
    assert fits_graph(model.backbone, LENGTHS[-1])
    assert not fits_graph(model.backbone, LENGTHS[-1] + 1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU")
def test_on_a_gpu_single_texts_agree_with_a_batch(make_model: ModelFactory) -> None:
    from explorer.engine.embedder import load_embedder

    texts = ["capital of China", "yes", "Gravity pulls bodies together. " * 3]
    embedder = load_embedder(str(make_model(seed=61)), "cuda", accelerate="compile")
    together = embedder.encode(texts)
    embedder.cache.clear()
    alone = np.concatenate([embedder.encode(text) for text in texts])
    assert (together * alone).sum(axis=1).min() > 0.999

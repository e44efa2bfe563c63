"""Accelerated models give nearly the same numbers under a name of their own, or say why they cannot be had."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_models import ModelFactory

from explorer.engine.embedder import load_embedder
from explorer.engine.reranker import load_reranker
from explorer.engine.store.cache import VectorCache, cache_key
from explorer.errors import ExplorerError, InputError, ModelLoadError
from explorer.models import acceleration as module
from explorer.models import devices, preparing
from explorer.models.acceleration import accelerated_dtype, check_compiler, is_compiled
from explorer.models.catalog import find
from explorer.models.int8 import Int8Linear
from explorer.models.loading import LoadedModel, load_model
from explorer.models.memory import plan
from explorer.models.preparing import prepare
from explorer.models.shelf import Shelf

CPU = torch.device("cpu")
TEXTS = [
    "The capital of China is Beijing.",
    "yes",
    "Gravity pulls bodies together. " * 12,
    "苹果是一种水果。",
]
LOWEST_COSINE = {"int8": 0.999, "bf16": 0.999, "compile": 1 - 1e-6}


@pytest.fixture
def able(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor with bfloat16; others compute it too, only slowly."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})


_compiled: list[int] = []


def _stand_in(graph: torch.fx.GraphModule, _: object) -> object:
    """A compiler that gives back what it is given, and counts."""
    _compiled.append(len(graph.graph.nodes))
    return graph.forward


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Compile without a compiler; the sizes of what was compiled in this run so far."""
    compile_module = torch.nn.Module.compile
    monkeypatch.setattr(
        torch.nn.Module,
        "compile",
        lambda layer, **options: compile_module(layer, backend=_stand_in, **options),
    )
    monkeypatch.setattr(preparing, "check_compiler", lambda device: None)
    return _compiled


@pytest.mark.parametrize(
    ("accelerate", "dtype"),
    [("int8", "float32, int8 weights"), ("bf16", "bfloat16"), ("compile", "float32, compiled")],
)
@pytest.mark.usefixtures("able", "compiler")
def test_vectors_stay_near_and_say_what_was_done(make_model: ModelFactory, accelerate, dtype) -> None:
    folder = str(make_model(seed=41))
    plain, other = load_embedder(folder, "cpu"), load_embedder(folder, "cpu", accelerate=accelerate)
    expected, found = plain.encode(TEXTS), other.encode(TEXTS)
    assert (expected * found).sum(axis=1).min() > LOWEST_COSINE[accelerate]
    assert other.provenance == replace(plain.provenance, dtype=dtype)
    ids = np.arange(5)
    assert cache_key(plain.provenance, ids) != cache_key(other.provenance, ids)


def test_what_was_done_stands_in_the_caption(make_model: ModelFactory) -> None:
    reranker = load_reranker(str(make_model(family="reranker", seed=42)), "cpu", accelerate="int8")
    assert reranker.provenance.place == "fp32, int8 weights on CPU"
    assert reranker.score("capital", ["Beijing", "no"]).provenance == reranker.provenance


def test_one_cache_keeps_accelerated_results_apart(make_model: ModelFactory) -> None:
    folder, cache = str(make_model(seed=41)), VectorCache()
    plain = load_embedder(folder, "cpu")
    plain._runner.cache = cache
    expected = plain.encode(TEXTS)
    int8 = load_embedder(folder, "cpu", accelerate="int8")
    int8._runner.cache = cache
    assert (int8.encode(TEXTS) != expected).any()
    assert (plain.encode(TEXTS) == expected).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_int8_weights_are_as_near_as_a_step_allows(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    weight = torch.randn(6, 40).to(dtype)
    weight[2] = 0
    layer = Int8Linear(weight)
    assert layer.weight.dtype == torch.int8 and layer.weight.abs().amax(1).tolist() == [
        127,
        127,
        0,
        127,
        127,
        127,
    ]
    back = layer(torch.eye(40, dtype=dtype)).T.float()
    step = weight.float().abs().amax(1, keepdim=True) / 127
    assert ((back - weight.float()).abs() <= 0.5 * step * 1.001 + weight.float().abs() * 2**-8).all()


def test_int8_takes_a_byte_a_weight(make_model: ModelFactory) -> None:
    folder = str(make_model(seed=43))
    loaded = load_model(folder, "embedding", "cpu", accelerate="int8")
    sizes = {name: parameter.nbytes for name, parameter in loaded.backbone.named_parameters()}
    scales = sum(size for name, size in sizes.items() if name.endswith(".scale"))
    assert sum(sizes.values()) - scales == loaded.weight_bytes
    plain = load_model(folder, "embedding", "cpu")
    assert plain.weight_bytes - loaded.weight_bytes == 3 * loaded.checkpoint.linear_parameters
    assert loaded.provenance.fingerprint == plain.provenance.fingerprint


def test_memory_verdicts_count_int8() -> None:
    large = find("8B", "embedding")
    assert large is not None
    free = int(1.2 * large.bytes("bfloat16, int8 weights"))
    assert plan(large, "bfloat16", CPU, free=free).verdict == "too_large"
    assert plan(large, "bfloat16, int8 weights", CPU, free=free).verdict != "too_large"
    assert large.bytes("bfloat16, compiled") == large.bytes("bfloat16")


def test_compiled_layers_run_compiled_once_for_all_lengths(
    make_model: ModelFactory, compiler: list[int]
) -> None:
    embedder = load_embedder(str(make_model(seed=44)), "cpu", accelerate="compile")
    embedder.encode(TEXTS)
    graphs = len(compiler)
    assert graphs > 0
    embedder.encode([text + " more" for text in TEXTS] + ["capital of France " * 30])
    embedder.encode("Is it Paris?", instruction="Find the capital")
    assert len(compiler) == graphs


@pytest.mark.parametrize("accelerate", ["int8", "bf16", "compile"])
@pytest.mark.usefixtures("able", "compiler")
def test_accelerated_models_are_swapped_and_unloaded(make_model: ModelFactory, accelerate) -> None:
    shelf = Shelf(accelerate=accelerate)
    first, second = (_swapped(shelf, str(make_model(seed=seed))) for seed in (45, 46))
    assert first.released and not second.released
    with pytest.raises(ModelLoadError, match="was unloaded"):
        _encode(first)
    assert _encode(second).shape == (4, 48)
    weights = [weakref.ref(parameter) for parameter in second.backbone.parameters()]
    shelf.unload("embedding")
    gc.collect()
    assert second.released and all(parameter() is None for parameter in weights)


@pytest.mark.usefixtures("able")
def test_a_shelf_plans_for_what_it_will_do(make_model: ModelFactory) -> None:
    folder = str(make_model(seed=45))
    weights = {
        way: Shelf(accelerate=way).plan(folder, "embedding", "cpu").weights
        for way in ("none", "int8", "bf16")
    }
    assert weights["none"] == 2 * weights["bf16"] > weights["int8"]


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_f": True, "avx2": True}, False),
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
        ({"architecture": "aarch64", "bf16": True}, True),
        ({"architecture": "aarch64", "neon": True}, False),
    ],
)
def test_bfloat16_is_for_processors_that_have_it(monkeypatch, capabilities, expected) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert devices.computes_bfloat16(CPU) is expected
    assert not devices.computes_bfloat16(torch.device("mps"))
    if expected:
        assert accelerated_dtype("auto", "bf16", CPU, "other") == torch.bfloat16
        return
    with pytest.raises(ModelLoadError, match="AVX-512 BF16, AMX or Arm bf16") as refused:
        accelerated_dtype("auto", "bf16", CPU, "other")
    assert "cpu" in refused.value.text("zh")


@pytest.mark.usefixtures("able")
def test_bf16_does_not_overrule_another_number_format() -> None:
    with pytest.raises(ModelLoadError, match="float32 was asked for"):
        accelerated_dtype("float32", "bf16", CPU, "other")


def test_an_unknown_acceleration_is_refused(make_model: ModelFactory) -> None:
    with pytest.raises(InputError, match="'int4'"):
        prepare(str(make_model()), "embedding", "cpu", accelerate="int4")


def test_without_a_compiler_a_sentence_says_what_to_install(make_model: ModelFactory, monkeypatch) -> None:
    def nothing(_: torch.device) -> None:
        raise RuntimeError("No working C++ compiler found in cxx: (None, 'g++')\n and a long list")

    monkeypatch.setattr(module, "_compile_trial", nothing)
    with pytest.raises(ExplorerError, match=r"apt-get install g\+\+") as refused:
        load_embedder(str(make_model()), "cpu", accelerate="compile")
    assert "No working C++ compiler found" in str(refused.value) and "long list" not in str(refused.value)


def test_the_real_compiler_works_or_is_refused_with_a_sentence(make_model: ModelFactory) -> None:
    try:
        check_compiler(CPU)
    except ModelLoadError as refused:
        pytest.skip(str(refused))
    loaded = load_model(str(make_model()), "embedding", "cpu", accelerate="compile")
    assert is_compiled(loaded.backbone) and not is_compiled(
        load_model(str(make_model()), "embedding", "cpu").backbone
    )


def _swapped(shelf: Shelf, folder: str) -> LoadedModel:
    loaded = list(shelf.swap("embedding", folder, "cpu"))[-1].partial
    assert loaded is not None
    assert _encode(loaded).shape == (4, 48)
    return loaded


def _encode(loaded: LoadedModel) -> np.ndarray:
    from explorer.engine.embedder import Embedder

    return Embedder(loaded).encode(TEXTS)


def test_bundled_models_stay_in_float32_unless_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    cuda = torch.device("cuda")
    assert accelerated_dtype("auto", "none", cuda, "published") == torch.bfloat16
    assert accelerated_dtype("auto", "none", cuda, "bundled") == torch.float32
    assert accelerated_dtype("bfloat16", "none", cuda, "bundled") == torch.bfloat16

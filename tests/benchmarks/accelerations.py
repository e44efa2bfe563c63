"""The optional accelerations, each against the model as it is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from explorer.engine.embedder import Embedder
from explorer.errors import ModelLoadError
from explorer.models.acceleration import accelerated_name, check_compiler, compile_layers
from explorer.models.checks import read_config
from explorer.models.devices import computes_bfloat16
from explorer.models.int8 import place_int8
from explorer.models.loading import LoadedModel
from explorer.models.weights import build_backbone
from explorer.provenance import Acceleration
from tests.benchmarks.reproducible import uncached
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import Row, row_of
from tests.benchmarks.texts import queries_to_embed, texts_to_embed
from tests.benchmarks.timing import Array, Run, Turns, take_turns
from tests.benchmarks.weights import RandomModel, place

TASK = "Given a web search query, retrieve relevant passages that answer the query"


def measure(model: RandomModel, setting: Setting, _: float) -> Iterator[Row]:
    """Time a batch, and queries one at a time.

    Args:
        model: The weights.
        setting: How much to measure.

    Yields:
        Lines of the table.
    """
    texts = texts_to_embed(model.embedding.tokenizer, setting.some_texts)
    queries = queries_to_embed(model.embedding.tokenizer, setting.queries)
    ways = _possible(model)
    try:
        check_compiler(model.device)
        ways.append("compile")
    except ModelLoadError as refused:
        yield Row("accelerations", "compile", note=f"skipped: {refused}")
    models = {way: accelerated(model, way) for way in ways}
    embedders, ready = {}, {}
    for way, loaded in models.items():
        begun = time.perf_counter()
        embedders[way] = Embedder(loaded)
        embedders[way].encode(texts[:2])
        ready[way] = time.perf_counter() - begun
    batches = {way: uncached(embedder) for way, embedder in embedders.items()}
    single = {way: _one_by_one(embedder) for way, embedder in embedders.items()}
    for title, runs, chosen in (
        (f"accelerations, {len(texts):,} texts", batches, texts),
        (f"accelerations, {setting.queries} queries one by one", single, queries),
    ):
        turns = take_turns(runs, chosen, setting.repetitions, setting.device)
        for way, taken in turns.items():
            note = _note(taken, turns["none"], models[way], ready[way])
            yield row_of(title, way, taken, turns["none"], note)


def accelerated(model: RandomModel, accelerate: Acceleration) -> LoadedModel:
    """Do to a random model what the loader does to one from a disk.

    Args:
        model: The weights, which are not changed; what need not differ is shared.
        accelerate: What to do.

    Returns:
        The embedding model.
    """
    dtype = torch.bfloat16 if accelerate == "bf16" else model.dtype
    backbone = build_backbone(read_config(model.folders["embedding"], "embedding"), model.device)
    for name, parameter in model.embedding.backbone.named_parameters():
        if accelerate != "int8" or not place_int8(backbone, name, parameter):
            place(backbone, name, parameter.to(dtype))
    if accelerate == "compile":
        compile_layers(backbone)
    provenance = replace(model.embedding.provenance, dtype=accelerated_name(dtype, accelerate))
    return replace(model.embedding, backbone=backbone, provenance=provenance, dtype=dtype)


def _possible(model: RandomModel) -> list[Acceleration]:
    """List what is not there already and can be had here."""
    found: list[Acceleration] = ["none", "int8"]
    if model.dtype != torch.bfloat16 and computes_bfloat16(model.device):
        found.append("bf16")
    return found


def _one_by_one(embedder: Embedder) -> Run:
    """Embed each text by itself, as queries come."""

    def run(texts: Sequence[str]) -> Array:
        embedder.cache.clear()
        return np.concatenate([embedder.encode(text, instruction=TASK) for text in texts])

    return run


def _note(taken: Turns, plain: Turns, loaded: LoadedModel, ready: float) -> str:
    """Say what an acceleration gives and costs."""
    size = f"weights {loaded.weight_bytes / 1e6:,.1f} MB"
    if taken is plain:
        return size
    cosine = (taken.result * plain.result).sum(axis=1).min()
    times = plain.cpu_ratio(taken) if loaded.device.type == "cpu" else plain.ratio(taken)
    return f"{times:.2f} times as fast, {size}, lowest cosine {cosine:.6f}, first vectors after {ready:.0f} s"

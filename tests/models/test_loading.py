"""Every form of the family loads; everything else is refused with a cure."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import ModelFactory, TinyModel, write_model
from transformers import AutoModel, AutoModelForCausalLM

from explorer.errors import Cancelled, ModelLoadError, OutOfMemoryError
from explorer.models import loading, sources
from explorer.models.catalog import BUNDLED_FOLDERS
from explorer.models.loading import load_model
from explorer.progress import CancelToken

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_loaded_backbone_is_the_one_transformers_loads(make_model: ModelFactory) -> None:
    for shape in ({}, {"prefixed": True, "shards": 3}, {"dtype": torch.bfloat16}):
        folder = make_model(**shape)
        loaded = load_model(str(folder), "embedding", "cpu")
        reference = AutoModel.from_pretrained(folder, dtype=torch.float32)
        wanted = dict(reference.named_parameters())
        found = dict(loaded.backbone.named_parameters())
        assert found.keys() == wanted.keys()
        assert all(torch.equal(found[name], wanted[name]) for name in wanted)
        assert torch.equal(loaded.backbone.rotary_emb.inv_freq, reference.rotary_emb.inv_freq)
        assert not loaded.backbone.training
        assert not any(parameter.requires_grad for parameter in found.values())


@pytest.mark.parametrize("tied", [True, False])
def test_the_head_is_the_rows_for_no_and_yes(make_model: ModelFactory, tied: bool) -> None:
    folder = make_model(family="reranker", tied=tied)
    loaded = load_model(str(folder), "reranker", "cpu")
    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    rows = [loaded.tokenizer.token_to_id(word) for word in ("no", "yes")]
    assert loaded.head is not None and loaded.head.dtype == torch.float32
    assert torch.equal(loaded.head, reference.lm_head.weight[rows])


def test_progress_counts_bytes_to_the_end(make_model: ModelFactory) -> None:
    steps: list[tuple[str, int, int]] = []
    loaded = load_model(str(make_model()), "embedding", "cpu", progress=lambda *step: steps.append(step))
    total = sum(parameter.nbytes for parameter in loaded.backbone.parameters())
    assert {stage for stage, _, _ in steps} == {"models.stage_load"}
    assert [done for _, done, _ in steps] == sorted(done for _, done, _ in steps)
    assert steps[0][1] == 0 and steps[-1][1:] == (total, total)
    assert total == loaded.checkpoint.bytes("float32")


def test_cancel_stops_between_tensors(make_model: ModelFactory) -> None:
    cancel = CancelToken()
    steps: list[int] = []

    def stop_at_five(stage: str, done: int, total: int) -> None:
        steps.append(done)
        if len(steps) == 5:
            cancel.cancel()

    with pytest.raises(Cancelled):
        load_model(str(make_model()), "embedding", "cpu", progress=stop_at_five, cancel=cancel)
    assert len(steps) == 5


def test_dtypes(make_model: ModelFactory) -> None:
    folder = str(make_model())
    half = load_model(folder, "embedding", "cpu", "bfloat16")
    assert {parameter.dtype for parameter in half.backbone.parameters()} == {torch.bfloat16}
    assert half.provenance.dtype == "bfloat16"
    assert load_model(folder, "embedding", "cpu").dtype == torch.float32
    with pytest.raises(ModelLoadError, match="NaN"):
        load_model(folder, "embedding", "cpu", "float16")
    with pytest.raises(ModelLoadError, match="bfloat16 or float32"):
        load_model(folder, "embedding", "cpu", "int8")


@pytest.mark.parametrize("device", ["tpu", "cuda:99", "cpu:0;rm", ""])
def test_devices_that_are_not_there(make_model: ModelFactory, device: str) -> None:
    with pytest.raises(ModelLoadError) as caught:
        load_model(str(make_model()), "embedding", device)
    assert caught.value.key in ("models.device_unknown", "models.device_missing")


def test_the_fingerprint_tells_weights_tokenizers_and_configurations_apart(
    make_model: ModelFactory, tmp_path: Path
) -> None:
    folder = make_model()

    def fingerprint(path: Path, dtype: str = "float32") -> str:
        return load_model(str(path), "embedding", "cpu", dtype).provenance.fingerprint

    base = fingerprint(folder)
    assert fingerprint(shutil.copytree(folder, tmp_path / "copy")) == base
    assert fingerprint(folder, "bfloat16") == base
    others = {base}
    for name, change in {
        "weights": _move_a_weight,
        "tokenizer": _space_a_tokenizer,
        "config": _touch,
    }.items():
        changed = shutil.copytree(folder, tmp_path / name)
        change(changed)
        others.add(fingerprint(changed))
    assert len(others) == 4


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_one_weight_anywhere_changes_the_fingerprint(
    make_model: ModelFactory, tmp_path: Path, dtype: torch.dtype
) -> None:
    original = make_model(hidden=96, intermediate=512, dtype=dtype)
    found = {load_model(str(original), "embedding", "cpu").provenance.fingerprint}
    matrix = load_file(original / "model.safetensors")["layers.1.mlp.up_proj.weight"]
    assert matrix.numel() > 40_000
    places = [1, 2, 3, 1023, 1025, matrix.numel() // 2 + 1, matrix.numel() - 1]
    for place in places:
        folder = shutil.copytree(original, tmp_path / str(place))
        tensors = load_file(folder / "model.safetensors")
        tensors["layers.1.mlp.up_proj.weight"].view(-1)[place] *= -1
        save_file(tensors, folder / "model.safetensors")
        found.add(load_model(str(folder), "embedding", "cpu").provenance.fingerprint)
    assert len(found) == 1 + len(places)


def test_a_fingerprint_is_of_the_weights_and_not_of_their_files(make_model: ModelFactory) -> None:
    found = {
        load_model(str(make_model(shards=shards)), "embedding", "cpu").provenance.fingerprint
        for shards in (1, 2, 3)
    }
    assert len(found) == 1


def test_a_rerankers_head_is_part_of_its_fingerprint(make_model: ModelFactory, tmp_path: Path) -> None:
    original = make_model(family="reranker", tied=False)
    folder = shutil.copytree(original, tmp_path / "head")
    tensors = load_file(folder / "model.safetensors")
    answer = load_model(str(original), "reranker", "cpu").tokenizer.token_to_id("yes")
    tensors["lm_head.weight"][answer, 5] += 1
    save_file(tensors, folder / "model.safetensors")
    fingerprints = [
        load_model(str(path), "reranker", "cpu").provenance.fingerprint for path in (original, folder)
    ]
    assert fingerprints[0] != fingerprints[1]


def _move_a_weight(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["norm.weight"][3] += 0.5
    save_file(tensors, folder / "model.safetensors")


def _space_a_tokenizer(folder: Path) -> None:
    path = folder / "tokenizer.json"
    path.write_text(path.read_text() + "\n")


def _touch(folder: Path) -> None:
    _edit(folder, rms_norm_eps=1e-5)


def _edit(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    values = json.loads(path.read_text()) | changes
    path.write_text(json.dumps(values))


def _cut_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def _drop_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["layers.1.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors")


def _add_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["layers.0.self_attn.q_proj.lora_A.weight"] = torch.zeros(2, 2)
    save_file(tensors, folder / "model.safetensors")


def _wrong_shape(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["norm.weight"] = torch.zeros(7)
    save_file(tensors, folder / "model.safetensors")


def _pickled_only(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({"danger": 1}, folder / "pytorch_model.bin")


def _other_tokenizer(folder: Path) -> None:
    vocabulary = {"a": 0, "b": 1}
    tokenizer = {"model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "a"}}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


def _index_elsewhere(folder: Path) -> None:
    index = {"metadata": {}, "weight_map": {"norm.weight": "../model.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


BREAKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no config": (lambda folder: (folder / "config.json").unlink(), "models.config_missing"),
    "config is not JSON": (
        lambda folder: (folder / "config.json").write_text("{"),
        "models.config_unreadable",
    ),
    "config is a list": (
        lambda folder: (folder / "config.json").write_text("[]"),
        "models.config_unreadable",
    ),
    "brings code": (lambda folder: _edit(folder, auto_map={"AutoModel": "x.Y"}), "models.config_forbidden"),
    "quantised": (
        lambda folder: _edit(folder, quantization_config={"quant_method": "gptq"}),
        "models.config_forbidden",
    ),
    "chooses its attention": (
        lambda folder: _edit(folder, _attn_implementation_internal="somebody/kernel"),
        "models.config_forbidden",
    ),
    "sliding window": (
        lambda folder: _edit(
            folder, use_sliding_window=True, sliding_window=8, layer_types=None, max_window_layers=0
        ),
        "models.config_forbidden",
    ),
    "another model": (
        lambda folder: _edit(folder, model_type="llama", architectures=["LlamaModel"]),
        "models.architecture_wrong",
    ),
    "another head": (
        lambda folder: _edit(folder, architectures=["Qwen3ForTokenClassification"]),
        "models.architecture_wrong",
    ),
    "no architecture": (lambda folder: _edit(folder, architectures=None), "models.architecture_wrong"),
    "a sequence classifier": (
        lambda folder: _edit(folder, architectures=["Qwen3ForSequenceClassification"]),
        "models.family_not_embedding",
    ),
    "negative layers": (lambda folder: _edit(folder, num_hidden_layers=-1), "models.config_unusable"),
    "text for a number": (lambda folder: _edit(folder, hidden_size="many"), "models.config_unusable"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "models.weights_missing"),
    "pickled weights only": (_pickled_only, "models.weights_missing"),
    "truncated weights": (_cut_weights, "models.weights_corrupt"),
    "weights are text": (
        lambda folder: (folder / "model.safetensors").write_text("hello" * 99),
        "models.weights_corrupt",
    ),
    "empty weights": (
        lambda folder: (folder / "model.safetensors").write_bytes(b""),
        "models.weights_corrupt",
    ),
    "index leads out": (_index_elsewhere, "models.weights_corrupt"),
    "a tensor is missing": (_drop_tensor, "models.weights_incomplete"),
    "an adapter is left": (_add_tensor, "models.weights_unknown"),
    "a tensor of another shape": (_wrong_shape, "models.weights_shape"),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), "models.tokenizer_missing"),
    "tokenizer is text": (
        lambda folder: (folder / "tokenizer.json").write_text("hello"),
        "models.tokenizer_corrupt",
    ),
    "another tokenizer": (_other_tokenizer, "models.tokenizer_no_end"),
    "tokenizer too large": (lambda folder: _edit(folder, vocab_size=100), "models.tokenizer_too_large"),
}


@pytest.mark.parametrize("case", BREAKS)
def test_a_broken_folder_is_refused_with_a_cure(make_model: ModelFactory, tmp_path: Path, case: str) -> None:
    change, key = BREAKS[case]
    folder = shutil.copytree(make_model(), tmp_path / "broken")
    change(folder)
    with pytest.raises(ModelLoadError) as caught:
        load_model(str(folder), "embedding", "cpu")
    assert caught.value.key == key
    assert str(tmp_path) not in str(caught.value)
    assert caught.value.text("zh") != str(caught.value)


def test_a_missing_shard_is_named(make_model: ModelFactory, tmp_path: Path) -> None:
    folder = shutil.copytree(make_model(shards=3, prefixed=True), tmp_path / "broken")
    (folder / "model-00002-of-00003.safetensors").unlink()
    with pytest.raises(ModelLoadError, match="00002-of-00003"):
        load_model(str(folder), "embedding", "cpu")


def test_a_reranker_needs_answers_and_a_head(make_model: ModelFactory, tmp_path: Path) -> None:
    folder = make_model(architecture="Qwen3Model", tied=False)
    with pytest.raises(ModelLoadError, match="embedding model"):
        load_model(str(folder), "reranker", "cpu")
    headless = shutil.copytree(folder, tmp_path / "headless")
    _edit(headless, architectures=["Qwen3ForCausalLM"])
    with pytest.raises(ModelLoadError) as caught:
        load_model(str(headless), "reranker", "cpu")
    assert caught.value.key == "models.head_missing"
    wordless = shutil.copytree(make_model(family="reranker"), tmp_path / "wordless")
    path = wordless / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["model"]["merges"] = []
    path.write_text(json.dumps(tokenizer))
    with pytest.raises(ModelLoadError) as caught:
        load_model(str(wordless), "reranker", "cpu")
    assert caught.value.key == "models.answer_not_one_token"


def test_a_classifier_of_several_classes_is_no_reranker(make_model: ModelFactory, tmp_path: Path) -> None:
    original = make_model(family="reranker", architecture="Qwen3ForSequenceClassification")
    folder = shutil.copytree(original, tmp_path / "classes")
    tensors = load_file(folder / "model.safetensors")
    tensors["score.weight"] = tensors["score.weight"].repeat(3, 1)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ModelLoadError) as caught:
        load_model(str(folder), "reranker", "cpu")
    assert caught.value.key == "models.head_not_one_row"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "/nowhere/model",
        "./nowhere",
        "~nosuchuser/x",
        "a b",
        "a/b/c",
        "https://x.org/m",
        "a\0b",
        "n" * 256,
        "owner/" + "n" * 9000,
        "owner/" + "n" * 100,
        "owner/..",
        "owner/a--b",
        "owner/名",
        "/" + "folder/" * 2000,
    ],
)
def test_a_source_that_is_nothing(typed: str) -> None:
    with pytest.raises(ModelLoadError) as caught:
        load_model(typed, "embedding", "cpu", offline=True)
    assert caught.value.key == "models.source_missing"
    assert caught.value.values["source"] == typed[:80]


def test_what_lies_at_a_typed_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kinds = [sources.local_kind(str(tmp_path / name)) for name in ("", "file", "none")]
    assert kinds == ["folder", "file", "nothing"]
    assert sources.local_kind("") == "nothing"
    assert sources.typed_path("~").is_absolute()
    for typed in ("~nosuchuser/x", "n" * 256):
        with pytest.raises(ModelLoadError):
            sources.local_kind(typed)


def test_names_without_torch(make_model: ModelFactory) -> None:
    loaded = load_model(str(make_model()), "embedding", "cpu", "bfloat16")
    assert (loaded.dtype_name, loaded.device_name) == ("bfloat16", "cpu")
    assert loaded.weight_bytes == sum(parameter.nbytes for parameter in loaded.backbone.parameters())


def test_a_published_model_of_the_other_family() -> None:
    with pytest.raises(ModelLoadError, match="reranker"):
        load_model("Qwen/Qwen3-Reranker-0.6B", "embedding", "cpu", offline=True)
    with pytest.raises(ModelLoadError, match="embedding model"):
        load_model("Qwen3-Embedding-4B", "reranker", "cpu", offline=True)


def test_a_missing_bundled_model_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sources.BUNDLED_FOLDERS, "reranker", tmp_path / "mini-reranker")
    with pytest.raises(ModelLoadError, match="whole repository"):
        load_model("bundled", "reranker", "cpu")
    assert BUNDLED_FOLDERS["embedding"].is_dir()


def test_no_room_in_memory_says_what_would_fit(
    make_model: ModelFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(loading.WeightReader, "into", full)
    for free, hint in ((10**12, "Qwen3-Embedding-8B would fit"), (1000, "close other programs")):
        monkeypatch.setattr(loading, "memory", lambda _, free=free: loading_memory(free))
        with pytest.raises(OutOfMemoryError, match=hint):
            load_model(str(make_model()), "embedding", "cpu")


def loading_memory(free: int) -> object:
    from explorer.models.memory import Memory

    return Memory(total=free, free=free)


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder laid out as the hub's cache, and no network."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--somebody--tiny"
    write_model(repository / "snapshots" / COMMIT, TinyModel())
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    return tmp_path


def test_a_cached_repository_loads_offline_and_names_its_commit(hub_cache: Path) -> None:
    loaded = load_model("somebody/tiny", "embedding", "cpu", offline=True)
    assert loaded.provenance.model == "somebody/tiny"
    assert loaded.checkpoint.revision == COMMIT
    assert loaded.provenance.weights == "other"
    folder = hub_cache / "models--somebody--tiny" / "snapshots" / COMMIT
    assert load_model(str(folder), "embedding", "cpu").checkpoint.revision == COMMIT


def test_offline_and_not_cached_names_the_ways_out(hub_cache: Path) -> None:
    for typed in ("somebody/else", "0.6B"):
        with pytest.raises(ModelLoadError) as caught:
            load_model(typed, "embedding", "cpu", offline=True)
        assert caught.value.key == "models.offline_not_cached"


def test_an_incomplete_cache_is_not_taken_for_a_model(hub_cache: Path) -> None:
    (hub_cache / "models--somebody--tiny" / "snapshots" / COMMIT / "model.safetensors").unlink()
    with pytest.raises(ModelLoadError) as caught:
        load_model("somebody/tiny", "embedding", "cpu", offline=True)
    assert caught.value.key == "models.offline_not_cached"


def test_the_file_may_be_replaced_while_the_model_runs(make_model: ModelFactory, tmp_path: Path) -> None:
    folder = shutil.copytree(make_model(), tmp_path / "model")
    loaded = load_model(str(folder), "embedding", "cpu")
    before = loaded.backbone.norm.weight.clone()
    path = folder / "model.safetensors"
    with path.open("r+b") as file:
        size = path.stat().st_size
        file.write(np.zeros(size, dtype=np.uint8).tobytes())
    assert torch.equal(loaded.backbone.norm.weight, before)

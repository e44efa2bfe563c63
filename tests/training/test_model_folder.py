"""What is written is what the explorer, transformers and sentence-transformers load."""

from __future__ import annotations

import errno
import json
import os

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from transformers import Qwen3ForCausalLM, Qwen3Model

import explorer
from explorer.engine.prompts import DEFAULT_INSTRUCTION
from explorer.errors import InputError
from explorer.training.loop import model_folder
from explorer.training.loop.forward import TRAINED
from explorer.training.loop.model_folder import ModelCard, stored_dtype, write_embedding, write_reranker

TEXTS = ["Paris is the capital of France.", "北京是中国的首都。", "a"]
QUERIES = ["What is the capital of China?", "x" * 200]
CARD = ModelCard("run", "tiny", 5, {"offline title to body": 3, "upload": 2}, {"steps": 2, "seed": 0})


def files(folder):
    return {
        path.relative_to(folder): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("published_form", ["Qwen3ForCausalLM", "Qwen3Model"])
def test_the_explorer_and_sentence_transformers_give_the_same_vectors(make_model, tmp_path, published_form):
    base = make_model(architecture=published_form, seed=3)
    before = files(base)
    model = Qwen3Model.from_pretrained(base)
    model.set_attn_implementation(TRAINED)
    folder = write_embedding(model, base, tmp_path / "model", CARD, stored_dtype(base))
    mine, theirs = explorer.load_embedder(str(folder), "cpu"), SentenceTransformer(str(folder), device="cpu")
    assert np.allclose(mine.encode(TEXTS), theirs.encode(TEXTS), atol=1e-5)
    asked = theirs.encode(QUERIES, prompt_name="query")
    assert np.allclose(mine.encode(QUERIES, DEFAULT_INSTRUCTION), asked, atol=1e-5)
    original = explorer.load_embedder(str(base), "cpu")
    assert np.array_equal(mine.encode(TEXTS), original.encode(TEXTS))
    assert files(base) == before
    assert "explorer_packed" not in (folder / "config.json").read_text()


@pytest.mark.parametrize("tied", [True, False])
def test_a_reranker_keeps_its_scores_and_its_kind_of_head(make_model, tmp_path, tied):
    base = make_model(family="reranker", tied=tied, seed=4)
    folder = write_reranker(
        Qwen3ForCausalLM.from_pretrained(base), base, tmp_path / "model", CARD, torch.float32
    )
    first, second = (explorer.load_reranker(str(place), "cpu") for place in (base, folder))
    scores = [model.score("sea", TEXTS, DEFAULT_INSTRUCTION).log_odds for model in (first, second)]
    assert np.array_equal(*scores)
    with safe_open(folder / "model.safetensors", "pt") as stored:
        assert ("lm_head.weight" in stored.keys()) is not tied  # noqa: SIM118 - not a mapping
    assert Qwen3ForCausalLM.from_pretrained(folder).config.tie_word_embeddings is tied
    assert not (folder / "modules.json").exists()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_format_of_the_file_is_the_bases_and_the_model_stays_as_it_was(make_model, tmp_path, dtype):
    base = make_model(dtype=dtype, shards=2)
    model = Qwen3Model.from_pretrained(base, dtype=torch.float32)
    folder = write_embedding(model, base, tmp_path / "model", None, stored_dtype(base))
    stored = load_file(folder / "model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {dtype}
    assert json.loads((folder / "config.json").read_text())["dtype"] == str(dtype).removeprefix("torch.")
    assert model.dtype == torch.float32
    assert model.config.dtype == torch.float32
    assert not (folder / "README.md").exists()


def test_the_card_names_base_pairs_sources_and_plan_in_both_languages(make_model, tmp_path):
    base = make_model()
    folder = write_embedding(Qwen3Model.from_pretrained(base), base, tmp_path / "model", CARD)
    card = (folder / "README.md").read_text("utf-8")
    assert card.startswith('---\nbase_model: "tiny"\n---\n')
    for words in ("5 pairs", "5 个文本对", "offline title to body: 3", "`steps`: 2", "# run"):
        assert words in card


@pytest.mark.parametrize("inside", ["", "inner", ".."])
def test_the_bases_folder_is_never_written_to(make_model, inside):
    base = make_model()
    before = files(base)
    with pytest.raises(InputError) as caught:
        write_embedding(Qwen3Model.from_pretrained(base), base, base / inside)
    assert caught.value.key == "trainer.out_is_base"
    assert files(base) == before


def test_a_full_disk_leaves_the_model_that_was_there(make_model, tmp_path, monkeypatch):
    base = make_model()
    model = Qwen3Model.from_pretrained(base)
    folder = write_embedding(model, base, tmp_path / "model", CARD)
    before = files(folder)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(model_folder, "save_file", full)
        with pytest.raises(InputError, match="No space left on device"):
            write_embedding(model, base, folder, CARD)
    assert files(folder) == before
    write_embedding(model, base, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert not (folder / "README.md").exists()

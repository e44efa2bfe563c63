"""A short run from data to a folder, and the fit of the answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from transformers import Qwen3ForCausalLM

from explorer.training.mini_reranker.answer import findings, fit_answer
from explorer.training.mini_reranker.loss import list_loss
from explorer.training.mini_reranker.marks import MARKS
from explorer.training.mini_reranker.model import score_lists
from explorer.training.mini_reranker.recipe import PromptMaker, Recipe, train
from explorer.training.mini_reranker.vocabulary import cut_vocabulary
from explorer.training.mini_reranker.weights import new_reranker
from explorer.training.sources.sampling import RankedList

BUNDLED = Path(__file__).parents[2] / "assets" / "models" / "mini-embedding"
TOPICS = (
    "竹子",
    "电池",
    "彩虹",
    "珊瑚",
    "高铁",
    "运河",
    "绿茶",
    "候鸟",
    "熊猫",
    "雪山",
    "石油",
    "棉花",
    "瓷器",
    "火箭",
)


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "cut"
    cut_vocabulary(BUNDLED, folder, 3000)
    return folder


@pytest.fixture
def data(tmp_path) -> Path:
    (tmp_path / "wordnet").mkdir()
    for part in ("noun", "verb", "adj", "adv"):
        for kind in ("data", "index"):
            (tmp_path / "wordnet" / f"{kind}.{part}").write_text("")
    articles = []
    for topic in TOPICS:
        paragraph = {"context": f"{topic}是常见的东西。", "qas": [{"question": f"什么是{topic}？"}]}
        articles.append({"title": topic, "paragraphs": [paragraph]})
    (tmp_path / "drcd").mkdir()
    (tmp_path / "drcd" / "DRCD_dev.json").write_text(json.dumps({"data": articles}), "utf-8")
    return tmp_path


def test_a_run_writes_a_model_that_transformers_loads(base, data, tmp_path):
    out = tmp_path / "out"
    recipe = Recipe(minutes=0.03, lists=1, wrong=2, fits=4, languages=("zh",))
    trained = train(data, base, out, recipe)
    loaded = Qwen3ForCausalLM.from_pretrained(out, dtype=torch.float32)
    for name, value in trained.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], value, atol=1e-2, rtol=1e-2)


def test_fitted_answer_lowers_the_loss_and_keeps_the_order(base):
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    model = new_reranker(base, torch.ones(tokenizer.get_vocab_size()), 0)
    prompt = PromptMaker(tokenizer)
    texts = ("The kitchen sells bread.", "A bank lends money.", "Rain falls in spring.")
    ids = [tokenizer.encode(f" {text}", add_special_tokens=False).ids for text in texts]
    prompts = [
        prompt(RankedList("", "Find the answer", query, [ids[i], *(one for one in ids if one is not ids[i])]))
        for i, query in enumerate(("Where can I buy bread?", "Who lends money?", "When does rain fall?"))
    ]
    before = [found[:, 0].argmax() for found in findings(model, prompts)]
    with torch.no_grad():
        start = list_loss(score_lists(model, prompts, prompt.yes, prompt.no), 0.5)
        fit_answer(model, prompts, 0.5)
        scores = score_lists(model, prompts, prompt.yes, prompt.no)
        assert float(list_loss(scores, 0.5)) < float(start)
    assert [one.argmax() for one in scores] == before


def test_no_minutes_mean_the_fit_alone(base, data, tmp_path):
    recipe = Recipe(minutes=0, wrong=2, fits=4, languages=("zh",))
    trained = train(data, base, tmp_path / "out", recipe).state_dict()
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    start = new_reranker(base, torch.ones(tokenizer.get_vocab_size()), recipe.seed).state_dict()
    moved = {name for name, value in trained.items() if not torch.equal(value, start[name])}
    assert moved - {"model.embed_tokens.weight", "lm_head.weight"} == {"model.norm.weight"}


def test_training_leaves_the_wiring_alone(base, data, tmp_path):
    recipe = Recipe(minutes=0.03, lists=1, wrong=2, fits=4, languages=("zh",), rate=1e-2)
    trained = train(data, base, tmp_path / "out", recipe).state_dict()
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    start = new_reranker(base, torch.ones(tokenizer.get_vocab_size()), recipe.seed).state_dict()
    moved = {name for name, value in trained.items() if not torch.equal(value, start[name])}
    assert "model.layers.3.mlp.up_proj.weight" in moved and "model.layers.6.self_attn.v_proj.weight" in moved
    assert not any(
        name.startswith("model.layers.0.") or "q_proj" in name or "k_norm" in name for name in moved
    )
    for layer in range(1, 6):
        written = trained[f"model.layers.{layer}.self_attn.o_proj.weight"][-MARKS:]
        torch.testing.assert_close(written, start[f"model.layers.{layer}.self_attn.o_proj.weight"][-MARKS:])

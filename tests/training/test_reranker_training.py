"""From data to a wired reranker's folder, the fit of its answer, and what further training may touch."""

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
from explorer.training.mini_reranker.recipe import PromptMaker, Recipe, wire
from explorer.training.mini_reranker.vocabulary import cut_vocabulary
from explorer.training.mini_reranker.weights import new_reranker, set_free_layers
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


def test_wiring_writes_a_model_that_transformers_loads(base, data, tmp_path):
    out = tmp_path / "out"
    wired = wire(data, base, out, Recipe(wrong=2, fits=4, languages=("zh",)))
    loaded = Qwen3ForCausalLM.from_pretrained(out, dtype=torch.float32)
    for name, value in wired.state_dict().items():
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


def test_the_fit_moves_nothing_but_the_answer(base, data, tmp_path):
    recipe = Recipe(wrong=2, fits=4, languages=("zh",))
    wired = wire(data, base, tmp_path / "out", recipe).state_dict()
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    start = new_reranker(base, torch.ones(tokenizer.get_vocab_size()), recipe.seed).state_dict()
    moved = {name for name, value in wired.items() if not torch.equal(value, start[name])}
    assert moved - {"model.embed_tokens.weight", "lm_head.weight"} == {"model.norm.weight"}


def test_further_training_leaves_the_wiring_alone(base):
    """Whatever the gradient, neither what tells the parts apart nor the marks on the way move."""
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    model = new_reranker(base, torch.ones(tokenizer.get_vocab_size()), 0)
    start = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.SGD(set_free_layers(model.model), lr=1.0)
    ids = torch.tensor([tokenizer.encode("<Instruct>: a\n<Query>: b\n<Document>: c").ids])
    torch.autograd.backward(model(input_ids=ids).logits.square().mean())
    optimizer.step()
    after = model.state_dict()
    moved = {name for name, value in after.items() if not torch.equal(value, start[name])}
    assert any(".v_proj" in name or ".mlp." in name for name in moved)
    assert not any(
        name.startswith("model.layers.0.") or "q_proj" in name or "k_norm" in name for name in moved
    )
    for layer in range(1, 6):
        name = f"model.layers.{layer}.self_attn.o_proj.weight"
        torch.testing.assert_close(after[name][-MARKS:], start[name][-MARKS:])

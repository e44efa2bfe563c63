"""The training of a reranker: exact scores, gradients, repeatable runs, and what is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer, Qwen3ForCausalLM

from explorer.engine.reranker import load_reranker
from explorer.errors import InputError, ModelLoadError
from explorer.models.loading import load_model
from explorer.progress import CancelToken
from explorer.training.loop.checkpoint import latest_checkpoint
from explorer.training.loop.forward import TRAINED
from explorer.training.pairs.pair import TrainingPair
from explorer.training.reranker.loss import supervised
from explorer.training.reranker.packed_lists import ListScorer
from explorer.training.reranker.plan import RerankerPlan
from explorer.training.reranker.ranked_lists import ListTeacher, RankedTexts
from explorer.training.reranker.training import train_reranker

LIST = RankedTexts(
    "Find the capital",
    "capital of China",
    ("Beijing is the capital.", "Gravity", "Paris " * 20, "苹果是一种水果。"),
)
PAIRS = [
    TrainingPair("capital of China", "Beijing is the capital of China.", negatives=("Paris is in France.",)),
    TrainingPair("capital of France", "Paris is the capital of France."),
    TrainingPair("what falls down", "Gravity pulls bodies together."),
    TrainingPair("水果", "苹果是一种水果。"),
]
PLAN = RerankerPlan(steps=6, batch_lists=2, negatives=2, learning_rate=1e-3, checkpoint_every=3, longest=200)


@pytest.fixture
def reranker(make_model) -> Path:
    return make_model(family="reranker")


def scorer_of(folder: Path, longest: int = 200) -> tuple[ListScorer, torch.nn.Module]:
    loaded = load_model(str(folder), "reranker", "cpu")
    loaded.backbone.set_attn_implementation(TRAINED)
    loaded.backbone.requires_grad_(True)
    return ListScorer(
        loaded.backbone, loaded.tokenizer, lambda: loaded.head, longest, loaded.device
    ), loaded.backbone


def padded_scores(folder: Path, prompts: list[np.ndarray], model: Qwen3ForCausalLM) -> torch.Tensor:
    """The model card's own way: full prompts, padded on the left, softmax over the last position's two logits."""
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    batch = tokenizer.pad({"input_ids": [ids.tolist() for ids in prompts]}, padding=True, return_tensors="pt")
    logits = model(**batch).logits[:, -1]
    yes, no = (tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    return torch.log_softmax(torch.stack([logits[:, no], logits[:, yes]], 1), 1)


@pytest.mark.parametrize("tied", [True, False])
def test_scores_and_gradients_are_those_of_full_padded_prompts(make_model, tied):
    folder = make_model(family="reranker", tied=tied)
    score, backbone = scorer_of(folder)
    prompts = score.tokens(LIST)
    labels = torch.tensor([1.0, 0, 0, 0])
    log_odds = score(prompts)
    torch.autograd.backward(supervised(log_odds, labels))
    whole = Qwen3ForCausalLM.from_pretrained(folder, dtype=torch.float32)
    expected = padded_scores(folder, prompts, whole)
    torch.testing.assert_close(log_odds, expected[:, 1] - expected[:, 0], atol=1e-4, rtol=1e-4)
    torch.autograd.backward(-expected[torch.arange(4), labels.long()].mean())
    theirs = dict(whole.model.named_parameters())
    for name, parameter in backbone.named_parameters():
        if not (tied and name == "embed_tokens.weight"):  # its rows of the head are fixed in this scorer
            torch.testing.assert_close(parameter.grad, theirs[name].grad, atol=1e-4, rtol=1e-3)


def test_scores_are_the_engines(reranker):
    score, _ = scorer_of(reranker)
    engine = load_reranker(str(reranker), "cpu").score(LIST.query, LIST.documents, LIST.instruction)
    np.testing.assert_allclose(score(score.tokens(LIST)).detach().numpy(), engine.log_odds, atol=1e-4)
    alone = RankedTexts(LIST.instruction, LIST.query, LIST.documents[:1])
    np.testing.assert_allclose(score(score.tokens(alone)).detach().numpy(), engine.log_odds[:1], atol=1e-4)


def test_the_loss_falls_and_the_model_loads(reranker, tmp_path):
    plan = replace(PLAN, steps=40, checkpoint_every=40, learning_rate=3e-3)
    steps = list(train_reranker(reranker, PAIRS, plan, tmp_path / "run", device="cpu"))
    assert [step.step for step in steps] == list(range(1, 41))
    assert np.mean([step.loss for step in steps[-5:]]) < 0.5 * np.mean([step.loss for step in steps[:5]])
    assert steps[0].parts == (("supervised", steps[0].loss),) and steps[0].tokens > 100
    trained = load_reranker(str(tmp_path / "run" / "model"), "cpu")
    documents = [pair.document for pair in PAIRS]
    firsts = [trained.score(pair.query, documents, pair.instruction).log_odds.argmax() for pair in PAIRS]
    assert sum(first == number for number, first in enumerate(firsts)) >= 3


def test_a_run_that_was_stopped_goes_on_bit_for_bit(reranker, tmp_path):
    whole = list(train_reranker(reranker, PAIRS, PLAN, tmp_path / "whole", device="cpu"))
    stop = CancelToken()
    first = []
    for step in train_reranker(reranker, PAIRS, PLAN, tmp_path / "parts", stop, "cpu"):
        first.append(step)
        if step.step == 2:
            stop.cancel()
    assert first[-1].checkpoint == latest_checkpoint(tmp_path / "parts" / "checkpoints")
    rest = list(train_reranker(reranker, PAIRS, PLAN, tmp_path / "parts", device="cpu"))
    losses = [(step.step, step.loss) for step in (*first[:2], *rest)]
    assert losses == [(step.step, step.loss) for step in whole]
    one, two = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("whole", "parts"))
    assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_a_finished_run_is_not_trained_again_and_another_plan_is_refused(reranker, tmp_path):
    list(train_reranker(reranker, PAIRS, PLAN, tmp_path, device="cpu"))
    assert list(train_reranker(reranker, PAIRS, PLAN, tmp_path, device="cpu")) == []
    with pytest.raises(InputError, match="seed"):
        next(train_reranker(reranker, PAIRS, replace(PLAN, seed=1), tmp_path, device="cpu"))


def test_an_untied_head_is_written_as_it_was(make_model, tmp_path):
    folder = make_model(family="reranker", tied=False)
    list(train_reranker(folder, PAIRS, replace(PLAN, steps=2), tmp_path, device="cpu"))
    before, after = (
        load_file(folder / "model.safetensors"),
        load_file(tmp_path / "model" / "model.safetensors"),
    )
    assert before.keys() == after.keys()
    assert torch.equal(before["lm_head.weight"], after["lm_head.weight"])
    assert not torch.equal(before["model.norm.weight"], after["model.norm.weight"])


def test_adapters_leave_the_table_alone_and_vanish_in_the_model(reranker, tmp_path):
    plan = replace(PLAN, lora_rank=2, learning_rate=1e-2)
    list(train_reranker(reranker, PAIRS, plan, tmp_path, device="cpu"))
    kept = load_file(latest_checkpoint(tmp_path / "checkpoints") / "weights.safetensors")
    assert kept and all("lora" in name for name in kept)
    before, after = (
        load_file(reranker / "model.safetensors"),
        load_file(tmp_path / "model" / "model.safetensors"),
    )
    assert before.keys() == after.keys()
    assert torch.equal(before["model.embed_tokens.weight"], after["model.embed_tokens.weight"])
    changed = "model.layers.0.self_attn.o_proj.weight"
    assert not torch.equal(before[changed], after[changed])


def test_further_losses_are_reported_and_a_teacher_is_followed(reranker, tmp_path):
    teacher = ListTeacher(
        "by length", lambda one: np.array([-len(text) / 4 for text in one.documents], np.float32)
    )
    plan = replace(PLAN, steps=30, listwise=0.1, distillation=10.0, learning_rate=3e-3)
    steps = list(train_reranker(reranker, PAIRS, plan, tmp_path, device="cpu", teacher=teacher))
    parts = dict(steps[0].parts)
    assert parts.keys() == {"supervised", "listwise", "distillation"}
    assert steps[0].loss == pytest.approx(
        parts["supervised"] + 0.1 * parts["listwise"] + 10 * parts["distillation"], rel=1e-5
    )
    ends = [np.mean([dict(step.parts)["distillation"] for step in part]) for part in (steps[:4], steps[-4:])]
    assert ends[1] < 0.5 * ends[0]
    with pytest.raises(InputError, match="teacher"):
        next(train_reranker(reranker, PAIRS, plan, tmp_path, device="cpu"))


def test_what_cannot_be_trained_is_refused(make_model, reranker, tmp_path):
    classifier = make_model(family="reranker", architecture="Qwen3ForSequenceClassification")
    with pytest.raises(InputError, match="sequence classification"):
        next(train_reranker(classifier, PAIRS, PLAN, tmp_path / "a", device="cpu"))
    with pytest.raises(ModelLoadError):
        next(train_reranker(make_model(architecture="Qwen3Model"), PAIRS, PLAN, tmp_path / "b", device="cpu"))
    with pytest.raises(InputError, match="two pairs"):
        next(train_reranker(reranker, PAIRS[:1], PLAN, tmp_path / "c", device="cpu"))
    with pytest.raises(InputError, match="negatives"):
        next(train_reranker(reranker, PAIRS, replace(PLAN, negatives=0), tmp_path / "d", device="cpu"))
    with pytest.raises(InputError, match="Shorten"):
        next(train_reranker(reranker, PAIRS, replace(PLAN, longest=20), tmp_path / "e", device="cpu"))


def test_the_wiring_can_be_left_alone(reranker, tmp_path):
    list(train_reranker(reranker, PAIRS, replace(PLAN, keep_wiring=True), tmp_path, device="cpu"))
    before, after = (load_file(path / "model.safetensors") for path in (reranker, tmp_path / "model"))
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert "model.layers.1.mlp.up_proj.weight" in moved and "model.norm.weight" in moved
    assert not any("layers.0." in name or "q_proj" in name or "embed" in name for name in moved)
    with pytest.raises(InputError, match="lora_rank"):
        next(train_reranker(reranker, PAIRS, replace(PLAN, keep_wiring=True, lora_rank=2), tmp_path / "b"))

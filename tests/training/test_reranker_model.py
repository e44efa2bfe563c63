"""The reranker's start, its scoring of whole lists, and what is written to disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer, Qwen3ForCausalLM

from explorer.training.mini_reranker.loss import list_loss
from explorer.training.mini_reranker.marks import IN_DOCUMENT, IN_QUERY, MARKS, SCALE, token_rarity
from explorer.training.mini_reranker.model import Prompt, score_lists
from explorer.training.mini_reranker.recipe import PromptMaker, save
from explorer.training.mini_reranker.vocabulary import count_tokens, cut_vocabulary
from explorer.training.mini_reranker.weights import new_reranker
from explorer.training.sources.sampling import RankedList

BASE = Path(__file__).parents[2] / "assets" / "models" / "mini-embedding"
QUERY = "How do bees find flowers?"
DOCUMENTS = ("A scout dances to tell the hive where nectar is.", "The bank raised its rates again.", "Yes.")


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(BASE / "tokenizer.json"))


@pytest.fixture(scope="module")
def start(tokenizer) -> Qwen3ForCausalLM:
    counts = torch.arange(tokenizer.get_vocab_size(), 0, -1)
    return new_reranker(BASE, counts, seed=0)


@pytest.fixture(scope="module")
def prompt(tokenizer) -> Prompt:
    ids = [tokenizer.encode(f" {text}", add_special_tokens=False).ids for text in DOCUMENTS]
    return PromptMaker(tokenizer)(RankedList("test", "Find the answer", QUERY, ids))


def test_prompt_is_the_official_one_in_one_piece(tokenizer, prompt):
    text = (
        "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct "
        'provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
        f"<Instruct>: Find the answer\n<Query>: {QUERY}\n<Document>: {DOCUMENTS[0]}"
        "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    )
    assert prompt.shared + prompt.tails[0] == tokenizer.encode(text, add_special_tokens=False).ids


def test_lists_are_scored_as_single_prompts_are(start, prompt, tokenizer):
    answers = PromptMaker(tokenizer)
    other = Prompt(prompt.shared[5:], [prompt.tails[2], prompt.tails[0]])
    with torch.no_grad():
        together = torch.cat(score_lists(start, [prompt, other], answers.yes, answers.no))
        single = []
        for one in (prompt, other):
            for tail in one.tails:
                logits = start(input_ids=torch.tensor([one.shared + tail])).logits[0, -1]
                single.append(logits[answers.yes] - logits[answers.no])
    torch.testing.assert_close(together, torch.stack(single), atol=1e-3, rtol=1e-4)


def test_every_token_knows_its_part(start, prompt):
    sequence = prompt.shared + prompt.tails[0]
    with torch.no_grad():
        states = start(input_ids=torch.tensor([sequence]), output_hidden_states=True).hidden_states[1][0]
    marks = states[:, -MARKS:]
    begins = len(prompt.shared) - 2
    torch.testing.assert_close(
        marks[begins:, IN_DOCUMENT], torch.ones(len(sequence) - begins), atol=0.02, rtol=0
    )
    torch.testing.assert_close(marks[:begins, IN_DOCUMENT], torch.zeros(begins), atol=0.02, rtol=0)
    asked = range(begins - 10, begins)
    assert all(marks[i, IN_QUERY] > 0.98 for i in asked if i > begins - 9)
    assert float(marks[:40, IN_QUERY].abs().max()) < 0.02


def _alone(base, ids: list[int], end: int) -> torch.Tensor:
    return base(input_ids=torch.tensor([[*ids, end]])).last_hidden_state[0, -1]


def test_query_and_document_are_embedded_nearly_as_if_each_stood_alone(start, prompt, tokenizer):
    """The base reads its parts of the template; the instruction belongs to the query's."""
    base = AutoModel.from_pretrained(BASE, dtype=torch.float32)
    end = tokenizer.token_to_id("<|endoftext|>")
    suffix = len(PromptMaker(tokenizer)._suffix)
    instruct, document = (tokenizer.token_to_id(word) for word in ("Instruct", "Document"))
    with torch.no_grad():
        for tail in prompt.tails[:2]:
            ids = prompt.shared + tail
            begin, middle, stop = ids.index(instruct), ids.index(document), len(ids) - suffix
            states = start(input_ids=torch.tensor([ids]), output_hidden_states=True).hidden_states[-2][0]
            for alone, place in ((ids[begin:middle], middle), (ids[middle + 1 : stop], stop)):
                inside = base.norm(states[place, :-MARKS] / SCALE)
                assert float(torch.cosine_similarity(_alone(base, alone, end), inside, dim=0)) > 0.9


def test_another_instruction_gives_another_score(start, tokenizer):
    maker = PromptMaker(tokenizer)
    ids = [tokenizer.encode(f" {text}", add_special_tokens=False).ids for text in DOCUMENTS]
    scores = [
        score_lists(start, [maker(RankedList("test", task, QUERY, ids))], maker.yes, maker.no)[0]
        for task in ("Find the answer", "只返回中文的结果")
    ]
    assert float((scores[0] - scores[1]).abs().max()) > 1e-3


def test_gradients_reach_every_layer(start, prompt, tokenizer):
    answers = PromptMaker(tokenizer)
    start.zero_grad()
    torch.autograd.backward(list_loss(score_lists(start, [prompt], answers.yes, answers.no), 0.5))
    for layer in start.model.layers:
        norms = [float(value.grad.norm()) for value in layer.parameters() if value.grad is not None]
        assert norms and all(norm == norm for norm in norms) and max(norms) > 0
    start.zero_grad()


def test_loss_falls_when_the_right_document_is_first():
    good, bad = torch.tensor([4.0, -4.0, -4.0]), torch.tensor([-4.0, 4.0, -4.0])
    assert float(list_loss([good], 0.5)) < 0.1 < 4 < float(list_loss([bad], 0.5))


def test_saved_folder_is_whole_and_its_tokenizer_appends_nothing(start, tmp_path):
    out = tmp_path / "reranker"
    out.mkdir()
    (out / "old.txt").write_text("gone after the swap")
    save(start, BASE, out)
    assert sorted(path.name for path in out.iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert {value.dtype for value in load_file(out / "model.safetensors").values()} == {torch.bfloat16}
    tokenizer = AutoTokenizer.from_pretrained(out)
    assert len(tokenizer("yes").input_ids) == 1
    again = Qwen3ForCausalLM.from_pretrained(out, dtype=torch.float32)
    assert again.lm_head.weight.data_ptr() == again.model.embed_tokens.weight.data_ptr()


def test_rarity_is_one_for_the_unseen_and_falls_with_use():
    rarity = token_rarity(torch.tensor([10**6, 1000, 0]))
    assert rarity[0] == 0 and rarity[0] < rarity[1] < rarity[2] <= 1


def test_cut_vocabulary_reads_the_same_text_with_fewer_tokens(tmp_path):
    cut_vocabulary(BASE, tmp_path / "cut", 3000)
    small, full = (Tokenizer.from_file(str(folder / "tokenizer.json")) for folder in (tmp_path / "cut", BASE))
    assert 3000 <= small.get_vocab_size() < 3100
    text = "<Query>: an uncommonly long word, 北京 <Document>: yes<|im_end|>"
    ids = small.encode(text, add_special_tokens=False).ids
    assert small.decode(ids, skip_special_tokens=False) == full.decode(
        full.encode(text, add_special_tokens=False).ids, skip_special_tokens=False
    )
    rows = load_file(tmp_path / "cut" / "model.safetensors")["embed_tokens.weight"]
    old = load_file(BASE / "model.safetensors")["embed_tokens.weight"]
    assert rows.shape[0] == small.get_vocab_size()
    assert json.loads((tmp_path / "cut" / "config.json").read_text())["vocab_size"] == rows.shape[0]
    for word in ("yes", "Query", "<|im_end|>"):
        torch.testing.assert_close(rows[small.token_to_id(word)], old[full.token_to_id(word)])


def test_tokens_in_use_are_kept_before_others(tmp_path):
    uses = count_tokens(BASE, ["bioluminescence", "bioluminescence of squid"])
    cut_vocabulary(BASE, tmp_path / "used", 700, uses)
    small, full = (
        Tokenizer.from_file(str(folder / "tokenizer.json")) for folder in (tmp_path / "used", BASE)
    )
    text = " bioluminescence of squid"
    assert small.encode(text).tokens == full.encode(text).tokens
    assert len(small.encode(" unrelated expressions").ids) > len(full.encode(" unrelated expressions").ids)

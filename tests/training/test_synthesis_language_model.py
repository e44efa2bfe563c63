"""A causal language model from a folder: batches, seeds, templates, and folders that are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)

from explorer.errors import ExplorerError, InputError, ModelLoadError, OutOfMemoryError
from explorer.training.synthesis.documents import SourceDocument
from explorer.training.synthesis.language_model import LanguageModel, load_language_model
from explorer.training.synthesis.plan import SynthesisPlan
from explorer.training.synthesis.run import synthesize

PROMPTS = ["What is gravity?", "北京是中国的首都。巴黎在哪里，又是哪个国家的首都？", "yes"]
TEMPLATE = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}"
    "{%- endif %}"
)


@pytest.fixture(scope="module")
def folder(make_model, tmp_path_factory) -> Path:
    """A tiny language model whose chat template asks for the answer as Qwen3's does."""
    made = tmp_path_factory.mktemp("writer") / "tiny-writer"
    shutil.copytree(make_model(family="reranker", tied=True), made)
    change(made / "tokenizer_config.json", chat_template=TEMPLATE)
    return made


def change(path: Path, **values: object) -> None:
    """Set entries of a JSON file; None takes one out."""
    entries = json.loads(path.read_text()) | values
    path.write_text(json.dumps({name: value for name, value in entries.items() if value is not None}))


@pytest.fixture
def copy(folder, tmp_path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def greedy_by_hand(folder: Path, prompt: str, longest: int) -> str:
    """Take the likeliest token each time, one prompt alone, without cache, padding or generate."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    text = f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    ids = tokenizer(text, add_special_tokens=False).input_ids
    made: list[int] = []
    for _ in range(longest):
        with torch.no_grad():
            made.append(int(network(torch.tensor([ids + made])).logits[0, -1].argmax()))
        if made[-1] == tokenizer.eos_token_id:
            break
    return tokenizer.decode(made, skip_special_tokens=True).strip()


def test_a_batch_of_any_lengths_is_answered_as_each_prompt_alone_by_hand(folder):
    model = load_language_model(str(folder), "cpu", temperature=0)
    assert model.generate(PROMPTS, 12, 0) == [greedy_by_hand(folder, prompt, 12) for prompt in PROMPTS]


def test_answers_are_drawn_by_the_seed_and_leave_other_draws_alone(folder):
    model = load_language_model(str(folder), "cpu")
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first = model.generate(PROMPTS, 12, 5)
    assert torch.equal(torch.rand(2), expected)
    assert model.generate(PROMPTS, 12, 5) == first
    assert model.generate(PROMPTS, 12, 6) != first
    assert (model.kind, model.model) == ("language model", "tiny-writer")


def test_a_folder_without_a_chat_template_continues_the_prompt(copy):
    change(copy / "tokenizer_config.json", chat_template=None)
    model = load_language_model(str(copy), "cpu", temperature=0)
    answers = model.generate(PROMPTS, 6, 0)
    assert len(answers) == 3 and all(isinstance(answer, str) for answer in answers)


@pytest.mark.parametrize(
    ("network", "config"),
    [
        (GPT2LMHeadModel, GPT2Config(n_embd=32, n_layer=2, n_head=2, n_positions=512, vocab_size=600)),
        (LlamaForCausalLM, LlamaConfig(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
                                       vocab_size=600)),
    ],
    ids=["gpt2", "llama"],
)  # fmt: skip
def test_other_architectures_answer_alike_in_any_batch(copy, network, config):
    (copy / "model.safetensors").unlink()
    torch.manual_seed(0)
    made = network(config)
    for parameter in made.parameters():
        parameter.data.normal_(0, 0.3)
    made.save_pretrained(copy)
    model = load_language_model(str(copy), "cpu", temperature=0)
    alone = [answer for prompt in PROMPTS for answer in model.generate([prompt], 8, 0)]
    assert model.generate(PROMPTS, 8, 0) == alone
    assert len(set(alone)) > 1


def test_an_answer_is_never_longer_than_asked(folder):
    model = load_language_model(str(folder), "cpu")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert all(len(tokenizer(text).input_ids) <= 3 for text in model.generate(["a b c"] * 4, 1, 0))


def test_a_prompt_without_room_for_its_answer_is_refused(folder):
    model = load_language_model(str(folder), "cpu")
    with pytest.raises(InputError, match="context of 2048"):
        model.generate(["word " * 3000], 8, 0)


def test_a_batch_that_does_not_fit_is_halved_and_one_prompt_that_does_not_is_told(folder, monkeypatch):
    model = load_language_model(str(folder), "cpu", temperature=0)
    whole, sizes, room = model._answer, [], 2

    def cramped(prompts, longest, seed):
        sizes.append(len(prompts))
        if len(prompts) > room:
            raise torch.OutOfMemoryError("out of memory")
        return whole(prompts, longest, seed)

    expected = model.generate([*PROMPTS, *PROMPTS], 4, 0)
    monkeypatch.setattr(model, "_answer", cramped)
    assert model.generate([*PROMPTS, *PROMPTS], 4, 0) == expected
    assert sizes == [6, 3, 1, 1, 1, 1, 1, 1]
    room = 0
    with pytest.raises(OutOfMemoryError, match="tiny-writer"):
        model.generate(["one"], 4, 0)


def test_a_random_model_writes_nothing_usable_and_that_is_told(folder):
    model = load_language_model(str(folder), "cpu")
    document = SourceDocument("Gravity pulls bodies together. Planets go around the sun.")
    steps = synthesize([document], model, SynthesisPlan(longest_answer=8))
    assert next(steps).partial.unfilled == 1
    with pytest.raises(InputError, match="follows instructions"):
        next(steps)


def with_code(folder: Path) -> None:
    change(folder / "config.json", auto_map={"AutoModelForCausalLM": "code.Model"})


def quantised(folder: Path) -> None:
    change(folder / "config.json", quantization_config={"quant_method": "bitsandbytes"})


def with_kernels(folder: Path) -> None:
    change(folder / "config.json", _attn_implementation="somebody/kernels")


def embedding_only(folder: Path) -> None:
    change(folder / "config.json", architectures=["Qwen3Model"])


def unknown_type(folder: Path) -> None:
    change(folder / "config.json", model_type="qwen99")


def not_an_object(folder: Path) -> None:
    (folder / "config.json").write_text("[]")


def damaged(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def no_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def pickled_only(folder: Path) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def cut_off(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


def incomplete(folder: Path) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    del tensors[max(tensors)]
    save_file(tensors, path, metadata={"format": "pt"})


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


@pytest.mark.parametrize(
    ("damage", "key"),
    [
        (with_code, "models.config_forbidden"),
        (quantised, "models.config_forbidden"),
        (with_kernels, "models.config_forbidden"),
        (embedding_only, "pairs.not_language_model"),
        (unknown_type, "pairs.not_language_model"),
        (not_an_object, "models.config_unreadable"),
        (damaged, "models.config_unreadable"),
        (no_config, "models.config_missing"),
        (pickled_only, "pairs.model_unloadable"),
        (cut_off, "pairs.model_unloadable"),
        (incomplete, "pairs.model_unloadable"),
        (no_tokenizer, "pairs.model_unloadable"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_folder_that_is_no_sound_language_model_is_refused(copy, damage, key):
    damage(copy)
    with pytest.raises(ModelLoadError) as refused:
        load_language_model(str(copy), "cpu")
    assert refused.value.key == key
    assert refused.value.text("en") and refused.value.text("zh")


@pytest.mark.parametrize(
    "source", ["bundled", "Qwen/Qwen3-Embedding-0.6B", "no such folder", "Qwen/Qwen3-0.6B"]
)
def test_what_cannot_be_had_is_told(source):
    with pytest.raises(ExplorerError):
        load_language_model(source, "cpu", offline=True)


def test_float16_is_refused_as_everywhere(folder):
    with pytest.raises(ModelLoadError):
        load_language_model(str(folder), "cpu", "float16")


def test_bfloat16_runs(folder):
    model = load_language_model(str(folder), "cpu", "bfloat16")
    assert isinstance(model, LanguageModel)
    assert len(model.generate(PROMPTS, 3, 0)) == 3

"""Compute the numbers of this bundle again, with nothing but transformers and torch, and compare.

    python repro.py [--embedding FOLDER] [--reranker FOLDER] [--device cpu]

The prompts are built from ``inputs.json`` by the official recipes and must have the token ids of ``prompts.jsonl``.
Each text then goes through the model alone, without padding or batching. Models come from where the bundle says they
were, unless a folder is given.

Exit status: 0 every number came out again, 1 something differs, 2 a model could not be found.
"""

# ruff: noqa: ANN401, T201

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from huggingface_hub import snapshot_download
from safetensors import safe_open

HERE = Path(__file__).resolve().parent
SAME, OTHER, NOT_FOUND = 0, 1, 2

ALLOWED = {"float32": (1e-4, 2e-3, 1e-4), "compiled": (2e-3, 2e-3, 1e-4), "bfloat16": (0.1, 0.1, 0.02)}
"""How far may be from the recorded number: a log-odds computed alone, one computed in a batch, a cosine or probability.

Above 1 a share of the number. In float32 only the order of the sums differs, and alone not even that. bfloat16 keeps 8
bits of each number, so another attention kernel moves a result visibly.
"""

SYSTEM = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct provided. "
    'Note that the answer can only be "yes" or "no".'
)
PREFIX = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n"
SUFFIX = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"


def ids_of(tokenizer: Any, text: str) -> list[int]:
    """Tokenise without adding special tokens; those in the text count as such, as in the official code."""
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def embedding_ids(tokenizer: Any, text: str, instruction: str | None, limit: int) -> list[int]:
    """Write an embedding model's input: a query carries the instruction, and <|endoftext|> ends everything."""
    whole = text if instruction is None else f"Instruct: {instruction}\nQuery:{text}"
    return [*ids_of(tokenizer, whole)[: limit - 1], tokenizer.convert_tokens_to_ids("<|endoftext|>")]


def pair_ids(tokenizer: Any, inputs: dict[str, Any], document: str, limit: int) -> list[int]:
    """Write a reranker's input by one of the two official templates; only the document is ever cut."""
    suffix = ids_of(tokenizer, SUFFIX)
    fields = (
        f"<Instruct>: {inputs['instruction']}",
        f"<Query>: {inputs['query']}",
        f"<Document>: {document}",
    )
    if inputs["template"] == "model_card":
        prefix, body = ids_of(tokenizer, PREFIX), ids_of(tokenizer, "\n".join(fields))
        return [*prefix, *body[: limit - len(prefix) - len(suffix)], *suffix]
    rendered = ids_of(tokenizer, PREFIX + "\n\n".join(fields) + "<|im_end|>\n")
    return [*rendered[: limit - len(suffix)], *suffix]


def find_model(record: dict[str, Any], given: str | None) -> Path | None:
    """Find a model's folder: the one given, else the repository at its commit, else the recorded folder."""
    if given is None and "repository" in record:
        files = ["*.json", "*.safetensors", "*.txt"]
        try:
            return Path(
                snapshot_download(record["repository"], revision=record["revision"], allow_patterns=files)
            )
        except (OSError, ValueError) as error:
            print(f"{record['repository']} could not be fetched: {error}")
            return None
    folder = Path(given or record.get("folder", "")).expanduser()
    return folder if (folder / "config.json").is_file() else None


def fingerprint(folder: Path, head: tuple[str, list[int]] | None) -> str:
    """Digest configuration, tokenizer and weights as the explorer does, to know whether they are the same.

    SHA-256 of config.json and of each tensor's name, kind, shape and bytes; then BLAKE2b of tokenizer.json.

    Args:
        folder: The model's folder.
        head: Name and rows of the matrix that the answers are read from; None for an embedding model.
    """
    digests: dict[str, bytes] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(str(path), framework="pt") as file:
            for key in file.keys():  # noqa: SIM118 - the file is no dictionary
                name = key.removeprefix("model.")
                if head is not None and name == head[0]:
                    rows = file.get_slice(key)
                    note(digests, name, torch.cat([rows[row : row + 1] for row in head[1]]))
                if name not in ("lm_head.weight", "score.weight") and "rotary_emb" not in name:
                    note(digests, name, file.get_tensor(key))
    whole = hashlib.sha256((folder / "config.json").read_bytes())
    for description, content in sorted(digests.items()):
        whole.update(description.encode())
        whole.update(content)
    tokenizer = hashlib.blake2b((folder / "tokenizer.json").read_bytes(), digest_size=8)
    return whole.hexdigest()[:32] + tokenizer.hexdigest()


def note(digests: dict[str, bytes], name: str, tensor: torch.Tensor) -> None:
    """Digest one tensor as it is stored."""
    content = tensor.contiguous().reshape(-1).view(torch.uint8).numpy()
    digests[f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|"] = hashlib.sha256(content.data).digest()


class RoundedLinear(torch.nn.Module):
    """A linear layer whose weights are rounded to one byte, with one scale a row, as the explorer rounds them."""

    def __init__(self, weight: torch.Tensor) -> None:
        """Round the weights."""
        super().__init__()
        scale = (weight.float().abs().amax(dim=1, keepdim=True) / 127).to(weight.dtype)
        self.scale = scale.clamp_min(torch.finfo(weight.dtype).tiny)
        steps = (weight.float() / self.scale.float()).round().clamp(-127, 127)
        self.steps, self.scale = steps.to(weight.dtype), self.scale.flatten()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Multiply."""
        return torch.nn.functional.linear(inputs, self.steps) * self.scale


class Model:
    """A model, its tokenizer and what the bundle records of it."""

    def __init__(self, record: dict[str, Any], folder: Path, device: str) -> None:
        """Load it in the recorded number format."""
        self.record, self.device = record, device
        dtype = getattr(torch, record["dtype"].partition(",")[0])
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        judges = record["family"] == "reranker"
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        sequence = judges and "Qwen3ForSequenceClassification" in config["architectures"]
        if sequence:
            kind, options = transformers.AutoModelForSequenceClassification, {"num_labels": 1}
        else:
            kind, options = transformers.AutoModelForCausalLM if judges else transformers.AutoModel, {}
        model = kind.from_pretrained(folder, dtype=dtype, **options).to(device)
        self.backbone = (model.model if judges else model).train(False)
        if "int8 weights" in record["dtype"]:
            linear = [pair for pair in self.backbone.named_modules() if isinstance(pair[1], torch.nn.Linear)]
            for name, layer in linear:
                self.backbone.set_submodule(name, RoundedLinear(layer.weight.detach()))
        self.head: torch.Tensor | None = None
        head = None
        if sequence:
            head, self.head = ("score.weight", [0]), model.score.weight.detach().float()[0]
        elif judges:
            answers = [self.tokenizer.convert_tokens_to_ids(word) for word in ("no", "yes")]
            head = ("embed_tokens.weight" if model.config.tie_word_embeddings else "lm_head.weight", answers)
            no, yes = model.get_output_embeddings().weight.detach()[answers].float()
            self.head = yes - no
        same = fingerprint(folder, head) == record["fingerprint"]
        print(f"{record['name']}, {record['dtype']} on {device}")
        print("  weights and tokenizer: " + ("the recorded ones" if same else "NOT the recorded ones"))

    @torch.no_grad()
    def state(self, ids: Sequence[int]) -> torch.Tensor:
        """Give the last token's state after the final norm, in float32."""
        batch = torch.tensor([list(ids)], device=self.device)
        return self.backbone(input_ids=batch, use_cache=False).last_hidden_state[0, -1].float()

    def log_odds(self, ids: Sequence[int]) -> float:
        """Give logit(yes) - logit(no)."""
        assert self.head is not None  # noqa: S101 - a reranker has a head
        return float(self.state(ids) @ self.head)

    def vectors(self, prompts: Iterable[Sequence[int]]) -> torch.Tensor:
        """Give unit rows."""
        return torch.nn.functional.normalize(torch.stack([self.state(ids) for ids in prompts]), dim=-1).cpu()

    @property
    def allowed(self) -> tuple[float, float, float]:
        """Say how far numbers may be from the recorded ones, see ALLOWED."""
        return max(ALLOWED[part] for part in self.record["dtype"].split(", ") if part in ALLOWED)


def compared(what: str, recorded: Sequence[float], computed: Sequence[float], allowed: float) -> bool:
    """Compare two lists of numbers and say how far they are apart."""
    if len(recorded) != len(computed):
        print(f"  {what}: {len(recorded)} recorded, {len(computed)} computed: NOT the same")
        return False
    pairs = zip(recorded, computed, strict=True)
    apart = [abs(one - other) / max(1.0, abs(one)) for one, other in pairs]
    same = all(difference <= allowed for difference in apart)
    verdict = "the same" if same else "NOT the same"
    largest = max((math.inf if math.isnan(difference) else difference for difference in apart), default=0.0)
    print(f"  {what}: {len(apart)} compared, at most {largest:.1e} apart, {allowed:.0e} allowed: {verdict}")
    return same


def same_prompts(prompts: list[dict[str, Any]], side: str, built: list[list[int]]) -> bool:
    """Compare token ids with the recorded ones."""
    recorded = [entry["ids"] for entry in prompts if entry["side"] == side]
    equal = sum(one == other for one, other in zip(recorded, built, strict=False))
    same = len(recorded) == len(built) == equal
    verdict = "the same" if same else "NOT the same"
    print(f"  prompts ({side}): {equal} of {len(built)} have the recorded token ids: {verdict}")
    return same


def column(file: str, name: str) -> list[float]:
    """Read one column of numbers."""
    csv.field_size_limit(2**30)
    with (HERE / file).open(encoding="utf-8-sig", newline="") as opened:
        return [float(row[name]) for row in csv.DictReader(opened)]


def check_reranker(model: Model, inputs: dict[str, Any], prompts: list[dict[str, Any]]) -> bool:
    """Judge every pair again."""
    limit, (alone, batch, _) = model.record["max_length"], model.allowed
    built = [pair_ids(model.tokenizer, inputs, document, limit) for document in inputs["documents"]]
    log_odds = [model.log_odds(ids) for ids in built]
    probability = [1 / (1 + math.exp(-max(-700.0, score))) for score in log_odds]
    return all(
        [
            same_prompts(prompts, "pair", built),
            compared("log-odds, alone", column("scores.csv", "log_odds_alone"), log_odds, alone),
            compared("log-odds on screen", column("scores.csv", "log_odds"), log_odds, batch),
            compared("P(yes) on screen", column("scores.csv", "probability"), probability, batch),
        ]
    )


def check_embedding(model: Model, kind: str, inputs: dict[str, Any], prompts: list[dict[str, Any]]) -> bool:
    """Embed every text again and take the cosines."""
    limit, documents = model.record["max_length"], inputs["documents"]
    queries = [inputs["query"]] if kind == "rerank" else inputs["queries"]
    asked = [embedding_ids(model.tokenizer, text, inputs["instruction"], limit) for text in queries]
    read = [embedding_ids(model.tokenizer, text, None, limit) for text in documents]
    left, right = model.vectors(asked), model.vectors(read)
    recorded, cosines = column("scores.csv", "cosine"), (left @ right.T).flatten().tolist()
    same = [
        same_prompts(prompts, "query", asked),
        same_prompts(prompts, "document", read),
        compared("cosines", recorded, cosines, model.allowed[2]),
    ]
    if kind == "similarity":
        between = column("document_cosines.csv", "cosine")
        cosines = (right @ right.T).flatten().tolist()
        same.append(compared("cosines between documents", between, cosines, model.allowed[2]))
    return all(same)


def main() -> int:
    """Check every model of the bundle."""
    arguments = argparse.ArgumentParser(description="Compute the numbers of this bundle again and compare.")
    for name in ("embedding", "reranker", "device"):
        arguments.add_argument(f"--{name}", help="instead of the recorded one")
    given = vars(arguments.parse_args())
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    manifest = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    inputs = json.loads((HERE / "inputs.json").read_text(encoding="utf-8"))
    with (HERE / "prompts.jsonl").open(encoding="utf-8", newline="\n") as lines:
        prompts = [json.loads(line) for line in lines]
    torch.manual_seed(manifest["seed"])
    results = []
    for family, record in manifest["models"].items():
        folder = find_model(record, given[family])
        if folder is None:
            print(f"{record['name']} is not where it was. Give its folder: python repro.py --{family} FOLDER")
            return NOT_FOUND
        there = record["device"] if torch.cuda.is_available() or record["device"] == "cpu" else "cpu"
        model = Model(record, folder, given["device"] or there)
        if family == "reranker":
            results.append(check_reranker(model, inputs, prompts))
        else:
            results.append(check_embedding(model, manifest["kind"], inputs, prompts))
        del model
    print(
        "Reproduced: every number came out again."
        if all(results)
        else "NOT reproduced: see the lines with NOT."
    )
    return SAME if all(results) else OTHER


if __name__ == "__main__":
    sys.exit(main())

"""The training run of the mini reranker: material, steps, checks and saving."""

from __future__ import annotations

import json
import logging
import math
import random
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from transformers import Qwen3ForCausalLM

from explorer.engine.prompts import FORMS
from explorer.training.mini_reranker.answer import fit_answer
from explorer.training.mini_reranker.loss import list_loss
from explorer.training.mini_reranker.marks import read_base, token_rarity
from explorer.training.mini_reranker.model import Prompt, score_lists
from explorer.training.mini_reranker.weights import new_reranker, set_free
from explorer.training.sources.collections import load_sources
from explorer.training.sources.items import Source, held_to, split_held_out
from explorer.training.sources.lexicon import read_lexicon
from explorer.training.sources.sampling import ListSampler, RankedList

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        minutes: Length of the run after the fit of the answer; 0 leaves it at that.
        lists: Lists a step.
        wrong: Wrong documents a list.
        limit: Most tokens of a document, at the start and at the end of the run.
        rate: Highest learning rate.
        pointwise: Weight of the yes/no loss.
        seed: Of weights and draws.
        languages: Languages of the sources.
        most: Most items taken from one source.
        fits: Lists that the weights of the answer are fitted to.
    """

    minutes: float
    lists: int = 4
    wrong: int = 5
    limit: tuple[int, int] = (40, 96)
    rate: float = 5e-5
    pointwise: float = 0.5
    seed: int = 0
    languages: tuple[str, ...] = ("en",)
    most: int = 4_000
    fits: int = 300


class PromptMaker:
    """Turns ranked lists into token ids of the official template."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Tokenise the parts that never change."""
        self._tokenizer = tokenizer
        self._form = FORMS["model_card"]
        self._system = self._ids(self._form.prefix)
        self._suffix = self._ids(self._form.suffix)
        self.yes, self.no = self._ids("yes")[0], self._ids("no")[0]

    def __call__(self, ranked: RankedList) -> Prompt:
        """Make the prompts of one list."""
        head = self._form.head(ranked.instruction, ranked.query).removesuffix(" ")
        return Prompt(self._system + self._ids(head), [ids + self._suffix for ids in ranked.documents])

    def _ids(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False).ids


@torch.inference_mode()
def top_one(model: Qwen3ForCausalLM, lists: list[RankedList], prompt: PromptMaker) -> dict[str, float]:
    """Share of lists whose right document is ranked first, by source."""
    firsts: dict[str, list[float]] = {}
    for ranked in lists:
        scores = score_lists(model, [prompt(ranked)], prompt.yes, prompt.no)[0]
        firsts.setdefault(ranked.source, []).append(float(scores[0] > scores[1:].max()))
    return {name: round(sum(found) / len(found), 3) for name, found in firsts.items()}


def save(model: Qwen3ForCausalLM, base: Path, out: Path) -> None:
    """Write the model in bfloat16 with its tokenizer, swapping the folder in at the end.

    The base's tokenizer ends every text with ``<|endoftext|>``; a reranker's must not, and neither does this copy.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=out.parent))
    weights = {
        name: value.to(torch.bfloat16)
        for name, value in model.state_dict().items()
        if name != "lm_head.weight"
    }
    model.save_pretrained(fresh, state_dict=weights)
    shutil.copyfile(base / "tokenizer_config.json", fresh / "tokenizer_config.json")
    tokenizer = json.loads((base / "tokenizer.json").read_text("utf-8"))
    tokenizer["post_processor"] = None
    (fresh / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), "utf-8")
    fresh.chmod(0o755)
    for file in fresh.iterdir():
        file.chmod(0o644)
    (fresh / "generation_config.json").unlink(missing_ok=True)
    if out.exists():
        shutil.rmtree(out)
    fresh.replace(out)


@dataclass(frozen=True)
class Material:
    """Everything a run draws from."""

    samplers: list[ListSampler]
    weights: list[float]
    fits: list[RankedList]
    checks: list[RankedList]
    counts: Tensor


def gather(data: Path, base: Path, recipe: Recipe) -> Material:
    """Read, split and tokenise the sources.

    Args:
        data: Folder of data sets.
        base: Folder of the embedding model.
        recipe: Languages and seed.

    Returns:
        Samplers for training, and fixed lists of held-out items.
    """
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    lexicon = read_lexicon(data / "wordnet")
    rows = read_base(base).weights["embed_tokens.weight"]
    vectors = functional.normalize(rows - rows.mean(0), dim=1).numpy()
    sources = tuple(held_to(source, recipe.most) for source in load_sources(data, recipe.languages))
    pairs = [split_held_out(source) for source in sources]
    counts = _count(tokenizer, sources)
    places = vectors * token_rarity(torch.from_numpy(counts)).numpy()[:, None].astype(np.float32)

    def sampler(source: Source, number: int) -> ListSampler:
        return ListSampler(source, tokenizer, places, lexicon, recipe.seed * 1000 + number)

    kept = [sampler(kept, i) for i, (kept, _) in enumerate(pairs)]
    held = [
        sampler(held, 500 + i) for i, (source, held) in enumerate(pairs) if source.weight >= 2 and held.items
    ]
    weights = [source.weight for source in sources]
    fits = random.Random(recipe.seed).choices(kept, weights, k=recipe.fits)
    return Material(
        kept, weights, [one.draw(recipe.wrong, 96) for one in fits],
        [one.draw(9, 128) for one in held for _ in range(12)], torch.from_numpy(counts),
    )  # fmt: skip


def _count(tokenizer: Tokenizer, sources: tuple[Source, ...]) -> np.ndarray:
    counts = np.zeros(tokenizer.get_vocab_size(), np.int64)
    for source in sources:
        texts = [f" {item.documents[0]}" for item in source.items[::3]]
        for encoding in tokenizer.encode_batch(texts, add_special_tokens=False):
            np.add.at(counts, encoding.ids, 1)
    return counts


def train(data: Path, base: Path, out: Path, recipe: Recipe) -> Qwen3ForCausalLM:
    """Train for a fixed time, saving the best so far every few minutes.

    Args:
        data: Folder of data sets.
        base: Folder of the embedding model that the token table comes from.
        out: Where the reranker is written.
        recipe: How to train.

    Returns:
        The trained model.
    """
    material = gather(data, base, recipe)
    prompt = PromptMaker(Tokenizer.from_file(str(base / "tokenizer.json")))
    model = new_reranker(base, material.counts, recipe.seed)
    optimizer = _optimizer(model, recipe)
    rng = random.Random(recipe.seed)
    fitted = fit_answer(model, [prompt(ranked) for ranked in material.fits], recipe.pointwise)
    logger.info("fitted %s: %s", fitted, top_one(model, material.checks, prompt))
    save(model, base, out)
    start, saved, step, tokens, running = time.monotonic(), time.monotonic(), 0, 0, 2.0
    while recipe.minutes and (done := (time.monotonic() - start) / (60 * recipe.minutes)) < 1:
        step += 1
        _set_rates(optimizer, recipe, step, done)
        limit = int(recipe.limit[0] + (recipe.limit[1] - recipe.limit[0]) * min(1, 1.5 * done))
        drawn = rng.choices(material.samplers, material.weights, k=recipe.lists)
        prompts = [prompt(sampler.draw(recipe.wrong, limit)) for sampler in drawn]
        tokens += sum(len(p.shared) + sum(map(len, p.tails)) for p in prompts)
        loss = list_loss(score_lists(model, prompts, prompt.yes, prompt.no), recipe.pointwise)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        running += (loss.item() - running) * 0.02
        if step % 25 == 0:
            pace = tokens / (time.monotonic() - start)
            logger.info(
                "%.0f s step %d loss %.3f, %.0f tokens/s", time.monotonic() - start, step, running, pace
            )
        if time.monotonic() - saved > 300:
            saved = time.monotonic()
            logger.info("check %s", top_one(model, material.checks, prompt))
            save(model, base, out)
    logger.info("end %s", top_one(model, material.checks, prompt))
    save(model, base, out)
    return model


def _optimizer(model: Qwen3ForCausalLM, recipe: Recipe) -> torch.optim.AdamW:
    return torch.optim.AdamW(set_free(model), lr=recipe.rate, betas=(0.9, 0.98), weight_decay=0.0)


def _set_rates(optimizer: torch.optim.AdamW, recipe: Recipe, step: int, done: float) -> None:
    factor = min(1.0, step / 20) * (0.5 * (1 + math.cos(math.pi * done)) + 0.02)
    for group in optimizer.param_groups:
        group["lr"] = recipe.rate * factor

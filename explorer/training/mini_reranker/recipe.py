"""From an embedding model to the mini reranker: the wiring, lists that its answer is fitted to, checks and saving."""

from __future__ import annotations

import json
import logging
import random
import shutil
import tempfile
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
from explorer.training.mini_reranker.marks import read_base, token_rarity
from explorer.training.mini_reranker.model import Prompt, score_lists
from explorer.training.mini_reranker.weights import new_reranker
from explorer.training.sources.collections import load_sources
from explorer.training.sources.items import Source, held_to, split_held_out
from explorer.training.sources.lexicon import read_lexicon
from explorer.training.sources.sampling import ListSampler, RankedList

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """What the answer is fitted to.

    Attributes:
        wrong: Wrong documents a list.
        pointwise: Weight of the yes/no loss.
        seed: Of weights and draws.
        languages: Languages of the sources.
        most: Most items taken from one source.
        fits: Lists that the weights of the answer are fitted to.
    """

    wrong: int = 5
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
    config = json.loads((fresh / "config.json").read_text("utf-8"))
    (fresh / "config.json").write_text(json.dumps(config | {"dtype": "bfloat16"}, indent=2) + "\n", "utf-8")
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
    """What is drawn from the sources."""

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
        Lists to fit to, fixed lists of held-out items, and how often each token is used.
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
        [one.draw(recipe.wrong, 96) for one in fits],
        [one.draw(9, 128) for one in held for _ in range(12)], torch.from_numpy(counts),
    )  # fmt: skip


def _count(tokenizer: Tokenizer, sources: tuple[Source, ...]) -> np.ndarray:
    counts = np.zeros(tokenizer.get_vocab_size(), np.int64)
    for source in sources:
        texts = [f" {item.documents[0]}" for item in source.items[::3]]
        for encoding in tokenizer.encode_batch(texts, add_special_tokens=False):
            np.add.at(counts, encoding.ids, 1)
    return counts


def wire(data: Path, base: Path, out: Path, recipe: Recipe) -> Qwen3ForCausalLM:
    """Wire a reranker, fit how sure its answer is, and write it.

    Args:
        data: Folder of data sets.
        base: Folder of the embedding model whose layers it takes.
        out: Where the reranker is written.
        recipe: What the answer is fitted to.

    Returns:
        The reranker.
    """
    material = gather(data, base, recipe)
    prompt = PromptMaker(Tokenizer.from_file(str(base / "tokenizer.json")))
    model = new_reranker(base, material.counts, recipe.seed)
    fitted = fit_answer(model, [prompt(ranked) for ranked in material.fits], recipe.pointwise)
    logger.info("fitted %s: %s", fitted, top_one(model, material.checks, prompt))
    save(model, base, out)
    return model

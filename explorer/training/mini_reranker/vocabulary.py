"""A smaller base for the reranker: the tokens that its training texts use most, and the strongest units of each MLP.

Every token of a byte-pair encoding is made of two others, so with a token its parts are kept, and what is kept is a
tokenizer by itself. Words that lose their token are read in a few smaller ones.

::

    python -m explorer.training.mini_reranker.vocabulary --data DIR --base DIR --out DIR --tokens 34000
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from explorer.training.mini_reranker.marks import UNITS
from explorer.training.mini_reranker.wiring import strongest_units
from explorer.training.sources.collections import load_sources
from explorer.training.sources.items import held_to

KEPT_WORDS = ("yes", "no", "Document", "Query", "Instruct", "Judge", "system", "user", "assistant")
MARKED_WORDS = ("Query", "Document")
"""Words that begin a part of the prompt: after a space, where they mean nothing, they must be another token."""
ALL_LANGUAGES = ("en", "zh", "de", "es", "fr", "ja", "ru")


def count_tokens(base: Path, texts: Iterable[str]) -> Counter[int]:
    """Count how often a base's tokenizer uses each of its tokens."""
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    uses: Counter[int] = Counter()
    for text in texts:
        uses.update(tokenizer.encode(f" {text}", add_special_tokens=False).ids)
    return uses


def training_texts(data: Path, most: int = 8_000) -> Iterable[str]:
    """The documents and statements of every source, at most so many items of each."""
    for source in load_sources(data, ALL_LANGUAGES):
        for item in held_to(source, most).items:
            yield item.documents[0]
            yield item.statement


def cut_vocabulary(base: Path, out: Path, tokens: int, uses: Counter[int] | None = None) -> None:
    """Copy an embedding model with fewer tokens.

    Args:
        base: Folder of the embedding model.
        out: Where the copy goes.
        tokens: How many tokens stay, give or take the parts of the last.
        uses: Occurrences of each token; without them, the tokens that were learnt first stay.
    """
    tokenizer = json.loads((base / "tokenizer.json").read_text("utf-8"))
    vocabulary, pairs = tokenizer["model"]["vocab"], _pairs(tokenizer)
    wanted = _choose(vocabulary, pairs, tokens, uses or Counter())
    order = sorted(wanted, key=vocabulary.__getitem__)
    kept = [vocabulary[token] for token in order]
    kept_pairs = [list(pair) for pair in pairs if "".join(pair) in wanted]
    for word in MARKED_WORDS:
        if f"Ġ{word}" not in wanted:
            order.append(f"Ġ{word}")
            kept.append(vocabulary[word])
            kept_pairs.append(["Ġ", word])
    tokenizer["model"]["vocab"] = {token: i for i, token in enumerate(order)}
    tokenizer["model"]["merges"] = kept_pairs
    fresh = Path(tempfile.mkdtemp(dir=out.parent))
    _write(base, fresh, tokenizer, kept)
    if out.exists():
        shutil.rmtree(out)
    fresh.replace(out)


def _pairs(tokenizer: dict[str, Any]) -> list[tuple[str, str]]:
    merges = tokenizer["model"]["merges"]
    split = [merge if isinstance(merge, list) else merge.split(" ") for merge in merges]
    return [(left, right) for left, right in split]


def _choose(
    vocabulary: dict[str, int], pairs: list[tuple[str, str]], tokens: int, uses: Counter[int]
) -> set[str]:
    made_of = {left + right: (left, right) for left, right in pairs}
    wanted = {token for token in vocabulary if token not in made_of}
    by_use = sorted(vocabulary, key=lambda token: (-uses[vocabulary[token]], vocabulary[token]))
    for word in [*(word for word in KEPT_WORDS if word in vocabulary), *by_use]:
        if len(wanted) >= tokens:
            break
        pending = [word]
        while pending:
            token = pending.pop()
            if token not in wanted:
                wanted.add(token)
                pending += made_of[token]
    return wanted


def _write(base: Path, out: Path, tokenizer: dict[str, Any], kept: list[int]) -> None:
    (out / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), "utf-8")
    shutil.copyfile(base / "tokenizer_config.json", out / "tokenizer_config.json")
    weights = load_file(base / "model.safetensors")
    config = json.loads((base / "config.json").read_text("utf-8"))
    units = min(UNITS, config["intermediate_size"])
    for number in range(config["num_hidden_layers"]):
        _cut_units(weights, f"layers.{number}.")
    sizes = {"vocab_size": len(kept), "intermediate_size": units}
    (out / "config.json").write_text(json.dumps(config | sizes, indent=2), "utf-8")
    name = next(key for key in weights if key.endswith("embed_tokens.weight"))
    weights[name] = weights[name][kept].contiguous()
    save_file(weights, out / "model.safetensors", {"format": "pt"})


def _cut_units(weights: dict[str, Tensor], prefix: str) -> None:
    own = {name.partition(prefix)[2]: value.float() for name, value in weights.items() if prefix in name}
    kept = strongest_units(own)
    for name in [name for name in weights if f"{prefix}mlp." in name]:
        side = 1 if "down_proj" in name else 0
        weights[name] = weights[name].index_select(side, kept).contiguous()


def main() -> None:
    """Read the command line and cut."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of data sets, one sub-folder each")
    parser.add_argument("--base", type=Path, required=True, help="embedding model to cut")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the smaller base to")
    parser.add_argument("--tokens", type=int, default=34_000)
    given = parser.parse_args()
    uses = count_tokens(given.base, training_texts(given.data))
    cut_vocabulary(given.base, given.out, given.tokens, uses)


if __name__ == "__main__":
    main()

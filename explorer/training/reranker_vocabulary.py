"""A smaller vocabulary for the reranker: the first tokens that the byte-pair encoding of the base learnt.

Tokens are learnt in order of use, each from two earlier ones, so the first of them form a tokenizer by themselves.
Rarer words then take a few more tokens, and the table takes less room.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from safetensors.torch import load_file, save_file

KEPT_WORDS = ("yes", "no", "Document", "Query", "Instruct", "Judge", "system", "user", "assistant")

MARKED_WORDS = ("Query", "Document")
"""Words that begin a part of the prompt: after a space, where they mean nothing, they must be another token."""


def cut_vocabulary(base: Path, out: Path, tokens: int) -> None:
    """Copy an embedding model with fewer tokens.

    Args:
        base: Folder of the embedding model.
        out: Where the copy goes.
        tokens: How many of its tokens stay, apart from the words of the template.
    """
    tokenizer = json.loads((base / "tokenizer.json").read_text("utf-8"))
    vocabulary, merges = tokenizer["model"]["vocab"], tokenizer["model"]["merges"]
    pairs = [tuple(merge) if isinstance(merge, list) else tuple(merge.split(" ")) for merge in merges]
    made_of = {left + right: (left, right) for left, right in pairs}
    wanted = {token for token, number in vocabulary.items() if number < tokens}
    pending = [word for word in KEPT_WORDS if word in vocabulary]
    while pending:
        word = pending.pop()
        wanted.add(word)
        pending += [part for part in made_of.get(word, ()) if part not in wanted]
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


def _write(base: Path, out: Path, tokenizer: dict[str, object], kept: list[int]) -> None:
    (out / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), "utf-8")
    shutil.copyfile(base / "tokenizer_config.json", out / "tokenizer_config.json")
    config = json.loads((base / "config.json").read_text("utf-8"))
    (out / "config.json").write_text(json.dumps(config | {"vocab_size": len(kept)}, indent=2), "utf-8")
    weights = load_file(base / "model.safetensors")
    name = next(key for key in weights if key.endswith("embed_tokens.weight"))
    weights[name] = weights[name][kept].contiguous()
    save_file(weights, out / "model.safetensors", {"format": "pt"})

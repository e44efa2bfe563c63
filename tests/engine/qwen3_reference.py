"""The model cards' own way of computing, on plain transformers and sentence-transformers, to compare with."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

PREFIX = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct "
    'provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
)
SUFFIX = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
TASK = "Given a web search query, retrieve relevant passages that answer the query"


# Read once; a test of many small examples would do nothing else.
tokenizer_of = functools.cache(AutoTokenizer.from_pretrained)


@torch.no_grad()
def card_embeddings(
    folder: Path,
    texts: Sequence[str],
    padding_side: str = "left",
    max_length: int = 8192,
    batch_size: int = 64,
) -> np.ndarray:
    """Embed as the model card does: pad one batch, take each last real token's state, scale to length one."""
    tokenizer = tokenizer_of(folder, padding_side=padding_side)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    rows = []
    for first in range(0, len(texts), batch_size):
        batch = tokenizer(
            list(texts[first : first + batch_size]),
            padding=True,
            truncation=True,
            max_length=max_length,
            return_tensors="pt",
        )
        states = model(**batch).last_hidden_state
        mask = batch["attention_mask"]
        if bool(mask[:, -1].sum() == len(mask)):
            pooled = states[:, -1]
        else:
            pooled = states[torch.arange(len(states)), mask.sum(dim=1) - 1]
        rows.append(F.normalize(pooled, p=2, dim=1))
    return torch.cat(rows).numpy()


def card_pair_ids(
    folder: Path, query: str, documents: Sequence[str], task: str = TASK, max_length: int = 8192
) -> list[list[int]]:
    """Build prompts as the model card's transformers code does: three parts tokenised apart."""
    tokenizer = tokenizer_of(folder, padding_side="left")
    prefix = tokenizer.encode(PREFIX, add_special_tokens=False)
    suffix = tokenizer.encode(SUFFIX, add_special_tokens=False)
    bodies = tokenizer(
        [f"<Instruct>: {task}\n<Query>: {query}\n<Document>: {document}" for document in documents],
        padding=False,
        truncation="longest_first",
        return_attention_mask=False,
        max_length=max_length - len(prefix) - len(suffix),
    )["input_ids"]
    return [prefix + body + suffix for body in bodies]


def evaluation_pair_ids(
    folder: Path, query: str, documents: Sequence[str], task: str = TASK, max_length: int = 8192
) -> list[list[int]]:
    """Build prompts as the model card's vLLM code does: the chat template in one call, cut, then the suffix."""
    tokenizer = tokenizer_of(folder)
    suffix = tokenizer.encode(SUFFIX, add_special_tokens=False)
    system = PREFIX.removeprefix("<|im_start|>system\n").removesuffix("<|im_end|>\n<|im_start|>user\n")
    chats = [
        [
            {"role": "system", "content": system},
            {"role": "user", "content": f"<Instruct>: {task}\n\n<Query>: {query}\n\n<Document>: {document}"},
        ]
        for document in documents
    ]
    rendered = tokenizer.apply_chat_template(
        chats, tokenize=True, add_generation_prompt=False, enable_thinking=False, return_dict=False
    )
    return [ids[: max_length - len(suffix)] + suffix for ids in rendered]


@torch.no_grad()
def card_log_odds(folder: Path, prompts: Sequence[Sequence[int]], batch_size: int = 16) -> np.ndarray:
    """Score as the model card does: left padding, logits of the whole vocabulary, yes less no."""
    tokenizer = tokenizer_of(folder, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    yes, no = tokenizer.convert_tokens_to_ids("yes"), tokenizer.convert_tokens_to_ids("no")
    scores = []
    for first in range(0, len(prompts), batch_size):
        chosen = [list(ids) for ids in prompts[first : first + batch_size]]
        batch = tokenizer.pad({"input_ids": chosen}, padding=True, return_tensors="pt")
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, -1]
        scores.append(logits[:, yes] - logits[:, no])
    return torch.cat(scores).numpy()

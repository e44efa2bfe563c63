"""A byte-level tokenizer like Qwen3's, smaller, balanced over seven languages."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

from explorer.training.distil.texts import LANGUAGES, Text

SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>")
TEMPLATE_WORDS = (" Query", " Instruct")
PATTERN = "|".join(
    (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)",
        r"[^\r\n\p{L}\p{N}]?\p{L}+",
        r"\p{N}",
        r" ?[^\s\p{L}\p{N}]+[\r\n]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
"""Qwen3's rule for cutting text before merging (its published tokenizer.json)."""
CHARACTERS = {"en": 6e6, "zh": 4e6, "ja": 1.3e6, "de": 2e6, "es": 1.5e6, "fr": 2e6, "ru": 1.7e6}
"""How much text of each language the merges are counted on."""
WORD_WEIGHT = {
    "en": 400_000,
    "zh": 500_000,
    "ja": 500_000,
    "de": 200_000,
    "es": 200_000,
    "fr": 200_000,
    "ru": 200_000,
}
"""A word of frequency rank r is counted weight / (r + 50) times more, so that everyday words stay whole."""


def train_tokenizer(texts: Sequence[Text], words: Sequence[Text], size: int) -> Tokenizer:
    """Learn ``size`` tokens; every text gets ``<|endoftext|>`` appended, as Qwen3-Embedding's tokenizer does.

    Args:
        texts: the texts to be trained on, in any order.
        words: frequent words of every language, the most frequent first.
        size: the number of tokens, the special ones among them.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False, trim_offsets=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=24,
        show_progress=False,
    )
    tokenizer.train_from_iterator(balanced(texts, words), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <|endoftext|>", pair="$A $B:1 <|endoftext|>:1", special_tokens=[("<|endoftext|>", 0)]
    )
    return with_whole_words(tokenizer)


def with_whole_words(tokenizer: Tokenizer, words: Sequence[str] = TEMPLATE_WORDS) -> Tokenizer:
    """Make each word one token, in place of the last learned merges: the size stays as it is.

    The reranker tells the parts of its prompt apart by their headings, so a heading's token must not turn up where
    the same word stands inside a sentence.
    """
    content = json.loads(tokenizer.to_str())
    vocabulary, merges = content["model"]["vocab"], content["model"]["merges"]
    added: list[str] = []
    for word in words:
        pieces = tokenizer.encode(word, add_special_tokens=False).tokens
        if len(pieces) == 2:
            vocabulary["".join(pieces)] = vocabulary.pop("".join(merges[-1 - len(added)]))
            merges[-1 - len(added)] = pieces
            added.append(word)
    return Tokenizer.from_str(json.dumps(content))


def balanced(texts: Sequence[Text], words: Sequence[Text]) -> Iterator[str]:
    """Yield text of every language up to its share, then words by frequency, then what the templates need."""
    left = dict(CHARACTERS)
    order = list(range(len(texts)))
    random.Random(1).shuffle(order)
    for index in order:
        item = texts[index]
        if left[item.language] > 0 and item.source not in ("wordnet-questions", "wordfreq"):
            left[item.language] -= len(item.text)
            yield item.text
    rank = dict.fromkeys(LANGUAGES, 50)
    for item in words:
        times = WORD_WEIGHT[item.language] // rank[item.language]
        rank[item.language] += 1
        for form, share in _forms(item):
            for _ in range(times // share):
                yield form
    for phrase in (
        "yes",
        "no",
        "Yes",
        "No",
        " yes",
        " no",
        "Instruct:",
        "\nQuery:",
        "Judge",
        "assistant",
        "user",
    ):
        for _ in range(2000):
            yield phrase


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write the files that AutoTokenizer reads; padding is on the left, as for Qwen3-Embedding."""
    fast_class: Any = PreTrainedTokenizerFast
    fast = fast_class(
        tokenizer_object=tokenizer,
        padding_side="left",
        model_max_length=2048,
        eos_token=SPECIAL_TOKENS[2],
        pad_token=SPECIAL_TOKENS[0],
    )
    fast.save_pretrained(folder)


def _forms(word: Text) -> list[tuple[str, int]]:
    """Return the spellings of a word and by what its count is divided: inside a sentence and at its beginning."""
    if word.language in ("zh", "ja"):
        return [(word.text, 1)]
    return [
        (" " + word.text, 1),
        (word.text, 8),
        (word.text.capitalize(), 6),
        (" " + word.text.capitalize(), 8),
    ]

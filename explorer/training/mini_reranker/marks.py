"""The marks by which the mini reranker finds its way through its prompt, and the embedding model it starts from.

Marks are coordinates of the hidden state beyond those of the embedding model: what a token is (``IS_``), which part
it stands in (``IN_``), and what has been found out so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoConfig, Qwen3Config

MARKS = 16
CONSTANT, SIZE, RARITY, MATCH, MEAN, BEST, COSINE, BIAS = range(8)
IS_INSTRUCT, IS_QUERY, IS_DOCUMENT, IS_END, IN_INSTRUCT, IN_QUERY, IN_DOCUMENT = range(8, 15)
ANSWERS = {COSINE: 12.0, MEAN: 1.0, BEST: 0.0, BIAS: 0.0}
"""Findings that the answer is made of, and their proportions; scale and bias are fitted."""
HEAD, BASE_HEAD = 80, 64
PAIRS, BASE_PAIRS = HEAD // 2, BASE_HEAD // 2
SLOW = 20
"""From this pair on a head's coordinates turn by less than half a radian within a prompt."""
FIRST, SECOND, THIRD = PAIRS - 1, PAIRS - 2, PAIRS - 3
SCALE = 16.0
"""The base's hidden vectors are kept at this multiple, so that the marks hardly change their length."""
FAR = 30 * SCALE / 4
"""How strongly a key outside a token's own part is pushed away."""
NEAR = 3.0
"""The same for keys of the query, whose own meaning must stay readable to the query itself."""
COMPARED = 128
"""Leading coordinates of the two embeddings that are compared."""
UNITS = 3 * COMPARED
"""Units of each MLP: of the base's own, as many of the strongest are kept; to multiply two embeddings takes two a
coordinate."""


@dataclass(frozen=True)
class Base:
    """An embedding model as it is read from its folder."""

    config: Qwen3Config
    weights: dict[str, Tensor]
    tokenizer: Tokenizer

    @property
    def hidden(self) -> int:
        """Size of its hidden vectors."""
        return int(self.config.hidden_size)

    @property
    def heads(self) -> int:
        """Query heads of a layer."""
        return int(self.config.num_attention_heads)

    @property
    def groups(self) -> int:
        """Key and value heads of a layer."""
        return int(self.config.num_key_value_heads or self.heads)

    @property
    def heads_per_group(self) -> int:
        """Query heads that share a key head."""
        return self.heads // self.groups


def read_base(folder: Path) -> Base:
    """Read an embedding model's configuration, weights (as float32) and tokenizer."""
    weights = {name.removeprefix("model."): value.float()
               for name, value in load_file(folder / "model.safetensors").items()}  # fmt: skip
    return Base(
        AutoConfig.from_pretrained(folder), weights, Tokenizer.from_file(str(folder / "tokenizer.json"))
    )


def token_rarity(counts: Tensor) -> Tensor:
    """Rarity of each token between 0 (every tenth token) and 1 (one in a million).

    Args:
        counts: Occurrences of each token [vocabulary].

    Returns:
        Rarity [vocabulary].
    """
    share = (counts.float() + 0.5) / (counts.sum() + 0.5)
    return ((-share.log10() - 1) / 5).clamp(0, 1)


def template_token(base: Base, word: str) -> int:
    """The id of the last token of a word at the start of a text."""
    return int(base.tokenizer.encode(f"<{word}", add_special_tokens=False).ids[-1])

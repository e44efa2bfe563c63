"""The six published checkpoints and the bundled pair, as data.

The shapes give, to the last parameter, the counts that mteb's ``ModelMeta`` and the published files state. A
revision is a commit of the Hugging Face repository, so that every download gives the same weights; at load the
file's own ``config.json`` decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from explorer.provenance import Family, Weights

BYTES_PER_PARAMETER = {"float32": 4, "bfloat16": 2}
"""Bytes a parameter takes in each dtype the explorer runs."""

INT8_WEIGHTS = "int8 weights"
"""What follows the dtype, after a comma, when the matrices of the decoder are kept in one byte a weight."""

LICENCES: dict[Weights, str] = {"published": "Apache-2.0", "bundled": "CC-BY-SA-4.0", "other": ""}
"""SPDX identifiers of the weights, by who made them; empty when unknown."""

BUNDLED_ROOT = Path(__file__).resolve().parents[2] / "assets" / "models"
"""Where the models that come with the explorer lie."""


@dataclass(frozen=True)
class Checkpoint:
    """The shape of one model of the Qwen3 architecture.

    Attributes:
        name: Hugging Face repository, folder name, or name of a bundled model.
        family: ``"embedding"`` or ``"reranker"``.
        weights: Who made the weights.
        size: Short name of the size, such as ``"0.6B"`` or ``"mini"``.
        layers: Number of decoder layers.
        hidden_size: Width of the residual stream, which is also the full embedding dimension.
        intermediate_size: Width of the feed-forward layer.
        query_heads: Attention heads.
        key_value_heads: Key and value heads (grouped-query attention).
        head_dim: Width of one head; not ``hidden_size / query_heads`` in this family.
        vocabulary: Rows of the token table.
        tied_head: Whether the language-model head is the token table itself.
        context: Longest input in tokens.
        licence: SPDX identifier, or an empty string when unknown.
        revision: Pinned commit of the repository (40 hex digits), or None for a folder.
    """

    name: str
    family: Family
    weights: Weights
    size: str
    layers: int
    hidden_size: int
    intermediate_size: int
    query_heads: int
    key_value_heads: int
    head_dim: int
    vocabulary: int
    tied_head: bool
    context: int
    licence: str = ""
    revision: str | None = None

    @property
    def dimensions(self) -> int:
        """Full embedding dimension."""
        return self.hidden_size

    @property
    def head_parameters(self) -> int:
        """Parameters of a separate language-model head; 0 when it is tied."""
        return 0 if self.tied_head else self.vocabulary * self.hidden_size

    @property
    def parameters(self) -> int:
        """Parameters of the token table and the decoder, which is what the explorer loads.

        Of a separate head only the two rows for "yes" and "no" are ever read.
        """
        norms = 2 * self.hidden_size + 2 * self.head_dim
        table = self.vocabulary * self.hidden_size
        return table + self.linear_parameters + self.layers * norms + self.hidden_size

    @property
    def linear_parameters(self) -> int:
        """Parameters of the decoder's matrices."""
        attention = 2 * self.hidden_size * self.head_dim * (self.query_heads + self.key_value_heads)
        feed_forward = 3 * self.hidden_size * self.intermediate_size
        return self.layers * (attention + feed_forward)

    def bytes(self, dtype: str) -> int:
        """Size of the loaded weights.

        Args:
            dtype: As in provenance, for instance ``"bfloat16"`` or ``"float32, int8 weights"``.

        Returns:
            Bytes in memory; for int8 without the scales, a thousandth of the whole.
        """
        in_one_byte = self.linear_parameters if dtype.endswith(INT8_WEIGHTS) else 0
        return in_one_byte + (self.parameters - in_one_byte) * bytes_per_parameter(dtype)


def bytes_per_parameter(dtype: str) -> int:
    """Tell how many bytes a number takes in whatever is not kept in one byte.

    Args:
        dtype: As in provenance, for instance ``"bfloat16"`` or ``"float32, int8 weights"``.

    Returns:
        Bytes.
    """
    return BYTES_PER_PARAMETER[dtype.partition(",")[0]]


@dataclass(frozen=True)
class _Size:
    """What the embedding model and the reranker of one size share."""

    name: str
    layers: int
    hidden_size: int
    intermediate_size: int
    query_heads: int


_SIZES = (
    _Size("0.6B", 28, 1024, 3072, 16),
    _Size("4B", 36, 2560, 9728, 32),
    _Size("8B", 36, 4096, 12288, 32),
)
_VOCABULARY: dict[tuple[Family, str], int] = {
    ("embedding", "0.6B"): 151669,
    ("embedding", "4B"): 151665,
    ("embedding", "8B"): 151665,
    ("reranker", "0.6B"): 151669,
    ("reranker", "4B"): 151669,
    ("reranker", "8B"): 151669,
}
_REVISION: dict[tuple[Family, str], str] = {
    ("embedding", "0.6B"): "97b0c614be4d77ee51c0cef4e5f07c00f9eb65b3",
    ("embedding", "4B"): "5cf2132abc99cad020ac570b19d031efec650f2b",
    ("embedding", "8B"): "1d8ad4ca9b3dd8059ad90a75d4983776a23d44af",
    ("reranker", "0.6B"): "e61197ed45024b0ed8a2d74b80b4d909f1255473",
    ("reranker", "4B"): "22e683669bc0f0bd69640a1354a6d0aebcfeede5",
    ("reranker", "8B"): "77d193c791ed757ca307ee72715aa132723da912",
}
_TITLES: dict[Family, str] = {"embedding": "Embedding", "reranker": "Reranker"}


def _published(family: Family, size: _Size) -> Checkpoint:
    """Describe one published checkpoint."""
    return Checkpoint(
        name=f"Qwen/Qwen3-{_TITLES[family]}-{size.name}",
        family=family,
        weights="published",
        size=size.name,
        layers=size.layers,
        hidden_size=size.hidden_size,
        intermediate_size=size.intermediate_size,
        query_heads=size.query_heads,
        key_value_heads=8,
        head_dim=128,
        vocabulary=_VOCABULARY[family, size.name],
        tied_head=size.name != "8B",
        context=32768,
        licence=LICENCES["published"],
        revision=_REVISION[family, size.name],
    )


PUBLISHED: tuple[Checkpoint, ...] = tuple(
    _published(family, size) for family in ("embedding", "reranker") for size in _SIZES
)
"""The six checkpoints of the Qwen team, embedding models first, smallest first."""

BUNDLED_FOLDERS: dict[Family, Path] = {
    "embedding": BUNDLED_ROOT / "mini-embedding",
    "reranker": BUNDLED_ROOT / "mini-reranker",
}
"""The pair that comes with the explorer."""

BUNDLED_NAME = "Mini (bundled)"
"""What a reader sees for either bundled model."""


def published(family: Family) -> tuple[Checkpoint, ...]:
    """List the published checkpoints of one family, smallest first.

    Args:
        family: ``"embedding"`` or ``"reranker"``.

    Returns:
        Three checkpoints.
    """
    return tuple(checkpoint for checkpoint in PUBLISHED if checkpoint.family == family)


def find(name: str, family: Family) -> Checkpoint | None:
    """Find a published checkpoint by its full or short name.

    Args:
        name: For instance ``"Qwen/Qwen3-Embedding-4B"``, ``"Qwen3-Embedding-4B"`` or ``"4B"``; case is ignored.
        family: Which family a bare size means.

    Returns:
        The checkpoint, of whichever family a full name says, or None.
    """
    wanted = name.strip().lower()
    for checkpoint in PUBLISHED:
        full = checkpoint.name.lower()
        bare_size = checkpoint.family == family and wanted == checkpoint.size.lower()
        if bare_size or wanted in (full, full.removeprefix("qwen/")):
            return checkpoint
    return None

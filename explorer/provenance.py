"""Where a number came from: the model, its weights, and the device that ran it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Family = Literal["embedding", "reranker"]
Weights = Literal["bundled", "published", "other"]


@dataclass(frozen=True)
class Provenance:
    """What must stand beside a number for it to mean anything.

    Attributes:
        model: Name a reader knows, for instance ``"Qwen/Qwen3-Embedding-0.6B"`` or ``"Mini (bundled)"``.
        family: ``"embedding"`` or ``"reranker"``.
        weights: ``"bundled"`` with the explorer, ``"published"`` by the Qwen team, or ``"other"``.
        fingerprint: Hex digest that tells these weights and this tokenizer from any others.
        dtype: ``"float32"`` or ``"bfloat16"``.
        device: ``"cpu"``, ``"cuda:0"``, ``"mps"``.
        attention: Name of the attention path that ran.
    """

    model: str
    family: Family
    weights: Weights
    fingerprint: str
    dtype: str
    device: str
    attention: str

    @property
    def place(self) -> str:
        """Number format and device, for instance ``fp32 on CPU``."""
        dtype = {"float32": "fp32", "bfloat16": "bf16"}.get(self.dtype, self.dtype)
        return f"{dtype} on {self.device.upper()}"

    @property
    def line(self) -> str:
        """One line for a caption, for instance ``Mini (bundled), fp32 on CPU``."""
        return f"{self.model}, {self.place}"

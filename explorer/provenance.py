"""Where a number came from: the model, its weights, and the device that ran it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Family = Literal["embedding", "reranker"]
Weights = Literal["bundled", "published", "other"]
Acceleration = Literal["none", "compile", "int8", "bf16"]
"""What may be done to a model to make it faster or smaller; :mod:`explorer.models.acceleration` says how."""
ACCELERATIONS: tuple[Acceleration, ...] = get_args(Acceleration)


@dataclass(frozen=True)
class Provenance:
    """What must stand beside a number for it to mean anything.

    Attributes:
        model: Name a reader knows, for instance ``"Qwen/Qwen3-Embedding-0.6B"`` or ``"Mini (bundled)"``.
        family: ``"embedding"`` or ``"reranker"``.
        weights: ``"bundled"`` with the explorer, ``"published"`` by the Qwen team, or ``"other"``.
        fingerprint: Hex digest that tells these weights and this tokenizer from any others.
        dtype: ``"float32"`` or ``"bfloat16"``, and what was done to the model beside, for instance
            ``"float32, int8 weights"``.
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
        dtype, comma, beside = self.dtype.partition(",")
        short = {"float32": "fp32", "bfloat16": "bf16"}.get(dtype, dtype)
        return f"{short}{comma}{beside} on {self.device.upper()}"

    @property
    def line(self) -> str:
        """One line for a caption, for instance ``Mini (bundled), fp32 on CPU``."""
        return f"{self.model}, {self.place}"

"""What the technical report publishes about its own training stages, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Variant = Literal["synthetic_only", "without_synthetic", "without_merge", "final"]

BENCHMARKS = ("MMTEB", "MTEB (English, v2)", "CMTEB", "MTEB (Code)")
"""Columns of the table: mean over tasks of each benchmark."""

SOURCE = "Qwen3 Embedding technical report (arXiv 2506.05176), Table 5, Qwen3-Embedding-0.6B"


@dataclass(frozen=True)
class AblationRow:
    """One row of the report's ablation.

    Attributes:
        variant: What was left out of the training.
        scores: Mean task score in percent by benchmark, in the order of :data:`BENCHMARKS`.
    """

    variant: Variant
    scores: tuple[float, float, float, float]


PUBLISHED_ABLATION = (
    AblationRow("synthetic_only", (58.49, 60.63, 59.78, 66.79)),
    AblationRow("without_synthetic", (61.21, 65.59, 63.37, 74.58)),
    AblationRow("without_merge", (62.56, 68.18, 64.76, 74.89)),
    AblationRow("final", (64.33, 70.70, 66.33, 75.41)),
)

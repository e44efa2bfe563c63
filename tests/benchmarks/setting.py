"""What every measurement needs to know."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Setting:
    """How much is measured, and where.

    Attributes:
        device: Where models run.
        repetitions: Turns of each contestant.
        documents: Documents reranked with one query.
        texts: Texts embedded.
        growth: Numbers of texts whose time for each is compared.
        map_rows: Points of the map.
        against_umap: Whether umap-learn's own defaults run too; compiling them takes minutes.
        starts: How often a fresh process is started.
    """

    device: torch.device
    repetitions: int
    documents: int
    texts: int
    growth: tuple[int, ...]
    map_rows: int
    against_umap: bool
    starts: int

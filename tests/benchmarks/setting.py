"""What every measurement needs to know, and how much of it is measured."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Setting:
    """How much is measured, and where.

    Attributes:
        device: Where models run.
        repetitions: Turns of each contestant.
        documents: How many documents are reranked with one query, one measurement each.
        document_tokens: Median length of the documents in tokens, and the standard deviation of its logarithm.
        texts: Texts embedded.
        some_texts: Texts embedded where two ways of this project's own are compared.
        queries: Queries embedded one at a time.
        growth: Numbers of texts whose time for each is compared.
        search_rows: Vectors that are searched.
        map_rows: Points of the map.
        against_umap: Whether umap-learn's own defaults run too; compiling them takes minutes.
        starts: How often a fresh process is started.
    """

    device: torch.device
    repetitions: int
    documents: tuple[int, ...]
    document_tokens: tuple[float, float]
    texts: int
    some_texts: int
    queries: int
    growth: tuple[int, ...]
    search_rows: int
    map_rows: int
    against_umap: bool
    starts: int


_CPU = Setting(
    device=torch.device("cpu"),
    repetitions=5,
    documents=(100,),
    document_tokens=(114, 0.65),
    texts=2_000,
    some_texts=200,
    queries=20,
    growth=(1_000, 10_000, 100_000),
    search_rows=1_000_000,
    map_rows=10_000,
    against_umap=False,
    starts=5,
)
_QUICK = {
    "repetitions": 2,
    "documents": (24,),
    "texts": 100,
    "some_texts": 40,
    "queries": 5,
    "growth": (200, 800),
    "search_rows": 50_000,
    "map_rows": 1_000,
    "starts": 1,
}
_GPU = {
    "repetitions": 3,
    "documents": (100, 1_000),
    "document_tokens": (200, 0.0),
    "texts": 20_000,
    "some_texts": 2_000,
}


def setting_for(device: torch.device, quick: bool, asked: dict[str, object]) -> Setting:
    """Decide how much to measure.

    Args:
        device: Where models run.
        quick: Whether a minute must do.
        asked: Fields that were asked for by name.

    Returns:
        The setting.
    """
    kind = {} if device.type == "cpu" else _GPU
    fields = vars(_CPU) | kind | (_QUICK if quick else {}) | asked
    return Setting(**fields | {"device": device})

"""Explore text embeddings and reranking with the Qwen3-Embedding and Qwen3-Reranker family.

``from explorer import load_embedder, load_reranker`` is all a notebook needs. Nothing heavy is imported until
one of these names is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.engine.embedder import Embedder, load_embedder
    from explorer.engine.reranker import Reranker, RerankScores, load_reranker

__all__ = ["Embedder", "RerankScores", "Reranker", "load_embedder", "load_reranker"]

_HOME = {
    "Embedder": "explorer.engine.embedder",
    "load_embedder": "explorer.engine.embedder",
    "Reranker": "explorer.engine.reranker",
    "RerankScores": "explorer.engine.reranker",
    "load_reranker": "explorer.engine.reranker",
}


def __getattr__(name: str) -> object:
    """Import a public name from its room the first time it is used."""
    if name not in _HOME:
        raise AttributeError(f"module 'explorer' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)

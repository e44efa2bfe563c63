"""Explore text embeddings and reranking with the Qwen3-Embedding and Qwen3-Reranker family.

``from explorer import load_embedder, load_reranker`` is all a notebook needs, or ``connect_embedder`` and
``connect_reranker`` for models that a running server serves. Nothing heavy is imported until one of these names is
used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.engine.embedder import Embedder, load_embedder
    from explorer.engine.remote_embedder import RemoteEmbedder, connect_embedder
    from explorer.engine.remote_reranker import RemoteReranker, connect_reranker
    from explorer.engine.reranker import Reranker, load_reranker
    from explorer.engine.scores import RerankScores
    from explorer.laboratory import Laboratory

__all__ = [
    "Embedder",
    "Laboratory",
    "RemoteEmbedder",
    "RemoteReranker",
    "RerankScores",
    "Reranker",
    "connect_embedder",
    "connect_reranker",
    "load_embedder",
    "load_reranker",
]

_HOME = {
    "Embedder": "explorer.engine.embedder",
    "load_embedder": "explorer.engine.embedder",
    "RemoteEmbedder": "explorer.engine.remote_embedder",
    "connect_embedder": "explorer.engine.remote_embedder",
    "RemoteReranker": "explorer.engine.remote_reranker",
    "connect_reranker": "explorer.engine.remote_reranker",
    "Reranker": "explorer.engine.reranker",
    "RerankScores": "explorer.engine.scores",
    "load_reranker": "explorer.engine.reranker",
    "Laboratory": "explorer.laboratory",
}


def __getattr__(name: str) -> object:
    """Import a public name from its room the first time it is used."""
    if name not in _HOME:
        raise AttributeError(f"module 'explorer' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)

"""The README of a bundle."""

from __future__ import annotations

from importlib.metadata import version

from explorer.service.compare import Comparison
from explorer.service.evidence.pictures.ranks import excerpt
from explorer.service.rerank import Reranking
from explorer.texts import Language, say

_QUERY_COLUMNS = 90


def reranking_readme(shown: Reranking, language: Language) -> bytes:
    """Say what a reranking's bundle holds and how to compute it again.

    Args:
        shown: The result on screen.
        language: What the reader reads.

    Returns:
        Plain text, UTF-8.
    """
    about = say(
        "evidence.readme_rerank",
        language,
        query=excerpt(shown.query, _QUERY_COLUMNS),
        documents=len(shown.documents),
        reranker=shown.scores.provenance.line,
        embedding=shown.embedding.line,
    )
    return _whole(about, language)


def comparison_readme(shown: Comparison, language: Language) -> bytes:
    """Say what a comparison's bundle holds and how to compute it again.

    Args:
        shown: The result on screen.
        language: What the reader reads.

    Returns:
        Plain text, UTF-8.
    """
    about = say(
        "evidence.readme_similarity",
        language,
        queries=len(shown.queries),
        documents=len(shown.documents),
        embedding=shown.provenance.line,
    )
    return _whole(about, language)


def _whole(about: str, language: Language) -> bytes:
    versions = {name: version(name).partition("+")[0] for name in ("torch", "transformers")}
    return (about + say("evidence.readme_again", language, **versions)).encode()

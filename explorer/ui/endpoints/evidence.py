"""The endpoints ``/rerank_evidence`` and ``/similarity_evidence``."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from explorer.engine.prompts import RerankTemplate
from explorer.service.compare import compare
from explorer.service.evidence.bundle import Evidence, evidence_after
from explorer.service.rerank import rerank
from explorer.service.workspace import Workspace
from explorer.texts import Language
from explorer.ui.endpoints.answer import Answer, answered
from explorer.ui.jobs import said


def endpoints(workspace: Workspace) -> tuple[Callable[..., Answer], ...]:
    """Give the endpoints of this file.

    Args:
        workspace: Where the models are.

    Returns:
        Functions whose names are the endpoints'.
    """
    return (_rerank_evidence(workspace), _similarity_evidence(workspace))


def _rerank_evidence(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def rerank_evidence(
        query: str,
        documents: list[str],
        instruction: str = "",
        template: RerankTemplate = "model_card",
        language: Language = "en",
    ) -> Answer:
        """Rank documents, and give inputs, prompts, scores, vectors, figures and a script as one zip in base64."""
        job = rerank(workspace, query, documents, instruction, template)
        yield from answered(evidence_after(workspace, job, language), _bundle)

    return rerank_evidence


def _similarity_evidence(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def similarity_evidence(
        queries: list[str], documents: list[str], instruction: str = "", language: Language = "en"
    ) -> Answer:
        """Compare texts, and give inputs, prompts, cosines, vectors, figures and a script as one zip in base64."""
        job = compare(workspace, queries, documents, instruction)
        yield from answered(evidence_after(workspace, job, language), _bundle)

    return similarity_evidence


def _bundle(result: Evidence) -> dict[str, Any]:
    return {
        "name": result.name,
        "zip": base64.b64encode(result.content).decode(),
        "sha256": hashlib.sha256(result.content).hexdigest(),
    }

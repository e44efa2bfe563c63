"""The endpoint ``/instructions``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from explorer.service.compare_instructions import (
    InstructionComparison,
    InstructionSide,
    compare_instructions,
)
from explorer.service.rerank import RerankTemplate
from explorer.service.workspace import Workspace
from explorer.ui.endpoints.answer import Answer, answered, sentences_of
from explorer.ui.jobs import said


def endpoints(workspace: Workspace) -> tuple[Callable[..., Answer], ...]:
    """Give the endpoints of this file.

    Args:
        workspace: Where the models are.

    Returns:
        Functions whose names are the endpoints'.
    """

    @said
    def instructions(
        queries: list[str],
        documents: list[str],
        instructions: list[str],
        template: RerankTemplate = "model_card",
    ) -> Answer:
        """Score the same queries and documents under two to six instructions; "" is none, the first is the measure."""
        yield from answered(
            compare_instructions(workspace, queries, documents, instructions, template), _comparison
        )

    return (instructions,)


def _comparison(result: InstructionComparison) -> dict[str, Any]:
    return {
        "instructions": list(result.instructions),
        "reranker": _side(result.reranker),
        "embedding": _side(result.embedding),
        "notices": sentences_of(result.notices),
    }


def _side(side: InstructionSide) -> dict[str, Any]:
    return {
        "scores": side.scores.tolist(),
        "ranks": side.ranks.tolist(),
        "kendall_tau": side.agreement.tolist(),
        "changes": [asdict(change) for change in side.changes],
        "sent": list(side.sent),
        "model": side.provenance.line,
    }

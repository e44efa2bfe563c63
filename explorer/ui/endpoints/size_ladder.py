"""The endpoint ``/size_ladder``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.provenance import Family
from explorer.service import size_ladder
from explorer.service.ladder_rung import Rung
from explorer.service.rerank import RerankTemplate
from explorer.service.size_ladder import SizeLadder
from explorer.service.workspace import Workspace
from explorer.settings import DtypeChoice
from explorer.ui.endpoints.answer import Answer, answered, sentences_of
from explorer.ui.jobs import said


def endpoints(workspace: Workspace) -> tuple[Callable[..., Answer], ...]:
    """Give the endpoint of this file.

    Args:
        workspace: Where the models are.

    Returns:
        One function whose name is the endpoint's.
    """

    @said
    def climb_sizes(
        family: Family,
        query: str,
        documents: list[str],
        models: list[str] | None = None,
        instruction: str = "",
        template: RerankTemplate = "model_card",
        device: str = "auto",
        dtype: DtypeChoice = "auto",
    ) -> Answer:
        """Ask several models the same, one after the other: scores, ranks, milliseconds, memory; all when empty."""
        job = size_ladder.size_ladder(
            workspace, family, query, documents, models or None, instruction, template, device, dtype
        )
        yield from answered(job, _ladder)

    climb_sizes.__name__ = "size_ladder"
    return (climb_sizes,)


def _ladder(result: SizeLadder) -> dict[str, Any]:
    return {
        "models": [_rung(rung) for rung in result.rungs],
        "agreement": result.agreement.tolist(),
        "left_out": sentences_of(result.left_out),
        "instruction": result.question.instruction,
        "notices": sentences_of(result.notices),
    }


def _rung(rung: Rung) -> dict[str, Any]:
    return {
        "source": rung.source,
        "model": rung.provenance.line,
        "scores": rung.scores.tolist(),
        "ranks": rung.ranks.tolist(),
        "milliseconds": rung.milliseconds,
        "runs": rung.runs,
        "weight_bytes": rung.weight_bytes,
        "working_bytes": rung.working_bytes,
    }

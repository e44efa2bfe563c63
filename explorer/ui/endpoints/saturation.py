"""The endpoint ``/saturation``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.analysis.ties import Ties
from explorer.service.rerank import RerankTemplate
from explorer.service.saturation import Saturation
from explorer.service.saturation import saturation as measured
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
    def saturation(
        query: str,
        documents: list[str],
        instruction: str = "",
        template: RerankTemplate = "model_card",
    ) -> Answer:
        """Give log-odds, P(yes), and P(yes) with its last step in bfloat16, with what each form fails to tell apart."""
        yield from answered(measured(workspace, query, documents, instruction, template), _saturation)

    return (saturation,)


def _saturation(result: Saturation) -> dict[str, Any]:
    return {
        "answer_logits": result.scores.answer_logits.tolist(),
        "log_odds": result.scores.log_odds.tolist(),
        "probability": result.scores.probability.tolist(),
        "bfloat16_softmax": result.softmax.tolist(),
        "bfloat16_model_card": result.model_card.tolist(),
        "probability_ties": _ties(result.float32_ties),
        "bfloat16_softmax_ties": _ties(result.softmax_ties),
        "bfloat16_model_card_ties": _ties(result.model_card_ties),
        "both_logits": result.both_logits,
        "reranker": result.scores.provenance.line,
        "notices": sentences_of(result.notices),
    }


def _ties(lost: Ties) -> dict[str, Any]:
    return {
        "sizes": lost.sizes.tolist(),
        "distinct": lost.distinct,
        "first": lost.first,
        "tied_pairs": lost.tied_pairs,
        "reversed_pairs": lost.reversed_pairs,
    }

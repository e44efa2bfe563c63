"""The endpoints ``/counterfactuals`` and ``/try_changes``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.engine.prompts import RerankTemplate
from explorer.errors import InputError
from explorer.service.changes.change import KINDS, PLACES, Kind, PairVersion, Place
from explorer.service.counterfactuals import TriedChanges, VersionScores, score_versions, try_changes
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
    return (_counterfactuals(workspace), _try_changes(workspace))


def _counterfactuals(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def counterfactuals(versions: list[dict[str, str]], template: RerankTemplate = "model_card") -> Answer:
        """Score versions of one pair, each with query, document and instruction; changes are against the first."""
        yield from answered(score_versions(workspace, _versions(versions), template), _scores)

    return counterfactuals


def _versions(raw: object) -> list[PairVersion]:
    """Read versions, whatever a client sent."""
    if not isinstance(raw, list) or not all(isinstance(entry, dict) for entry in raw):
        raise InputError("counterfactuals.version_form")
    for entry in raw:
        known = {"query", "document"} <= entry.keys() <= {"query", "document", "instruction"}
        if not known or not all(isinstance(text, str) for text in entry.values()):
            raise InputError("counterfactuals.version_form")
    return [PairVersion(entry["query"], entry["document"], entry.get("instruction", "")) for entry in raw]


def _scores(result: VersionScores) -> dict[str, Any]:
    return {
        "log_odds": result.log_odds.tolist(),
        "log_odds_change": result.log_odds_changes.tolist(),
        "probability": result.probability.tolist(),
        "cosine": result.cosines.tolist(),
        "cosine_change": result.cosine_changes.tolist(),
        "forwards": {
            "reranker": result.recomputed.pairs,
            "embedding_of_queries": result.recomputed.queries,
            "embedding_of_documents": result.recomputed.documents,
        },
        "reranker": result.reranker.line,
        "embedding": result.embedding.line,
        "notices": sentences_of(result.notices),
    }


def _try_changes(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def try_every_change(
        query: str,
        document: str,
        instruction: str = "",
        template: RerankTemplate = "model_card",
        kinds: list[Kind] = list(KINDS),  # noqa: B006 - read only, and shown as the endpoint's default
        places: list[Place] = list(PLACES),  # noqa: B006
    ) -> Answer:
        """Make every small change of a pair by rule, and score each; scores begin with the pair as it is."""
        version = PairVersion(query, document, instruction)
        yield from answered(try_changes(workspace, version, template, kinds, places), _tried)

    try_every_change.__name__ = "try_changes"
    return try_every_change


def _tried(result: TriedChanges) -> dict[str, Any]:
    changes = [
        {
            "kind": change.kind,
            "place": change.place,
            "before": change.before,
            "after": change.after,
            "text": change.version.text(change.place),
        }
        for change in result.changes
    ]
    return {"changes": changes, "left_out": result.left_out, **_scores(result.scores)}

"""The endpoint ``/self_check``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.provenance import Family
from explorer.service import self_check
from explorer.service.self_check import Check, ModelCheck, SelfCheck
from explorer.service.workspace import Workspace
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
    def check_models(families: list[Family] | None = None) -> Answer:
        """Check the loaded models: batch against single, padding, last token, template, and more; both when empty."""
        chosen = families or list(self_check.FAMILIES)
        yield from answered(self_check.self_check(workspace, chosen), _found)

    check_models.__name__ = "self_check"
    return (check_models,)


def _found(result: SelfCheck) -> dict[str, Any]:
    return {
        "models": [_model(model) for model in result.models],
        "notices": sentences_of(result.notices),
    }


def _model(model: ModelCheck) -> dict[str, Any]:
    return {
        "model": model.provenance.line,
        "family": model.provenance.family,
        "verdict": model.verdict,
        "sentence": model.sentence.text("en"),
        "advice": sentences_of(model.advice),
        "checks": [_check(check) for check in model.checks],
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "failed": check.failed,
        "value": check.value,
        "bound": check.bound,
        "reason": None if check.reason is None else check.reason.text("en"),
    }

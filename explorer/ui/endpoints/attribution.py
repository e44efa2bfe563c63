"""The endpoints ``/prompt``, ``/attribution`` and ``/token_pairs``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.service import rerank
from explorer.service.attribution import MethodResult, PairAttribution, attribute
from explorer.service.prompts import PromptInputs, exact_inputs
from explorer.service.token_pairs import TokenPairs, token_pairs
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
    return (_prompt(workspace), _attribution(workspace), _token_pairs(workspace))


def _prompt(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def prompt(query: str, document: str, instruction: str = "") -> Answer:
        """Give the exact inputs of one pair for both models and both templates, and the templates' scores."""
        yield from answered(exact_inputs(workspace, query, document, instruction), _inputs)

    return prompt


def _inputs(result: PromptInputs) -> dict[str, Any]:
    inputs = {}
    for one in result.inputs:
        read = [token for token in one.tokens if not token.cut]
        inputs[one.view] = {
            "text": "".join(token.text for token in read),
            "ids": [token.id for token in read],
            "cut_ids": [token.id for token in one.tokens if token.cut],
            "log_odds": one.log_odds,
            "model": one.provenance.line,
        }
    return {"inputs": inputs, "template_effect": result.template_effect, "instruction": result.instruction}


def _attribution(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def attribution(
        query: str, document: str, instruction: str = "", template: rerank.RerankTemplate = "model_card"
    ) -> Answer:
        """Say which words of one pair moved the reranker's log-odds, by several methods, and how far to believe it."""
        yield from answered(attribute(workspace, query, document, instruction, template), _weighed)

    return attribution


def _weighed(result: PairAttribution) -> dict[str, Any]:
    effects = result.sentence_effects
    return {
        "log_odds": result.log_odds,
        "words": [{"text": word.text, "field": word.field} for word in result.words],
        "methods": {method: _method(told) for method, told in result.methods.items()},
        "sentences": [
            {
                "start": start,
                "stop": stop,
                "effect": float(effects[at]) if effects[at] == effects[at] else None,
            }
            for at, (start, stop) in enumerate(result.sentences)
        ],
        "fields": {effect.name: effect.difference for effect in result.fields},
        "instruction": result.instruction,
        "reranker": result.provenance.line,
        "notices": sentences_of(result.notices),
    }


def _method(result: MethodResult) -> dict[str, Any]:
    test = result.deletion
    return {
        "values": result.by_word.tolist(),
        "completeness_error": result.completeness_error,
        "deletion": test
        and {
            "counts": list(test.counts),
            "named": test.named.tolist(),
            "random": test.random.mean(axis=0).tolist(),
            "area": test.area,
            "beaten": test.beaten,
            "verdict": test.verdict,
        },
    }


def _token_pairs(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def pairs(query: str, document: str, instruction: str = "") -> Answer:
        """Divide a cosine among pairs of words, approximately; without an instruction the query is a bare text."""
        yield from answered(token_pairs(workspace, query, document, instruction), _pairs)

    pairs.__name__ = "token_pairs"
    return pairs


def _pairs(result: TokenPairs) -> dict[str, Any]:
    return {
        "query_words": [word.text for word in result.query_words],
        "document_words": [word.text for word in result.document_words],
        "pairs": result.pairs.tolist(),
        "states": result.states.tolist(),
        "cosine": result.cosine,
        "expected": result.expected,
        "completeness_error": result.completeness_error,
        "embedding": result.provenance.line,
        "notices": sentences_of(result.notices),
    }

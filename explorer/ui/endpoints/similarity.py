"""The endpoints ``/similarity_change`` and ``/random_pairs``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.service import random_pairs as unrelated
from explorer.service.compare_variants import Difference, Variant, VariantCosines, compare_variants
from explorer.service.random_pairs import Baseline
from explorer.service.workspace import Workspace
from explorer.ui.endpoints.answer import Answer, answered, sentences_of
from explorer.ui.jobs import said

SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Shares of the random pairs whose cosines are told."""


def endpoints(workspace: Workspace) -> tuple[Callable[..., Answer], ...]:
    """Give the endpoints of this file.

    Args:
        workspace: Where the models are.

    Returns:
        Functions whose names are the endpoints'.
    """
    return (_similarity_change(workspace), _random_pairs(workspace))


def _similarity_change(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def similarity_change(
        queries: list[str],
        documents: list[str],
        first_model: str = "",
        first_instruction: str = "",
        first_dimensions: int = 0,
        first_dtype: str = "auto",
        second_model: str = "",
        second_instruction: str = "",
        second_dimensions: int = 0,
        second_dtype: str = "auto",
    ) -> Answer:
        """Give cosines in two variants of model, instruction, dimensions (0 means all) and number format."""
        first = Variant(first_model, first_instruction, first_dimensions or None, first_dtype)
        second = Variant(second_model, second_instruction, second_dimensions or None, second_dtype)
        yield from answered(compare_variants(workspace, queries, documents, first, second), _difference)

    return similarity_change


def _difference(result: Difference) -> dict[str, Any]:
    return {
        "query_document": result.change("query_document").tolist(),
        "document_document": result.change("document_document").tolist(),
        "first": _variant(result.first),
        "second": _variant(result.second),
        "notices": sentences_of(result.notices),
    }


def _variant(result: VariantCosines) -> dict[str, Any]:
    return {
        "query_document": result.query_document.tolist(),
        "document_document": result.document_document.tolist(),
        "random_pairs": _baseline(result.baseline),
    }


def _random_pairs(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def random_pairs(instruction: str = "", dimensions: int = 0) -> Answer:
        """Tell which cosines the loaded model gives to unrelated texts; 0 dimensions means all."""
        yield from answered(unrelated.random_pairs(workspace, instruction, dimensions or None), _baseline)

    return random_pairs


def _baseline(result: Baseline) -> dict[str, Any]:
    return {
        "shares": list(SHARES),
        "query_document": [result.query_document.quantile(share) for share in SHARES],
        "document_document": [result.document_document.quantile(share) for share in SHARES],
        "pairs": [len(result.query_document.cosines), len(result.document_document.cosines)],
        "instruction": result.instruction,
        "dimensions": result.dimensions,
        "embedding": result.provenance.line,
    }

"""The exact inputs of both models, for a reader who wants to see every token."""

from __future__ import annotations

from typing import Literal, get_args

from explorer.engine.prompts import DEFAULT_INSTRUCTION, presets
from explorer.engine.tokens import TokenView
from explorer.errors import InputError
from explorer.provenance import Family, Provenance
from explorer.service.rerank import Reranking
from explorer.service.workspace import Workspace, waited_for

PromptView = Literal["reranker", "query", "document"]
PROMPT_VIEWS: tuple[PromptView, ...] = get_args(PromptView)


def default_instruction() -> str:
    """Give the instruction of the model cards."""
    return DEFAULT_INSTRUCTION


def instruction_presets(family: Family) -> tuple[str, ...]:
    """List the official instructions of a family, the default first, each once.

    Args:
        family: ``"embedding"`` or ``"reranker"``.
    """
    return tuple(dict.fromkeys(preset.instruction for preset in presets(family)))


def exact_tokens(
    workspace: Workspace, shown: Reranking, index: int, view: PromptView
) -> tuple[TokenView, ...]:
    """Show the input that gave a number on screen, token by token.

    Args:
        workspace: Where the models are.
        shown: The result on screen.
        index: Which of its documents.
        view: The reranker's pair, or the embedding model's query or document.

    Returns:
        Every token, those cut off at the end included and marked.

    Raises:
        InputError: Another model has been loaded since the number was computed.
    """
    index = min(max(index, 0), len(shown.documents) - 1)
    if view == "reranker":
        reranker = waited_for(workspace.reranker())
        _same_model(shown.scores.provenance, reranker.provenance)
        template = shown.scores.template
        return reranker.tokens(shown.query, shown.documents[index], shown.instruction, template=template)
    embedder = waited_for(workspace.embedder())
    _same_model(shown.embedding, embedder.provenance)
    if view == "query":
        return embedder.tokens(shown.query, shown.instruction)
    return embedder.tokens(shown.documents[index])


def _same_model(computed: Provenance, loaded: Provenance) -> None:
    if computed.fingerprint != loaded.fingerprint:
        raise InputError("service.other_prompt", made=computed.line, loaded=loaded.line)

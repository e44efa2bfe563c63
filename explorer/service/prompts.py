"""The exact inputs of both models, for a reader who wants to see every token."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from explorer.engine.prompts import DEFAULT_INSTRUCTION, presets
from explorer.engine.scores import logistic
from explorer.engine.tokens import TokenView
from explorer.progress import Progress
from explorer.provenance import Family, Provenance
from explorer.service.limits import checked_instruction, checked_query, checked_texts
from explorer.service.rerank import TEMPLATES
from explorer.service.workspace import Workspace

PromptView = Literal["model_card", "evaluation", "query", "document"]
PROMPT_VIEWS: tuple[PromptView, ...] = get_args(PromptView)
"""The inputs of one pair: the reranker's by both official templates, and the embedding model's two."""


@dataclass(frozen=True)
class ExactInput:
    """One input exactly as a model reads it.

    Attributes:
        view: Which input.
        tokens: Every token, those cut off at the end included and marked.
        log_odds: Of the pair by this template; None for the embedding model's inputs.
        provenance: The model that reads it.
    """

    view: PromptView
    tokens: tuple[TokenView, ...]
    log_odds: float | None
    provenance: Provenance

    @property
    def probability(self) -> float | None:
        """P(yes) of the pair by this template."""
        return None if self.log_odds is None else float(logistic(np.array([self.log_odds]))[0])

    @property
    def read_tokens(self) -> int:
        """How many tokens the model reads."""
        return sum(not token.cut for token in self.tokens)


@dataclass(frozen=True)
class PromptInputs:
    """All inputs of one pair.

    Attributes:
        query: As used.
        document: As used.
        instruction: As used.
        inputs: One for each of :data:`PROMPT_VIEWS`, in that order.
    """

    query: str
    document: str
    instruction: str
    inputs: tuple[ExactInput, ...]

    @property
    def template_effect(self) -> float:
        """Log-odds by the evaluation template less those by the model card's."""
        card, evaluation = (one.log_odds or 0.0 for one in self.inputs[:2])
        return evaluation - card


def default_instruction() -> str:
    """Give the instruction of the model cards."""
    return DEFAULT_INSTRUCTION


def instruction_presets(family: Family) -> tuple[str, ...]:
    """List the official instructions of a family, the default first, each once.

    Args:
        family: ``"embedding"`` or ``"reranker"``.
    """
    return tuple(dict.fromkeys(preset.instruction for preset in presets(family)))


def exact_inputs(
    workspace: Workspace, query: str, document: str, instruction: str | None = None
) -> Generator[Progress[PromptInputs], None, None]:
    """Show what both models read of one pair, and what the choice of template does to the score.

    Args:
        workspace: Where the models are.
        query: What is looked for.
        document: What is judged.
        instruction: What counts as relevant; the model card's default when None or empty.

    Yields:
        Steps, the last with the inputs.

    Raises:
        InputError: The query or document is empty, or something is too long.
    """
    asked = checked_query(query)
    (read,), _ = checked_texts([document], 1, "service.documents_empty")
    task = checked_instruction(instruction) or DEFAULT_INSTRUCTION
    reranker = yield from workspace.reranker()
    embedder = yield from workspace.embedder()
    found = []
    for done, template in enumerate(TEMPLATES):
        yield Progress(done, len(TEMPLATES), "service.stage_reranking")
        tokens = reranker.tokens(asked, read, task, template=template)
        log_odds = float(reranker.score(asked, [read], task, template=template).log_odds[0])
        found.append(ExactInput(template, tokens, log_odds, reranker.provenance))
    found.append(ExactInput("query", embedder.tokens(asked, task), None, embedder.provenance))
    found.append(ExactInput("document", embedder.tokens(read), None, embedder.provenance))
    yield Progress(1, 1, "service.stage_done", PromptInputs(asked, read, task, tuple(found)))

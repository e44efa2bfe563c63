"""Compare instructions: the same queries and documents, scored under each by both models."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Never

import numpy as np
import numpy.typing as npt

from explorer.analysis.agreement import Change, agreement, change, ranks_of_each
from explorer.analysis.similarity import cosine_matrix
from explorer.engine.prompts import (
    DEFAULT_INSTRUCTION,
    Preset,
    RerankForm,
    RerankTemplate,
    embedding_query,
    form_of,
    presets,
)
from explorer.errors import InputError, LimitError
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service.embedding import Embedded, cut_notices, embed
from explorer.service.examples import rerank_examples
from explorer.service.limits import LIMITS, checked_instruction, checked_texts
from explorer.service.workspace import Workspace

SUGGESTED = 4
"""How many other instructions are suggested beside the one in use."""


@dataclass(frozen=True)
class InstructionSide:
    """What one model made of the instructions.

    Attributes:
        scores: Log-odds of the reranker or cosines of the embedding model, float32 [instructions, queries, documents].
        ranks: Rank of each document among those of its query, 1 is best, int32 [instructions, queries, documents].
        agreement: Kendall's tau between the orders, the mean over the queries, float64 [instructions, instructions].
        changes: What each instruction changed against the first; the first's own entry has changed nothing.
        sent: What the model reads of each instruction with the first query: the reranker up to where the document
            begins, the embedding model as a whole but for its end token.
        provenance: The model.
    """

    scores: npt.NDArray[np.float32]
    ranks: npt.NDArray[np.int32]
    agreement: npt.NDArray[np.float64]
    changes: tuple[Change, ...]
    sent: tuple[str, ...]
    provenance: Provenance


@dataclass(frozen=True)
class InstructionComparison:
    """The same queries and documents under several instructions.

    Attributes:
        instructions: As used, each once; the empty text stands for none.
        queries: As used.
        documents: As used.
        template: Which official prompt the reranker read.
        reranker: Its log-odds.
        embedding: The cosines. Only the query carries the instruction.
        notices: What was left out or cut.
    """

    instructions: tuple[str, ...]
    queries: tuple[str, ...]
    documents: tuple[str, ...]
    template: RerankTemplate
    reranker: InstructionSide
    embedding: InstructionSide
    notices: tuple[Notice, ...]


def compare_instructions(
    workspace: Workspace,
    queries: Sequence[str],
    documents: Sequence[str],
    instructions: Sequence[str],
    template: RerankTemplate = "model_card",
) -> Generator[Progress[InstructionComparison], None, None]:
    """Score the same queries and documents under each instruction.

    No instruction, the empty text, leaves the field of the reranker's prompt empty: there is no official prompt
    without that field. The embedding model then reads the bare query, as it does a document. Everything that the
    embedding model reads goes through it together; the reranker computes what the documents of one query and
    instruction have in common once.

    Args:
        workspace: Where the models are.
        queries: What is looked for.
        documents: What is scored.
        instructions: From two to six; the first is the one that the others are measured against.
        template: Which of the two official prompt templates the reranker reads.

    Yields:
        Steps, the last with the comparison.

    Raises:
        InputError: A side is empty, there are fewer than two different instructions, or no such template.
        LimitError: Something is too long or too many.
    """
    form = form_of(template)
    asked, empty_queries = checked_texts(queries, LIMITS.compared_texts, "service.queries_empty")
    read, empty_documents = checked_texts(documents, LIMITS.rerank_documents, "service.documents_empty")
    tasks, repeated = _checked_instructions(instructions)
    pairs = len(tasks) * len(asked) * len(read)
    if pairs > LIMITS.instruction_pairs:
        raise LimitError("instructions.too_many_pairs", count=pairs, limit=LIMITS.instruction_pairs)
    embedding, cut_texts = yield from _embedding_side(workspace, tasks, asked, read)
    reranker, cut_pairs = yield from _reranker_side(workspace, tasks, asked, read, form)
    notices = (*empty_queries, *empty_documents, *repeated, *cut_texts, *cut_pairs)
    result = InstructionComparison(tasks, asked, read, template, reranker, embedding, notices)
    yield Progress(pairs, pairs, "service.stage_done", result)


def instruction_choices() -> tuple[Preset, ...]:
    """List the official instructions of both families, the three defaults first, each text once."""
    by_text: dict[str, Preset] = {}
    for preset in (*presets("reranker")[:3], *presets("embedding"), *presets("reranker")):
        by_text.setdefault(preset.instruction, preset)
    return tuple(by_text.values())


def suggested_instructions(query: str, instruction: str) -> tuple[str, ...]:
    """Suggest what to compare an instruction with.

    Args:
        query: The query it is used with.
        instruction: The instruction in use.

    Returns:
        The other instructions of the worked example with this query, if it is one, then the three official defaults.
    """
    examples = [example.instruction for example in rerank_examples() if example.query == query.strip()]
    official = [preset.instruction for preset in presets("reranker")[:3]]
    used = instruction.strip() or DEFAULT_INSTRUCTION
    return tuple(text for text in dict.fromkeys((*examples, *official)) if text != used)[:SUGGESTED]


def _checked_instructions(instructions: Sequence[str]) -> tuple[tuple[str, ...], tuple[Notice, ...]]:
    """Clean the instructions and drop those that were given before."""
    if not isinstance(instructions, list | tuple):
        raise InputError("service.not_a_list")
    cleaned = [checked_instruction(instruction) or "" for instruction in instructions]
    tasks = tuple(dict.fromkeys(cleaned))
    if len(tasks) > LIMITS.instructions:
        raise LimitError("instructions.too_many", count=len(tasks), limit=LIMITS.instructions)
    if len(tasks) < 2:
        raise InputError("instructions.too_few")
    repeated = len(cleaned) - len(tasks)
    return tasks, (Notice("instructions.repeated", {"count": repeated}),) if repeated else ()


def _embedding_side(
    workspace: Workspace, tasks: tuple[str, ...], queries: tuple[str, ...], documents: tuple[str, ...]
) -> Generator[Progress[Never], None, tuple[InstructionSide, tuple[Notice, ...]]]:
    """Embed every query under every instruction, and the documents, in one go."""
    embedder = yield from workspace.embedder()
    # Written out here, so that texts with different instructions share a batch.
    prompted = [embedding_query(task, query) if task else query for task in tasks for query in queries]
    both: Embedded | None = None
    for step in embed(embedder, [*prompted, *documents], None):
        both = step.partial
        yield Progress(step.done, step.total, step.stage)
    assert both is not None  # noqa: S101 - there is at least one text
    count = len(prompted)
    cosines = cosine_matrix(both.vectors[:count], both.vectors[count:])
    scores = cosines.reshape(len(tasks), len(queries), len(documents))
    cut_queries = both.cut_tokens[:count].reshape(len(tasks), len(queries)).max(axis=0)
    notices = (
        *cut_notices(cut_queries, "query", embedder.provenance),
        *cut_notices(both.cut_tokens[count:], "document", embedder.provenance),
    )
    return _side(scores, prompted[:: len(queries)], embedder.provenance), notices


def _reranker_side(
    workspace: Workspace,
    tasks: tuple[str, ...],
    queries: tuple[str, ...],
    documents: tuple[str, ...],
    form: RerankForm,
) -> Generator[Progress[Never], None, tuple[InstructionSide, tuple[Notice, ...]]]:
    """Rerank the documents for every query under every instruction."""
    reranker = yield from workspace.reranker()
    scores = np.zeros((len(tasks), len(queries), len(documents)), np.float32)
    cut = np.zeros(len(documents), np.int64)
    done = 0
    for task, of_task in zip(tasks, scores, strict=True):
        for query, of_query in zip(queries, of_task, strict=True):
            for batch in reranker.stream(query, documents, task, template=form.name):
                of_query[batch.indices] = batch.log_odds
                cut[batch.indices] = np.maximum(cut[batch.indices], batch.cut_tokens)
                yield Progress(done + batch.done, scores.size, "service.stage_reranking")
            done += len(documents)
    sent = [form.prefix + form.head(task, queries[0]) for task in tasks]
    return _side(scores, sent, reranker.provenance), cut_notices(cut, "document", reranker.provenance)


def _side(scores: npt.NDArray[np.float32], sent: Sequence[str], provenance: Provenance) -> InstructionSide:
    return InstructionSide(
        scores=scores,
        ranks=ranks_of_each(scores),
        agreement=agreement(scores),
        changes=tuple(change(scores[0], other) for other in scores),
        sent=tuple(sent),
        provenance=provenance,
    )

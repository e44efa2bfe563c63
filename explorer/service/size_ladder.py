"""Size ladder: the same query and documents through several models of a family, one after the other."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Never

import numpy as np
import numpy.typing as npt

from explorer.analysis.ranking import kendall_tau
from explorer.engine.prompts import DEFAULT_INSTRUCTION, RerankTemplate, form_of
from explorer.errors import ExplorerError, InputError, LimitError, ModelLoadError
from explorer.models.catalog import find, published
from explorer.models.memory import readable_bytes
from explorer.models.preparing import prepare
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Family
from explorer.service.guests import Guests
from explorer.service.ladder_rung import Question, Rung, climb
from explorer.service.limits import LIMITS, checked_instruction, checked_query, checked_texts
from explorer.service.self_check import FAMILIES
from explorer.service.workspace import Workspace

MOST_MODELS = 8


@dataclass(frozen=True)
class SizeLadder:
    """Several models' answers side by side.

    Attributes:
        family: What the models are.
        question: What they were asked.
        rungs: Those that answered, in the order asked for.
        left_out: A sentence for each that did not.
        notices: What was left out of the texts or cut.
    """

    family: Family
    question: Question
    rungs: tuple[Rung, ...]
    left_out: tuple[Notice, ...]
    notices: tuple[Notice, ...]

    @property
    def agreement(self) -> npt.NDArray[np.float64]:
        """Kendall's tau between the orders of every two models, float64 [models, models]."""
        count = len(self.rungs)
        tau = np.eye(count)
        for first in range(count):
            for second in range(first):
                pair = kendall_tau(self.rungs[first].scores, self.rungs[second].scores)
                tau[first, second] = tau[second, first] = pair
        return tau


def default_sources(family: Family) -> tuple[str, ...]:
    """List the bundled model and the published ones, smallest first.

    Args:
        family: ``"embedding"`` or ``"reranker"``.
    """
    return ("bundled", *(checkpoint.name for checkpoint in published(family)))


def sources_here(family: Family) -> tuple[str, ...]:
    """List those of :func:`default_sources` whose files are on this computer.

    Args:
        family: ``"embedding"`` or ``"reranker"``.
    """
    found = []
    for source in default_sources(family):
        with suppress(ModelLoadError):
            prepare(source, family, offline=True)
            found.append(source)
    return tuple(found)


def size_ladder(
    workspace: Workspace,
    family: Family,
    query: str,
    documents: Sequence[str],
    sources: Sequence[str] | None = None,
    instruction: str | None = None,
    template: RerankTemplate = "model_card",
    device: str = "auto",
    dtype: str = "auto",
) -> Generator[Progress[SizeLadder], None, None]:
    """Ask several models the same, one after the other, and bring back what was loaded before.

    Nothing is downloaded and nothing is taken from a cache. A model that is missing, does not fit or fails is left
    out with a sentence, and the others go on.

    Args:
        workspace: Where the loaded models are.
        family: ``"embedding"`` or ``"reranker"``.
        query: What is looked for.
        documents: What is ranked.
        sources: The models: ``"bundled"``, catalogue names, local folders; the bundled and the published ones when
            None.
        instruction: What counts as relevant; the model card's default when None or empty.
        template: Which official prompt a reranker reads.
        device: Where all of them run, or ``"auto"``.
        dtype: A number format for all of them, or ``"auto"``.

    Yields:
        Steps, the last with the result.

    Raises:
        InputError: The query or all documents are empty, no model is named, something is too long or too many, or
            there is no such family or template.
        ModelLoadError: There is no such device or number format, or the old model could not be loaded again.
    """
    if family not in FAMILIES:
        raise InputError("size_ladder.family_unknown")
    names = _checked_sources(default_sources(family) if sources is None else sources)
    question, empty = _checked_question(query, documents, instruction, template)
    rungs, left_out, cut = yield from _climbed(workspace, family, names, question, device, dtype)
    result = SizeLadder(family, question, rungs, left_out, (*empty, *cut))
    yield Progress(len(names), len(names), "service.stage_done", result)


def _climbed(
    workspace: Workspace, family: Family, names: Sequence[str], question: Question, device: str, dtype: str
) -> Generator[Progress[Never], None, tuple[tuple[Rung, ...], tuple[Notice, ...], tuple[Notice, ...]]]:
    """Ask one model after the other; give what they answered, who was left out and what was cut."""
    guests, rungs, left_out, notices = Guests(workspace, family), list[Rung](), list[Notice](), list[Notice]()
    try:
        for name in names:
            try:
                loaded = yield from guests.welcome(name, device, dtype)
                rung, cut = yield from climb(name, loaded, question)
                rungs.append(rung)
                notices.extend(cut)
            except ExplorerError as error:
                left_out.append(_left_out(name, family, error))
        yield from guests.restored()
    finally:
        # Not yielded: a generator that is being closed may not give steps.
        for _ in guests.restored():
            pass
    return tuple(rungs), tuple(left_out), tuple(notices)


def _checked_question(
    query: str, documents: Sequence[str], instruction: str | None, template: RerankTemplate
) -> tuple[Question, tuple[Notice, ...]]:
    """Check what all models are asked, and tell which documents were left out."""
    form_of(template)
    read, empty = checked_texts(documents, LIMITS.rerank_documents, "service.documents_empty")
    task = checked_instruction(instruction) or DEFAULT_INSTRUCTION
    return Question(checked_query(query), read, task, template), empty


def _checked_sources(sources: Sequence[str]) -> tuple[str, ...]:
    """Clean the list of models."""
    if not isinstance(sources, list | tuple) or not all(isinstance(source, str) for source in sources):
        raise InputError("size_ladder.not_a_list")
    names = tuple(dict.fromkeys(source.strip() for source in sources if source.strip()))
    if not names:
        raise InputError("size_ladder.no_models")
    if len(names) > MOST_MODELS:
        raise LimitError("size_ladder.too_many_models", count=len(names), limit=MOST_MODELS)
    return names


def _left_out(name: str, family: Family, error: ExplorerError) -> Notice:
    """Say why a model did not answer."""
    checkpoint = find(name, family)
    if error.key == "models.offline_not_cached" and checkpoint is not None:
        size = readable_bytes(2 * checkpoint.parameters)
        return Notice("size_ladder.not_here", {"model": checkpoint.name, "size": size})
    return Notice(error.key, error.values)

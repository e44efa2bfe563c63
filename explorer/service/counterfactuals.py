"""Counterfactuals: score a pair again after each change of its words, and see which change moved it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from explorer.engine.prompts import DEFAULT_INSTRUCTION, RerankTemplate, form_of
from explorer.engine.scores import RerankScores, collect_scores
from explorer.errors import InputError, LimitError
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service.changes.change import KINDS, PLACES, Change, Kind, PairVersion, Place
from explorer.service.changes.proposals import changes_of
from explorer.service.embedding import embed
from explorer.service.limits import LIMITS, checked_instruction, checked_query, checked_texts
from explorer.service.workspace import Workspace

TRIED_EACH = 10
"""Changes of one kind to one text that are tried at once."""


@dataclass(frozen=True)
class Recomputed:
    """How often a model had to run; what is not counted here came from the cache.

    Attributes:
        pairs: Forwards of the reranker.
        queries: Forwards of the embedding model for queries with their instruction.
        documents: Forwards of the embedding model for documents.
    """

    pairs: int
    queries: int
    documents: int


@dataclass(frozen=True)
class VersionScores:
    """Scores of versions of one pair.

    Attributes:
        versions: The versions as they were read, n of them; the first is what the others are compared with.
        template: Which official prompt the reranker read.
        log_odds: logit(yes) - logit(no), float32 [n].
        probability: P(yes) among the two answers, float32 [n].
        cosines: Cosine of query and document, float32 [n].
        recomputed: How often a model had to run.
        reranker: The model behind the log-odds.
        embedding: The model behind the cosines.
        notices: What was cut.
    """

    versions: tuple[PairVersion, ...]
    template: RerankTemplate
    log_odds: npt.NDArray[np.float32]
    probability: npt.NDArray[np.float32]
    cosines: npt.NDArray[np.float32]
    recomputed: Recomputed
    reranker: Provenance
    embedding: Provenance
    notices: tuple[Notice, ...]

    @property
    def log_odds_changes(self) -> npt.NDArray[np.float32]:
        """Log-odds less those of the first version, float32 [n]."""
        changes: npt.NDArray[np.float32] = self.log_odds - self.log_odds[0]
        return changes

    @property
    def cosine_changes(self) -> npt.NDArray[np.float32]:
        """Cosines less that of the first version, float32 [n]."""
        changes: npt.NDArray[np.float32] = self.cosines - self.cosines[0]
        return changes


@dataclass(frozen=True)
class TriedChanges:
    """Every change that the rules could make, and what each did.

    Attributes:
        changes: n changes.
        scores: Of n + 1 versions: the pair as it stands, then one for each change.
        left_out: Changes that were not tried because there were too many of their kind.
    """

    changes: tuple[Change, ...]
    scores: VersionScores
    left_out: int


def score_versions(
    workspace: Workspace, versions: Sequence[PairVersion], template: RerankTemplate = "model_card"
) -> Generator[Progress[VersionScores], None, None]:
    """Score versions of a pair; what the cache holds is not computed again.

    Args:
        workspace: Where the models are.
        versions: The pair as it was, then its other wordings.
        template: Which of the two official prompt templates the reranker reads.

    Yields:
        Steps, the last with the scores.

    Raises:
        InputError: There is no version, a query or document is empty, something is too long or too many, or there is
            no such template.
    """
    form_of(template)
    read = _checked_versions(versions)
    steps = 3 * len(read)
    sides = yield from _sides(workspace, read, steps)
    scores, pairs = yield from _scores(workspace, read, template, steps)
    result = VersionScores(
        versions=read,
        template=template,
        log_odds=scores.log_odds,
        probability=scores.probability,
        cosines=np.einsum("nd,nd->n", sides.queries, sides.documents),
        recomputed=Recomputed(pairs, sides.query_forwards, sides.document_forwards),
        reranker=scores.provenance,
        embedding=sides.provenance,
        notices=(*_cut(sides.cut, sides.provenance), *_cut(bool(scores.cut_tokens.any()), scores.provenance)),
    )
    yield Progress(steps, steps, "service.stage_done", result)


def try_changes(
    workspace: Workspace,
    version: PairVersion,
    template: RerankTemplate = "model_card",
    kinds: Sequence[Kind] = KINDS,
    places: Sequence[Place] = PLACES,
) -> Generator[Progress[TriedChanges], None, None]:
    """Make every small change to a pair and score each.

    Args:
        workspace: Where the models are.
        version: The pair as it stands.
        template: Which of the two official prompt templates the reranker reads.
        kinds: Which rules to use.
        places: Which texts to change.

    Yields:
        Steps, the last with every change and its scores.

    Raises:
        InputError: No rule finds anything to change, or as :func:`score_versions`.
    """
    base = _checked_versions([version])[0]
    changes: list[Change] = []
    left_out = 0
    for place in places:
        for kind in kinds:
            found = list(changes_of(base, kind, place))
            changes += found[:TRIED_EACH]
            left_out += len(found[TRIED_EACH:])
    if not changes:
        raise InputError("counterfactuals.nothing_to_change")
    for step in score_versions(workspace, [base, *(change.version for change in changes)], template):
        result = None if step.partial is None else TriedChanges(tuple(changes), step.partial, left_out)
        yield Progress(step.done, step.total, step.stage, result)


def _checked_versions(versions: Sequence[PairVersion]) -> tuple[PairVersion, ...]:
    if not versions:
        raise InputError("counterfactuals.no_version")
    if len(versions) > LIMITS.rerank_documents:
        raise LimitError("service.too_many", count=len(versions), limit=LIMITS.rerank_documents)
    checked = []
    for version in versions:
        (document,), _ = checked_texts([version.document], 1, "counterfactuals.document_empty")
        instruction = checked_instruction(version.instruction) or DEFAULT_INSTRUCTION
        checked.append(PairVersion(checked_query(version.query), document, instruction))
    return tuple(checked)


def _scores(
    workspace: Workspace, versions: tuple[PairVersion, ...], template: RerankTemplate, steps: int
) -> Generator[Progress[VersionScores], None, tuple[RerankScores, int]]:
    """Judge all versions: those that share query and instruction in one call, as they share the prompt's beginning."""
    reranker = yield from workspace.reranker()
    batches = []
    done = 2 * len(versions)
    for (query, instruction), places in _grouped(versions).items():
        documents = [versions[place].document for place in places]
        for batch in reranker.stream(query, documents, instruction, template=template):
            batches.append(replace(batch, indices=np.asarray(places)[batch.indices]))
            done += len(batch.indices)
            yield Progress(done, steps, "service.stage_reranking")
    collected = collect_scores(batches, len(versions), "", template, reranker.provenance)
    return collected, reranker.forwards


@dataclass(frozen=True)
class _Sides:
    """Unit vectors of every version's query and document, float32 [n, d] each."""

    queries: npt.NDArray[np.float32]
    documents: npt.NDArray[np.float32]
    query_forwards: int
    document_forwards: int
    cut: bool
    provenance: Provenance


def _sides(
    workspace: Workspace, versions: tuple[PairVersion, ...], steps: int
) -> Generator[Progress[VersionScores], None, _Sides]:
    """Embed queries with their instruction, and documents without."""
    embedder = yield from workspace.embedder()
    size = (len(versions), embedder.dimensions)
    queries, documents, cut = np.zeros(size, np.float32), np.zeros(size, np.float32), False
    done = 0
    by_instruction: dict[str, list[int]] = {}
    for place, version in enumerate(versions):
        by_instruction.setdefault(version.instruction, []).append(place)
    for instruction, places in by_instruction.items():
        for step in embed(embedder, [versions[place].query for place in places], instruction):
            yield Progress(done + step.done, steps, step.stage)
            if step.partial is not None:
                queries[places], cut = step.partial.vectors, cut or bool(step.partial.cut_tokens.any())
        done += len(places)
    query_forwards = embedder.forwards
    for step in embed(embedder, [version.document for version in versions], None):
        yield Progress(done + step.done, steps, step.stage)
        if step.partial is not None:
            documents, cut = step.partial.vectors, cut or bool(step.partial.cut_tokens.any())
    document_forwards = embedder.forwards - query_forwards
    return _Sides(queries, documents, query_forwards, document_forwards, cut, embedder.provenance)


def _grouped(versions: tuple[PairVersion, ...]) -> dict[tuple[str, str], list[int]]:
    groups: dict[tuple[str, str], list[int]] = {}
    for place, version in enumerate(versions):
        groups.setdefault((version.query, version.instruction), []).append(place)
    return groups


def _cut(cut: bool, reader: Provenance) -> tuple[Notice, ...]:
    return (Notice("counterfactuals.cut", {"model": reader.model}),) if cut else ()

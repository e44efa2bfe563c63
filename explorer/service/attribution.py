"""Attribution: which words of instruction, query and document moved a pair's log-odds, and how far to believe it."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Never, get_args

import numpy as np
import numpy.typing as npt

from explorer.analysis.deletion import DeletionTest, deletion_orders, deletion_steps
from explorer.engine.attribution.deletion import log_odds_without
from explorer.engine.attribution.gradients import (
    MOST_GRADIENTS,
    Attribution,
    FieldEffect,
    gradient_x_input,
    integrated_gradients,
)
from explorer.engine.attribution.words import Word, WordedInput, pair_words, sentences_of
from explorer.engine.prompts import DEFAULT_INSTRUCTION, RerankTemplate, form_of
from explorer.engine.reranker import Reranker
from explorer.errors import LimitError
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service.embedding import cut_notices
from explorer.service.limits import LIMITS, checked_instruction, checked_query, checked_texts
from explorer.service.workspace import Workspace

Method = Literal["integrated_gradients", "gradient_x_input"]
METHODS: tuple[Method, ...] = get_args(Method)

SHARES = (0.05, 0.1, 0.2, 0.35, 0.5)
"""Shares of the words that the deletion test takes out."""

RANDOM_DELETIONS = 12

MOST_SENTENCES = 100
"""Sentences that are left out one at a time; the others get no value."""

WordValues = npt.NDArray[np.float32]
Found = dict[Method, Attribution]
Tests = dict[Method, DeletionTest]


@dataclass(frozen=True)
class MethodResult:
    """What one method says.

    Attributes:
        by_token: Value of each token of the prompt, float32 [tokens]; positive speaks for yes.
        by_word: The same, added up by word, float32 [words].
        completeness_error: Share by which the values miss what they should add up to; None where nothing is promised.
        deletion: Whether the named words matter more than random ones; None while that is being tested.
    """

    by_token: WordValues
    by_word: WordValues
    completeness_error: float | None
    deletion: DeletionTest | None


@dataclass(frozen=True)
class PairAttribution:
    """Why a reranker scored one pair as it did.

    Attributes:
        query: As used.
        document: As used.
        instruction: As used.
        template: Which official prompt.
        words: The words of all three fields, in reading order.
        sentences: (first word, after the last word) of each sentence.
        methods: What each method says.
        without_sentence: Log-odds without each sentence, float32 [sentences]; NaN beyond the first hundred.
        log_odds: Of the whole pair.
        fields: What each field does given the others: log-odds less those with padding in its place.
        gradients: How many gradients the integral took.
        provenance: The reranker.
        notices: What was cut.
    """

    query: str
    document: str
    instruction: str
    template: RerankTemplate
    words: tuple[Word, ...]
    sentences: tuple[tuple[int, int], ...]
    methods: dict[Method, MethodResult]
    without_sentence: WordValues
    log_odds: float
    fields: tuple[FieldEffect, ...]
    gradients: int
    provenance: Provenance
    notices: tuple[Notice, ...]

    @property
    def sentence_effects(self) -> WordValues:
        """By how much each sentence raised the log-odds, float32 [sentences]: the slow truth."""
        return np.float32(self.log_odds) - self.without_sentence


def attribute(
    workspace: Workspace,
    query: str,
    document: str,
    instruction: str | None = None,
    template: RerankTemplate = "model_card",
) -> Generator[Progress[PairAttribution], None, None]:
    """Find the words of one pair that moved the log-odds.

    Args:
        workspace: Where the models are.
        query: What is looked for.
        document: What is judged.
        instruction: What counts as relevant; the model card's default when None or empty.
        template: Which official prompt.

    Yields:
        Steps. As soon as the fast method is done a step carries its result, then one that of both methods, and the
        last the tests as well.

    Raises:
        InputError: The query or document is empty, something is too long, or there is no such template.
    """
    form_of(template)
    asked = checked_query(query)
    (read,), _ = checked_texts([document], 1, "service.documents_empty")
    task = checked_instruction(instruction) or DEFAULT_INSTRUCTION
    reranker = yield from workspace.reranker()
    worded = _worded(reranker, asked, read, task, template)
    sentences = sentences_of(worded.words)
    without = yield from _without_sentences(reranker, worded, sentences)

    def told(found: Found, tests: Tests) -> PairAttribution:
        return _told((asked, read, task, template), worded, sentences, without, found, tests, reranker)

    fast = gradient_x_input(reranker.loaded, worded.sequence.ids, worded.words)
    found: Found = {"gradient_x_input": fast}
    yield Progress(0, MOST_GRADIENTS, "attribution.stage_gradients", told(found, {}))
    found["integrated_gradients"] = yield from _integral(reranker, worded)
    yield Progress(0, 1, "attribution.stage_deletion", told(found, {}))
    tests = yield from _tested(reranker, worded, found)
    yield Progress(1, 1, "service.stage_done", told(found, tests))


def _told(
    pair: tuple[str, str, str, RerankTemplate],
    worded: WordedInput,
    sentences: tuple[tuple[int, int], ...],
    without: WordValues,
    found: Found,
    tests: Tests,
    reranker: Reranker,
) -> PairAttribution:
    """Put together what is known so far."""
    best = found.get("integrated_gradients", found["gradient_x_input"])
    query, document, instruction, template = pair
    return PairAttribution(
        query=query,
        document=document,
        instruction=instruction,
        template=template,
        words=worded.words,
        sentences=sentences,
        methods={
            method: MethodResult(
                by_token=attribution.values,
                by_word=by_word(attribution.values, worded.words),
                completeness_error=attribution.completeness_error,
                deletion=tests.get(method),
            )
            for method, attribution in found.items()
        },
        without_sentence=without,
        log_odds=best.log_odds,
        fields=best.fields,
        gradients=best.gradients,
        provenance=reranker.provenance,
        notices=cut_notices(np.array([len(worded.sequence.cut_ids)]), "document", reranker.provenance),
    )


def by_word(values: WordValues, words: Sequence[Word]) -> WordValues:
    """Add tokens' values up by word.

    Args:
        values: float32 [tokens].
        words: The words, n of them.

    Returns:
        float32 [n].
    """
    return np.array([values[word.start : word.stop].sum() for word in words], dtype=np.float32)


def _worded(
    reranker: Reranker, query: str, document: str, instruction: str, template: RerankTemplate
) -> WordedInput:
    """Find the words of a pair that is not too long."""
    tokenizer, form = reranker.loaded.tokenizer, form_of(template)
    worded = pair_words(tokenizer, query, document, instruction, form, reranker.max_length)
    if len(worded.sequence) > LIMITS.attributed_tokens:
        raise LimitError("attribution.too_long", tokens=len(worded.sequence), limit=LIMITS.attributed_tokens)
    return worded


def _without_sentences(
    reranker: Reranker, worded: WordedInput, sentences: Sequence[tuple[int, int]]
) -> Generator[Progress[Never], None, WordValues]:
    """Judge the pair without each of its sentences."""
    taken = [worded.words[start:stop] for start, stop in sentences[:MOST_SENTENCES]]
    found = np.full(len(sentences), np.nan, dtype=np.float32)
    for done, log_odds in log_odds_without(reranker, worded.sequence.ids, taken):
        found[: len(taken)] = log_odds
        yield Progress(done, len(taken), "attribution.stage_sentences")
    return found


def _integral(reranker: Reranker, worded: WordedInput) -> Generator[Progress[Never], None, Attribution]:
    """Follow the gradients to the end."""
    found: Attribution | None = None
    for found in integrated_gradients(reranker.loaded, worded.sequence.ids, worded.words):
        yield Progress(found.gradients, MOST_GRADIENTS, "attribution.stage_gradients")
    assert found is not None  # noqa: S101 - there is at least one piece
    return found


def _tested(reranker: Reranker, worded: WordedInput, found: Found) -> Generator[Progress[Never], None, Tests]:
    """Test every method by deletion, against the same random deletions."""
    words = worded.words
    counts = deletion_steps(len(words), SHARES)
    orders = [deletion_orders(by_word(found[method].values, words), RANDOM_DELETIONS) for method in METHODS]
    # The random orders are the same for every method, and so judged once.
    taken = [[words[at] for at in order[:count]] for order in _flat(orders) for count in counts]
    log_odds = np.zeros(0, dtype=np.float32)
    for done, so_far in log_odds_without(reranker, worded.sequence.ids, taken):
        log_odds = so_far
        yield Progress(done, len(taken), "attribution.stage_deletion")
    curves = log_odds.reshape(len(METHODS), 1 + RANDOM_DELETIONS, len(counts))
    whole = found["integrated_gradients"].log_odds
    return {
        method: DeletionTest(counts, len(words), whole, curves[row, 0].copy(), curves[row, 1:].copy())
        for row, method in enumerate(METHODS)
    }


def _flat(orders: Sequence[Sequence[list[int]]]) -> Iterator[list[int]]:
    for group in orders:
        yield from group

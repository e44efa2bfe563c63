"""From documents to pairs, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from explorer.engine.embedder import Embedder
from explorer.errors import InputError
from explorer.progress import CancelToken, Progress
from explorer.training.pairs.pair import TrainingPair
from explorer.training.synthesis.documents import Batch, SourceDocument
from explorer.training.synthesis.generator import TextGenerator
from explorer.training.synthesis.offline import OfflineGenerator
from explorer.training.synthesis.plan import SynthesisPlan
from explorer.training.synthesis.prompted import PromptedPairs

STAGE = "pairs.stage_synthesis"


@dataclass(frozen=True)
class Synthesis:
    """Pairs so far.

    Attributes:
        pairs: The pairs, each with its provenance.
        asked: How many were asked for until now.
    """

    pairs: tuple[TrainingPair, ...]
    asked: int

    @property
    def unfilled(self) -> int:
        """How many came to nothing: an answer that could not be used, or a document for which no rule fits."""
        return self.asked - len(self.pairs)


def synthesize(
    documents: Sequence[SourceDocument],
    generator: TextGenerator | OfflineGenerator,
    plan: SynthesisPlan | None = None,
    cancel: CancelToken | None = None,
    embedder: Embedder | None = None,
) -> Iterator[Progress[Synthesis]]:
    """Make pairs of documents.

    Args:
        documents: What pairs are made of; empty ones are passed over.
        generator: A language model, or the rules that need none.
        plan: How many pairs of which kinds; one retrieval pair a document when None.
        cancel: Stops between batches.
        embedder: Retrieves the personas that a language model chooses from; they are drawn by the seed when None.

    Yields:
        Progress in pairs asked for, with all pairs so far.

    Raises:
        InputError: There is no document, the server cannot be reached, or nothing usable was made.
        OutOfMemoryError: One prompt alone does not fit the device.
        Cancelled: The person asked to stop; the pairs of the last step stand.
    """
    plan, cancel = plan or SynthesisPlan(), cancel or CancelToken()
    usable = [document for document in documents if document.text.strip()]
    if not usable:
        raise InputError("pairs.no_documents")
    offline = isinstance(generator, OfflineGenerator)
    maker = generator if isinstance(generator, OfflineGenerator) else PromptedPairs(generator, embedder)
    total = len(usable) * len(plan.kinds) * plan.pairs_per_document
    pairs: list[TrainingPair] = []
    asked = 0
    for batch in _batches(usable, plan.documents_at_once):
        for kind in plan.kinds:
            cancel.raise_if_cancelled()
            pairs += maker.make(batch, kind, plan, cancel)
            asked += len(batch.documents) * plan.pairs_per_document
            yield Progress(asked, total, STAGE, Synthesis(tuple(pairs), asked))
    if not pairs:
        raise InputError("pairs.nothing_made_offline" if offline else "pairs.nothing_made", asked=asked)


def _batches(documents: Sequence[SourceDocument], size: int) -> Iterator[Batch]:
    """Cut the documents into batches that know every label."""
    labels = tuple(dict.fromkeys(document.label for document in documents if document.label))
    for first in range(0, len(documents), size):
        yield Batch(tuple(documents[first : first + size]), first, labels)

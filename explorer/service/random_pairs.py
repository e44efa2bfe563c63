"""Random pairs: what the loaded model gives to texts that have nothing to do with each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Never

from explorer.analysis.random_pairs import RandomPairs, unrelated_pairs
from explorer.engine.embedder import Embedder
from explorer.engine.vectors import checked_dimensions, truncate
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service import demo_map
from explorer.service.compare import embed_sides
from explorer.service.judgements import grades_of, judged_queries
from explorer.service.limits import checked_instruction
from explorer.service.workspace import Workspace

DOCUMENTS_PER_TOPIC = 12
"""Demo documents taken of each of the ten topics; with eight languages among them, as in the whole corpus."""

STAGE = "similarity.stage_random"


@dataclass(frozen=True)
class UnrelatedTexts:
    """Demo texts whose topics are known.

    Attributes:
        queries: Query texts.
        query_topics: Topic of what each of them asks for.
        documents: Document texts.
        document_topics: Topic of each.
    """

    queries: tuple[str, ...]
    query_topics: tuple[str, ...]
    documents: tuple[str, ...]
    document_topics: tuple[str, ...]


@dataclass(frozen=True)
class Baseline:
    """Cosines of random pairs, of both kinds that a heatmap compares.

    Attributes:
        query_document: Demo queries, with the instruction, against documents of other topics.
        document_document: Demo documents against documents of other topics.
        instruction: What the queries carried, or None.
        dimensions: Leading dimensions that were compared.
        provenance: The model behind the cosines.
    """

    query_document: RandomPairs
    document_document: RandomPairs
    instruction: str | None
    dimensions: int
    provenance: Provenance


@cache
def unrelated_texts() -> UnrelatedTexts:
    """Take demo documents, evenly over their topics, and the judged demo queries with the topic of their answers."""
    corpus = demo_map.corpus()
    topics = corpus.columns["topic"]
    taken: list[int] = []
    for topic in dict.fromkeys(topics):
        of_topic = [index for index, name in enumerate(topics) if name == topic]
        taken += of_topic[:: len(of_topic) // DOCUMENTS_PER_TOPIC][:DOCUMENTS_PER_TOPIC]
    queries = judged_queries()
    return UnrelatedTexts(
        queries=queries,
        query_topics=tuple(_topic_of(query, corpus.texts, topics) for query in queries),
        documents=tuple(corpus.texts[index] for index in taken),
        document_topics=tuple(str(topics[index]) for index in taken),
    )


def _topic_of(query: str, documents: Sequence[str], topics: Sequence[object]) -> str:
    """Name the topic that most of a query's relevant documents have."""
    grades = grades_of(query, documents)
    return Counter(str(topic) for grade, topic in zip(grades, topics, strict=True) if grade).most_common(1)[
        0
    ][0]


def random_pairs(
    workspace: Workspace, instruction: str | None = None, dimensions: int | None = None
) -> Generator[Progress[Baseline], None, None]:
    """Compare demo texts of different topics, so that a reader knows what is high for the loaded model.

    Args:
        workspace: Where the models are.
        instruction: What the queries carry; None for the bare query text.
        dimensions: How many leading dimensions to compare; None for all.

    Yields:
        Steps, the last with the cosines.

    Raises:
        InputError: The instruction is too long, or the model has fewer dimensions.
    """
    asked = checked_instruction(instruction)
    embedder = yield from workspace.embedder()
    result = yield from baseline_of(embedder, asked, dimensions)
    total = len(unrelated_texts().queries) + len(unrelated_texts().documents)
    yield Progress(total, total, "service.stage_done", result)


def baseline_of(
    embedder: Embedder, instruction: str | None, dimensions: int | None = None
) -> Generator[Progress[Never], None, Baseline]:
    """Measure random pairs with one model.

    Args:
        embedder: The model.
        instruction: A checked instruction, or None.
        dimensions: How many leading dimensions to compare; None for all.

    Yields:
        Steps without a result.

    Returns:
        The cosines.

    Raises:
        InputError: The model has fewer dimensions.
    """
    kept = checked_dimensions(dimensions, embedder.dimensions)
    texts = unrelated_texts()
    both = yield from embed_sides(embedder, texts.queries, texts.documents, instruction, STAGE)
    queries, documents = (truncate(side.vectors, kept) for side in (both.queries, both.documents))
    return Baseline(
        query_document=unrelated_pairs(queries, documents, texts.query_topics, texts.document_topics),
        document_document=unrelated_pairs(documents, documents, texts.document_topics, texts.document_topics),
        instruction=instruction,
        dimensions=kept,
        provenance=embedder.provenance,
    )

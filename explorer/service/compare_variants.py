"""The same texts compared twice, with another model, instruction, number of dimensions or number format."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Never

import numpy as np
import numpy.typing as npt

from explorer.analysis.similarity import Seriation, clustered_order, cosine_matrix
from explorer.engine.embedder import Embedder
from explorer.engine.vectors import checked_dimensions, truncate
from explorer.models.catalog import find
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.provenance import Provenance
from explorer.service.compare import Pairs, embed_sides
from explorer.service.guests import Guests
from explorer.service.limits import LIMITS, checked_instruction, checked_texts
from explorer.service.random_pairs import Baseline, baseline_of
from explorer.service.workspace import Workspace


@dataclass(frozen=True)
class Variant:
    """One way to turn the texts into vectors.

    Attributes:
        model: ``"bundled"``, a catalogue name, a local folder or a hub repository; empty for the loaded model.
        instruction: What the queries carry, or None for the bare query text.
        dimensions: Leading dimensions to keep; None for all.
        dtype: ``"float32"``, ``"bfloat16"`` or ``"auto"``; for the loaded model ``"auto"`` is the one it has.
    """

    model: str = ""
    instruction: str | None = None
    dimensions: int | None = None
    dtype: str = "auto"


@dataclass(frozen=True)
class VariantCosines:
    """Cosines of the texts in one variant.

    Attributes:
        query_document: float32 [queries, documents].
        document_document: float32 [documents, documents].
        baseline: Random pairs in the same variant; it tells instruction, dimensions and model too.
        full_dimensions: How many dimensions the model has.
        notices: What the model could not read to the end.
    """

    query_document: npt.NDArray[np.float32]
    document_document: npt.NDArray[np.float32]
    baseline: Baseline
    full_dimensions: int
    notices: tuple[Notice, ...]

    @property
    def provenance(self) -> Provenance:
        """The model behind the cosines."""
        return self.baseline.provenance

    def cosines(self, pairs: Pairs) -> npt.NDArray[np.float32]:
        """Give one of the two matrices.

        Args:
            pairs: Queries with documents, or documents with documents.
        """
        return self.query_document if pairs == "query_document" else self.document_document


@dataclass(frozen=True)
class Difference:
    """The same texts in two variants.

    Attributes:
        queries: The queries as used.
        documents: The documents as used.
        first: The variant that is compared with.
        second: The variant whose change is shown.
        query_order: Order of both sides of the query matrices in which the first variant's similar texts lie side by
            side; both variants are drawn in it.
        document_order: The same for the document matrices.
        notices: What was left out or cut.
    """

    queries: tuple[str, ...]
    documents: tuple[str, ...]
    first: VariantCosines
    second: VariantCosines
    query_order: Seriation
    document_order: Seriation
    notices: tuple[Notice, ...]

    def change(self, pairs: Pairs) -> npt.NDArray[np.float32]:
        """Give the second variant's cosines less the first's.

        Args:
            pairs: Queries with documents, or documents with documents.

        Returns:
            float32 [rows, documents].
        """
        return self.second.cosines(pairs) - self.first.cosines(pairs)


def compare_variants(
    workspace: Workspace, queries: Sequence[str], documents: Sequence[str], first: Variant, second: Variant
) -> Generator[Progress[Difference], None, None]:
    """Compare the same texts in two variants.

    Another model is loaded beside the loaded one when both fit, else in its place for as long as it is needed. It is
    never downloaded: what is not on this computer yet is loaded in the Models view first.

    Args:
        workspace: Where the models are.
        queries: Query texts; they carry each variant's instruction.
        documents: Document texts; they carry none.
        first: What is compared with.
        second: What is compared.

    Yields:
        Steps, the last with both.

    Raises:
        InputError: A side is empty, too long or too many, or a model has fewer dimensions.
        ModelLoadError: A model cannot be found, read or used.
        OutOfMemoryError: A model does not fit even alone.
    """
    asked, empty_queries = checked_texts(queries, LIMITS.compared_texts, "service.queries_empty")
    read, empty_documents = checked_texts(documents, LIMITS.compared_texts, "service.documents_empty")
    wanted = [_Wanted(variant, checked_instruction(variant.instruction)) for variant in (first, second)]
    found = yield from _computed(workspace, asked, read, wanted)
    one, other = (found[each] for each in wanted)
    total = len(asked) + len(read)
    result = Difference(
        queries=asked,
        documents=read,
        first=one,
        second=other,
        query_order=clustered_order(one.query_document),
        document_order=clustered_order(one.document_document),
        notices=(*empty_queries, *empty_documents, *one.notices, *_new(other.notices, one.notices)),
    )
    yield Progress(total, total, "service.stage_done", result)


def _new(notices: tuple[Notice, ...], known: tuple[Notice, ...]) -> list[Notice]:
    return [notice for notice in notices if notice not in known]


@dataclass(frozen=True)
class _Wanted:
    """A variant with its instruction checked."""

    variant: Variant
    instruction: str | None


def _computed(
    workspace: Workspace, queries: tuple[str, ...], documents: tuple[str, ...], wanted: Sequence[_Wanted]
) -> Generator[Progress[Never], None, dict[_Wanted, VariantCosines]]:
    """Compute each variant once, those of the loaded model first, then those of each other model together."""
    loaded = yield from workspace.embedder()
    places = {each: _place(workspace, loaded.provenance, each.variant) for each in wanted}
    found: dict[_Wanted, VariantCosines] = {}
    guests = Guests(workspace, "embedding")
    try:
        for place in sorted(set(places.values()), key=lambda place: place is not None):
            embedder = loaded if place is None else (yield from _guest(workspace, guests, *place))
            here = [each for each in wanted if places[each] == place]
            found |= yield from _each(embedder, queries, documents, here)
        yield from guests.restored()
    finally:
        # Without steps: a generator that is being closed may not give any.
        for _ in guests.restored():
            pass
    return found


def _guest(
    workspace: Workspace, guests: Guests, source: str, dtype: str
) -> Generator[Progress[Never], None, Embedder]:
    """Load another model, from this computer only."""
    model = yield from guests.welcome(source, workspace.settings.device, dtype)
    return Embedder(model, workspace.cache)


def _place(workspace: Workspace, loaded: Provenance, variant: Variant) -> tuple[str, str] | None:
    """Tell what must be loaded for a variant, as source and number format; None for what is loaded."""
    chosen = workspace.chosen["embedding"]
    source = variant.model or chosen
    named = find(source, "embedding")
    same = source == chosen or (named is not None and named.name == loaded.model)
    has = loaded.dtype.partition(",")[0]
    if same and variant.dtype in ("auto", has):
        return None
    return source, variant.dtype


def _each(
    embedder: Embedder, queries: tuple[str, ...], documents: tuple[str, ...], wanted: Sequence[_Wanted]
) -> Generator[Progress[Never], None, dict[_Wanted, VariantCosines]]:
    """Compute the variants that one model serves."""
    found: dict[_Wanted, VariantCosines] = {}
    for each in wanted:
        kept = checked_dimensions(each.variant.dimensions, embedder.dimensions)
        both = yield from embed_sides(embedder, queries, documents, each.instruction)
        asked, read = (truncate(side.vectors, kept) for side in (both.queries, both.documents))
        found[each] = VariantCosines(
            query_document=cosine_matrix(asked, read),
            document_document=cosine_matrix(read, read),
            baseline=(yield from baseline_of(embedder, each.instruction, kept)),
            full_dimensions=embedder.dimensions,
            notices=both.notices,
        )
    return found

"""Comparisons and differences as the heatmap, and a chosen pair in words."""

from __future__ import annotations

from explorer.analysis.arrays import Floats
from explorer.analysis.random_pairs import RandomPairs
from explorer.service.compare import Comparison, Pairs
from explorer.service.compare_variants import Difference, VariantCosines
from explorer.service.random_pairs import Baseline
from explorer.texts import Language, say
from explorer.ui.components import (
    CosineHeatmap,
    HeatmapMatrix,
    cosine_heatmap_data,
    cosine_heatmap_random,
    part_words,
)
from explorer.ui.plain import pair_panel, source_line

KINDS: tuple[Pairs, ...] = ("query_document", "document_document")


def comparison_view(result: Comparison, baseline: Baseline | None, language: Language) -> CosineHeatmap:
    """Draw cosines, with their random pairs once those are known.

    Args:
        result: The cosines.
        baseline: Random pairs of the same model and instruction, or None.
        language: The visitor's language.
    """
    matrices = [
        HeatmapMatrix(
            "query_document", (result.query_document,), result.query_order.rows, result.query_order.columns
        ),
        HeatmapMatrix(
            "document_document",
            (result.document_document,),
            result.document_order.rows,
            result.document_order.columns,
        ),
    ]
    random: dict[str, list[Floats]] = (
        {} if baseline is None else {kind: [random_of(baseline, kind).cosines] for kind in KINDS}
    )
    return CosineHeatmap(
        data=cosine_heatmap_data(result.queries, result.documents, matrices),
        random=cosine_heatmap_random(random) if random else "",
        words=part_words("heatmap", language),
    )


def difference_view(result: Difference, language: Language) -> CosineHeatmap:
    """Draw what changes from one variant to the other.

    Args:
        result: Both variants.
        language: The visitor's language.
    """
    both = (result.first, result.second)
    orders = {"query_document": result.query_order, "document_document": result.document_order}
    matrices = [
        HeatmapMatrix(
            kind,
            (result.first.cosines(kind), result.second.cosines(kind)),
            orders[kind].rows,
            orders[kind].columns,
        )
        for kind in KINDS
    ]
    random: dict[str, list[Floats]] = {
        kind: [random_of(each.baseline, kind).cosines for each in both] for kind in KINDS
    }
    return CosineHeatmap(
        data=cosine_heatmap_data(
            result.queries, result.documents, matrices, [variant_line(each, language) for each in both]
        ),
        random=cosine_heatmap_random(random),
        words=part_words("heatmap", language),
    )


def random_of(baseline: Baseline, pairs: Pairs) -> RandomPairs:
    """Give the random pairs of one kind.

    Args:
        baseline: Of both kinds.
        pairs: Queries with documents, or documents with documents.
    """
    return baseline.query_document if pairs == "query_document" else baseline.document_document


def variant_line(variant: VariantCosines, language: Language) -> str:
    """Say what a variant is.

    Args:
        variant: Its cosines.
        language: The visitor's language.
    """
    baseline = variant.baseline
    task = baseline.instruction
    instruction = (
        say("similarity.line_no_instruction", language)
        if task is None
        else say("similarity.line_instruction", language, instruction=task)
    )
    dimensions = say(
        "similarity.line_dimensions", language, kept=baseline.dimensions, full=variant.full_dimensions
    )
    return " · ".join((variant.provenance.line, instruction, dimensions))


def standing(random: RandomPairs, cosine: float, language: Language) -> str:
    """Place a cosine among random pairs.

    Args:
        random: Their cosines.
        cosine: The number to place.
        language: The visitor's language.
    """
    share, count = random.share_below(cosine), len(random.cosines)
    if share in (0.0, 1.0):
        return say(f"similarity.{'above' if share else 'below'}_all", language, count=count)
    # Cut, not rounded, so that nothing is said to be above 100% of what it is not.
    percent = int(share * 1000) / 10
    return say("similarity.above", language, percent=f"{percent:.1f}", count=count)


def comparison_pair(
    result: Comparison, baseline: Baseline | None, pairs: Pairs, place: tuple[int, int], language: Language
) -> str:
    """Show both texts of a cell, their cosine, and how unusual it is.

    Args:
        result: The cosines.
        baseline: Random pairs, or None.
        pairs: Which matrix.
        place: Row and column.
        language: The visitor's language.

    Returns:
        HTML.
    """
    matrix = result.query_document if pairs == "query_document" else result.document_document
    cosine = float(matrix[place])
    panel = _texts(
        result.queries,
        result.documents,
        pairs,
        place,
        (f"{cosine:.3f}", say("similarity.cosine", language)),
        language,
    )
    same = pairs == "document_document" and place[0] == place[1]
    if baseline is None or same:
        return panel
    return panel + source_line(standing(random_of(baseline, pairs), cosine, language))


def difference_pair(result: Difference, pairs: Pairs, place: tuple[int, int], language: Language) -> str:
    """Show both texts of a cell, what changed between them, and how unusual each cosine is for its variant.

    Args:
        result: Both variants.
        pairs: Which matrix.
        place: Row and column.
        language: The visitor's language.

    Returns:
        HTML.
    """
    change = float(result.change(pairs)[place])
    number = (f"{change:+.3f}".replace("-", "−"), say("similarity.change", language))
    lines = [
        say(
            "similarity.in_variant",
            language,
            name=name,
            cosine=f"{float(variant.cosines(pairs)[place]):.3f}",
            standing=standing(
                random_of(variant.baseline, pairs), float(variant.cosines(pairs)[place]), language
            ),
        )
        for name, variant in (("A", result.first), ("B", result.second))
    ]
    panel = _texts(result.queries, result.documents, pairs, place, number, language)
    return panel + "".join(source_line(line) for line in lines)


def _texts(
    queries: tuple[str, ...],
    documents: tuple[str, ...],
    pairs: Pairs,
    place: tuple[int, int],
    number: tuple[str, str],
    language: Language,
) -> str:
    """Write both texts side by side."""
    left = "query" if pairs == "query_document" else "document"
    rows = queries if left == "query" else documents
    return pair_panel(
        (left, say(f"similarity.{left}", language), rows[place[0]]),
        ("document", say("similarity.document", language), documents[place[1]]),
        *number,
    )

"""The command that measures models."""

from __future__ import annotations

import argparse
from pathlib import Path

from explorer.analysis.matryoshka import ladder
from explorer.engine.embedder import load_embedder
from explorer.engine.reranker import load_reranker
from explorer.progress import CancelToken
from explorer.texts import say
from explorer.training.commands.command_line import Console, figure, flag, table
from explorer.training.commands.merge import held_out_of, measure_flags
from explorer.training.pairs.demo import demo_instruction_pairs
from explorer.training.quality.embedding import Quality, measure_bm25, measure_embedding
from explorer.training.quality.reranker import RerankerQuality, measure_reranker, read_instruction_pairs


def add_measure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``measure``."""
    flag(parser, "--embedding", default="bundled")
    flag(parser, "--reranker", default="")
    flag(parser, "--instructions", type=Path, default=None)
    measure_flags(parser)


def run_measure(given: argparse.Namespace, console: Console, cancel: CancelToken) -> None:
    """Measure an embedding model beside BM25, and a reranker over it."""
    held = held_out_of(given.on, given.question_field)
    embedder = load_embedder(given.embedding, given.device, offline=given.offline)
    quality = measure_embedding(embedder, held, ladder(embedder.dimensions))
    baseline = measure_bm25(held)
    lines = [embedder.provenance.line, _sizes(quality, baseline)]
    values: dict[str, object] = {"model": embedder.provenance, "embedding": quality, "bm25": baseline}
    if held.retrieval:
        searched = {"queries": quality.queries, "documents": quality.documents}
        lines.append(say("commands.searched", "en", **searched))
    if given.reranker:
        opposite = (
            read_instruction_pairs(given.instructions) if given.instructions else demo_instruction_pairs()
        )
        reranker = load_reranker(given.reranker, given.device, offline=given.offline)
        found = measure_reranker(
            reranker,
            embedder,
            held,
            opposite,
            progress=lambda *step: console.counted("commands.measuring", *step),
            cancel=cancel,
        )
        lines += ["", reranker.provenance.line, _reranked(found)]
        values |= {"reranker_model": reranker.provenance, "reranker": found}
    console.result("\n".join(lines), values)


def _sizes(quality: Quality, baseline: Quality) -> str:
    """Write one row a size, and one for the baseline."""
    sizes = sorted(quality.spearman.keys() | quality.ndcg_by_dimension.keys())
    rows = [
        [
            str(size),
            figure(quality.spearman.get(size)),
            figure(quality.ndcg_by_dimension.get(size)),
            figure(quality.recall_by_dimension.get(size)),
        ]
        for size in sizes
    ]
    rows.append(["BM25", "-", figure(baseline.ndcg_at_10), figure(baseline.recall_at_1)])
    return table(["dimensions", "Spearman", "nDCG@10", "recall@1"], rows)


def _reranked(found: RerankerQuality) -> str:
    """Write what the reranker adds and whether it obeys."""
    rows = [
        [say("commands.ndcg_before", "en"), figure(found.ndcg_before)],
        [say("commands.ndcg_after", "en"), figure(found.ndcg_after)],
        [say("commands.obeyed", "en", pairs=found.instruction_pairs), figure(found.obeyed)],
        [say("commands.flipped", "en"), figure(found.flipped)],
    ]
    return table(["reranker", ""], rows)

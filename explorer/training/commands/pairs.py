"""The commands that make pairs and filter them."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from pathlib import Path

from explorer.errors import InputError
from explorer.progress import CancelToken
from explorer.texts import say
from explorer.training.commands.command_line import Console, flag, table
from explorer.training.pairs.demo import DEMO
from explorer.training.pairs.filtering import THRESHOLD, filter_pairs
from explorer.training.pairs.pair import check_pairs, read_pairs, write_pairs
from explorer.training.synthesis.documents import read_documents
from explorer.training.synthesis.generator import TextGenerator
from explorer.training.synthesis.offline import OfflineGenerator
from explorer.training.synthesis.plan import SynthesisPlan
from explorer.training.synthesis.run import Synthesis, synthesize

_BARS = 20
_WIDEST_BAR = 40


def add_synthesize(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``synthesize``."""
    plan = SynthesisPlan()
    flag(parser, "documents", nargs="?", type=Path, default=DEMO / "corpus.csv")
    flag(parser, "--out", type=Path, required=True)
    flag(parser, "--kinds", default="retrieval")
    flag(parser, "--pairs-per-document", type=int, default=3)
    flag(parser, "--language", default="")
    flag(parser, "--translation-language", default=plan.translation_language)
    flag(parser, "--language-model", default="")
    flag(parser, "--server", default="")
    flag(parser, "--embedding", default="")
    flag(parser, "--seed", type=int, default=plan.seed)


def run_synthesize(given: argparse.Namespace, console: Console, cancel: CancelToken) -> None:
    """Make pairs of documents; what was made before Ctrl-C is written too."""
    plan = SynthesisPlan(
        kinds=tuple(part.strip() for part in given.kinds.split(",")),
        pairs_per_document=given.pairs_per_document,
        language=given.language,
        translation_language=given.translation_language,
        seed=given.seed,
    )
    documents = read_documents(given.documents)
    generator = _generator(given, console)
    embedder = None
    if given.embedding:
        from explorer.engine.embedder import load_embedder

        embedder = load_embedder(given.embedding, given.device, offline=given.offline)
    made = Synthesis((), 0)
    try:
        for step in synthesize(documents, generator, plan, cancel, embedder):
            made = step.partial or made
            console.counted(step.stage, step.done, step.total)
    finally:
        if made.pairs:
            write_pairs(made.pairs, given.out)
    rules = Counter(pair.provenance.source or pair.provenance.generator for pair in made.pairs)
    values = {"pairs": len(made.pairs), "unfilled": made.unfilled, "sources": dict(rules), "out": given.out}
    rows = [[name, f"{count:,}"] for name, count in rules.most_common()]
    about = say("commands.made", "en", pairs=len(made.pairs), unfilled=made.unfilled, out=given.out)
    console.result(f"{table(['source', 'pairs'], rows)}\n{about}", values)


def _generator(given: argparse.Namespace, console: Console) -> TextGenerator | OfflineGenerator:
    """Choose who writes the pairs: a server, a language model here, or rules."""
    if given.server:
        from explorer.engine.server import server_key
        from explorer.training.synthesis.server import ServerModel

        if not given.language_model:
            raise InputError("commands.server_needs_model")
        return ServerModel(given.server, given.language_model, server_key(os.environ))
    if given.language_model:
        from explorer.training.synthesis.language_model import load_language_model

        return load_language_model(
            given.language_model,
            given.device,
            offline=given.offline,
            progress=lambda done, total: console.counted("models.stage_download", done, total),
        )
    return OfflineGenerator()


def add_filter(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``filter``."""
    flag(parser, "pairs", type=Path)
    flag(parser, "--out", type=Path, required=True)
    flag(parser, "--threshold", type=float, default=THRESHOLD)
    flag(parser, "--embedding", default="bundled")


def run_filter(given: argparse.Namespace, console: Console, cancel: CancelToken) -> None:
    """Keep pairs whose two sides are close, and show how close all of them are."""
    from explorer.engine.embedder import load_embedder

    checked = check_pairs(read_pairs(given.pairs))
    embedder = load_embedder(given.embedding, given.device, offline=given.offline)
    report = filter_pairs(
        embedder,
        checked.pairs,
        given.threshold,
        lambda done, total: console.counted("commands.embedding_texts", done, total),
        cancel,
    )
    kept = report.select(checked.pairs)
    if not kept:
        best = float(report.cosines.max())
        raise InputError("commands.nothing_kept", threshold=given.threshold, best=f"{best:.3f}")
    write_pairs(kept, given.out)
    edges, counts = report.histogram()
    step = max(1, -(-len(counts) // _BARS))
    bars = [
        (float(edges[first]), int(counts[first : first + step].sum()))
        for first in range(0, len(counts), step)
    ]
    most = max(count for _, count in bars)
    rows = [[f"{edge:+.2f}", f"{count:,}", "#" * round(_WIDEST_BAR * count / most)] for edge, count in bars]
    drawn = "\n".join(f"{edge:>6} {count:>7} {bar}".rstrip() for edge, count, bar in rows)
    about = say(
        "commands.kept",
        "en",
        kept=len(kept),
        total=len(checked.pairs),
        threshold=given.threshold,
        empty=checked.dropped_empty,
        repeated=checked.dropped_duplicate,
        out=given.out,
    )
    values = {
        "kept": len(kept),
        "pairs": len(checked.pairs),
        "dropped_empty": checked.dropped_empty,
        "dropped_duplicate": checked.dropped_duplicate,
        "threshold": given.threshold,
        "quantiles": report.quantiles(),
        "model": report.provenance,
        "out": given.out,
    }
    console.result(f"{drawn}\n{report.provenance.line}\n{about}", values)

"""``python -m explorer embed``: a column of a Parquet file, however long, to a file of vectors."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from explorer.errors import Cancelled, InputError
from explorer.texts import say
from explorer.training.commands.command_line import Console, stopping

if TYPE_CHECKING:
    from explorer.corpus.vector_file import VectorRecord
    from explorer.engine.text_embedder import TextEmbedder
    from explorer.progress import CancelToken
    from explorer.service.embed_corpus import EmbeddedCorpus
    from explorer.service.embed_corpus_request import EmbedCorpusRequest
    from explorer.settings import Settings

STOPPED = 130
"""Exit status after Ctrl-C, as shells have it: 128 plus the number of the signal."""

FLAGS: dict[str, dict[str, Any]] = {
    "source": {"type": Path, "metavar": "SOURCE"},
    "--column": {"required": True},
    "--out": {"required": True, "type": Path},
    "--instruction": {},
    "--dimensions": {"type": int},
    "--format": {"default": "float32"},
    "--keep": {"nargs": "+", "default": (), "metavar": "COLUMN"},
    "--part-rows": {"type": int, "default": 4096},
    "--reproducible": {"action": "store_true"},
    "--server": {"metavar": "URL"},
    "--ray": {"nargs": "?", "const": "local", "metavar": "ADDRESS"},
    "--workers": {"type": int, "default": 1},
}


def add_embed(parser: argparse.ArgumentParser) -> None:
    """Add the flags.

    Args:
        parser: The command.
    """
    for name, options in FLAGS.items():
        sentence = say(f"embed_corpus.flag_{name.lstrip('-').replace('-', '_')}", "en")
        parser.add_argument(name, help=sentence, **options)


def run_embed(given: argparse.Namespace, settings: Settings) -> int:
    """Embed a corpus, showing how far it has come.

    Args:
        given: Parsed by :func:`add_embed`.
        settings: Which model, where and how.

    Returns:
        Exit status: 0 when done, 130 after Ctrl-C.

    Raises:
        ExplorerError: Something must be mended first; the message says what.
    """
    from explorer.service.embed_corpus_request import EmbedCorpusRequest

    request = EmbedCorpusRequest(
        source=given.source,
        column=given.column,
        out=given.out,
        instruction=given.instruction,
        dimensions=given.dimensions,
        format=given.format,
        keep=tuple(given.keep),
        part_rows=given.part_rows,
    )
    if given.server and (given.ray or given.reproducible):
        raise InputError("embed_corpus.server_alone")
    if given.ray:
        return _with_ray(given, settings, request)
    console = Console(as_json=False)
    try:
        with stopping(console, "embed_corpus.stopping") as cancel:
            result = _here(given, settings, request, cancel)
    except (Cancelled, KeyboardInterrupt):
        console.note("embed_corpus.resume")
        return STOPPED
    _written(result.out, result.record)
    for name in ("empty", "cut"):
        if count := getattr(result.counts, name):
            _say(f"embed_corpus.{name}", count=count)
    return 0


def _here(
    given: argparse.Namespace, settings: Settings, request: EmbedCorpusRequest, cancel: CancelToken
) -> EmbeddedCorpus:
    """Run the job in this process, with a bar for each stage."""
    from explorer.service.embed_corpus import embed_corpus
    from explorer.service.embed_corpus_request import checked_source

    checked_source(request)  # before the model is loaded, which may take minutes
    with closing(_Bars()) as bars:
        embedder = _embedder(given, settings, bars, cancel)
        for step in embed_corpus(embedder, request, cancel=cancel):
            if step.partial is None:
                bars.show(step.stage, step.done, step.total, " rows")
    return cast("EmbeddedCorpus", step.partial)


def _embedder(
    given: argparse.Namespace, settings: Settings, bars: _Bars, cancel: CancelToken
) -> TextEmbedder:
    """Load the model, or connect to the server that has it."""
    if given.server:
        from explorer.engine.remote_embedder import connect_embedder

        named = None if settings.embedding == type(settings).embedding else settings.embedding
        return connect_embedder(given.server, named)
    from explorer.service.embed_corpus_request import job_embedder

    return job_embedder(
        settings,
        reproducible=given.reproducible,
        progress=lambda stage, done, total: bars.show(stage, done, total, "B"),
        cancel=cancel,
    )


def _with_ray(given: argparse.Namespace, settings: Settings, request: EmbedCorpusRequest) -> int:
    """Run the job on Ray, which shows its own progress."""
    from explorer.service.ray_pipeline import RayWorkers, embed_corpus_with_ray

    workers = RayWorkers(given.workers, given.ray, given.reproducible)
    try:
        result = embed_corpus_with_ray(settings, request, workers)
    except KeyboardInterrupt:
        Console(as_json=False).note("embed_corpus.ray_stopped")
        return STOPPED
    _written(result.folder, result.record)
    return 0


def _written(out: Path, record: VectorRecord) -> None:
    """Say what was made."""
    _say(
        "embed_corpus.written",
        rows=record.rows,
        out=out,
        dimensions=record.dimensions,
        format=record.format,
        model=record.provenance.line,
    )


def _say(key: str, **values: object) -> None:
    sys.stdout.write(say(key, "en", **values) + "\n")


class _Bars:
    """One bar of progress on standard error for each stage, with rate and time left."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: Any = None

    def show(self, stage: str, done: int, total: int, unit: str) -> None:
        """Move the bar; a new stage ends the old bar and begins one of its own where the stage begins."""
        from tqdm import tqdm

        if stage != self._stage:
            self.close()
            self._stage = stage
            scaled = unit == "B"
            self._bar = tqdm(
                desc=say(stage, "en"),
                total=total,
                initial=done,
                unit=unit,
                unit_scale=scaled,
                mininterval=0.5,
            )
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """End the last bar."""
        if self._bar is not None:
            self._bar.close()

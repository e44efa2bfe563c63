"""The explorer's work from the command line.

``python -m explorer rerank QUERY DOCUMENT ...`` prints each document with its log-odds, P(yes) and cosine.
``python -m explorer embed FILE --column NAME --out FILE`` embeds a corpus of any size; see
:mod:`explorer.commands.embed`.
``python -m explorer record-demo-map`` lays out the demo corpus with the model in use and stores the picture that
the Map view opens with; ``record-demo-training`` does the same for the curves of the Training view.
``python -m explorer train COMMAND`` makes pairs, trains, merges and measures; see
:mod:`explorer.training.commands.main`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.commands.embed import add_embed, run_embed
from explorer.errors import ExplorerError
from explorer.provenance import ACCELERATIONS
from explorer.settings import DTYPES, Settings
from explorer.texts import say

if TYPE_CHECKING:
    from explorer.service.workspace import Workspace
    from explorer.training.merging.ablation import AblationResult


def main(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: Command line without the program's name.

    Returns:
        Exit status: 0 when done, 2 when something must be mended first.
    """
    if arguments[:1] == ["train"]:
        from explorer.training.commands.main import main as train

        return train(arguments[1:], _draw_ablation)
    given = _parser().parse_args(arguments)
    settings = Settings(
        embedding=given.embedding,
        reranker=given.reranker,
        device=given.device,
        dtype=given.dtype,
        accelerate=given.accelerate,
        offline=given.offline,
    )
    try:
        if given.command == "embed":
            return run_embed(given, settings)
        workspace = _workspace(settings)
        if given.command == "rerank":
            _rerank(workspace, given.query, given.documents, given.instruction)
        elif given.command == "record-demo-training":
            _record_demo_training(workspace)
        else:
            _record_demo_map(workspace)
    except ExplorerError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m explorer", description=say("settings.about", "en"))
    parser.add_argument("--embedding", default=Settings.embedding, help=say("settings.help_embedding", "en"))
    parser.add_argument("--reranker", default=Settings.reranker, help=say("settings.help_reranker", "en"))
    parser.add_argument("--device", default=Settings.device, help=say("settings.help_device", "en"))
    parser.add_argument(
        "--dtype", default=Settings.dtype, choices=DTYPES, help=say("settings.help_dtype", "en")
    )
    parser.add_argument(
        "--accelerate",
        default=Settings.accelerate,
        choices=ACCELERATIONS,
        help=say("settings.help_accelerate", "en"),
    )
    parser.add_argument("--offline", action="store_true", help=say("settings.help_offline", "en"))
    commands = parser.add_subparsers(dest="command", required=True)
    ranking = commands.add_parser("rerank", help=say("settings.help_rerank_command", "en"))
    ranking.add_argument("query")
    ranking.add_argument("documents", nargs="+")
    ranking.add_argument("--instruction", default="")
    add_embed(commands.add_parser("embed", help=say("embed_corpus.command", "en")))
    commands.add_parser("record-demo-map", help=say("settings.help_record_command", "en"))
    commands.add_parser("record-demo-training", help=say("settings.help_record_training", "en"))
    commands.add_parser("train", help=say("commands.about", "en"))
    return parser


def _workspace(settings: Settings) -> Workspace:
    from explorer.service.workspace import Workspace

    return Workspace(settings)


def _rerank(workspace: Workspace, query: str, documents: Sequence[str], instruction: str) -> None:
    from explorer.service.rerank import rerank
    from explorer.service.workspace import finished

    result = finished(rerank(workspace, query, documents, instruction))
    print(f"{result.scores.provenance.line}; cosines: {result.embedding.line}")
    for index in result.movement.second_ranks.argsort():
        scores = f"{result.scores.log_odds[index]:+7.2f}  {result.scores.probability[index]:.3f}"
        print(f"{scores}  {result.cosines[index]:.3f}  {result.documents[index]}")


def _record_demo_training(workspace: Workspace) -> None:
    from explorer.service.training_example import record

    record(workspace)


def _record_demo_map(workspace: Workspace) -> None:
    from explorer.service import demo_map
    from explorer.service.map_corpus import MapRequest, map_corpus
    from explorer.service.workspace import finished

    made = finished(map_corpus(workspace, demo_map.corpus(), MapRequest(), demo_map.colours()))
    demo_map.record(made.project)


def _draw_ablation(result: AblationResult, folder: Path) -> Path:
    """Draw an ablation into a page that opens without a network."""
    import numpy as np

    from explorer.figures.training_effect import ablation_chart

    variants = [say(f"commands.row_{row.name}", "en") for row in result.rows]
    scores = np.array([list(row.quality.named().values()) for row in result.rows])
    page = folder / "ablation.html"
    ablation_chart(variants, list(result.before.named()), scores).write_html(page, include_plotlyjs=True)
    return page


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

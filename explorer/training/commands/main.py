"""``python -m explorer train ...``: the whole training from the command line.

Nothing heavy is imported before a command is chosen, so that help comes at once.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.errors import Cancelled, ExplorerError
from explorer.texts import say
from explorer.training.commands.command_line import Console, flag, stopping

if TYPE_CHECKING:
    from explorer.training.merging.ablation import AblationResult

COMMANDS = {
    "synthesize": "pairs",
    "filter": "pairs",
    "embedding": "train",
    "reranker": "train",
    "merge": "merge",
    "sweep": "merge",
    "ablation": "ablation",
    "measure": "measure",
}
"""Where each command's flags (``add_<command>``) and its work (``run_<command>``) are."""

RESUMABLE = ("embedding", "reranker", "ablation")
"""Commands that go on from their last checkpoint when they are typed again."""

STOPPED = 130
"""Exit status after Ctrl-C, as shells have it: 128 plus the number of the signal."""

Draw = Callable[["AblationResult", Path], Path]
"""Draws an ablation's plot into a folder and gives the file."""


def main(arguments: Sequence[str], draw: Draw | None = None) -> int:
    """Run one command.

    Args:
        arguments: What follows ``train`` on the command line.
        draw: Draws the plot of an ablation; None draws none.

    Returns:
        Exit status: 0 when done, 2 when something must be mended first, 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="python -m explorer train", description=say("commands.about", "en"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        about = say(f"commands.about_{name}", "en")
        command = commands.add_parser(name, help=about, description=about)
        if name in arguments[:1]:
            getattr(importlib.import_module(f"explorer.training.commands.{module}"), f"add_{name}")(command)
            flag(command, "--device", default="auto")
            flag(command, "--offline", action="store_true")
            flag(command, "--json", action="store_true")
    given = parser.parse_args(arguments)
    given.draw = draw
    console = Console(given.json)
    module_of = importlib.import_module(f"explorer.training.commands.{COMMANDS[given.command]}")
    try:
        with stopping(console) as cancel:
            getattr(module_of, f"run_{given.command}")(given, console, cancel)
            # A training that was stopped ends with a checkpoint and without an error.
            cancel.raise_if_cancelled()
    except Cancelled:
        console.note("commands.resume" if given.command in RESUMABLE else "errors.cancelled")
        return STOPPED
    except ExplorerError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0

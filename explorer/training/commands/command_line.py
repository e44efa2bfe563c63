"""What the training commands share: flags, lines on the terminal, Ctrl-C, and finding a model's folder."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.progress import CancelToken
from explorer.texts import say

if TYPE_CHECKING:
    from explorer.provenance import Family

PACE = 1.0
"""Seconds between two lines of progress."""


class Console:
    """Writes progress to standard error and results to standard output.

    Args:
        as_json: Whether results are written as JSON.
    """

    def __init__(self, as_json: bool) -> None:
        """Begin with a line of progress due at once."""
        self._as_json = as_json
        self._due = 0.0

    def note(self, key: str, **values: object) -> None:
        """Write a sentence to standard error.

        Args:
            key: Name of the sentence.
            **values: What fills its placeholders.
        """
        sys.stderr.write(say(key, "en", **values) + "\n")
        sys.stderr.flush()

    def progress(self, text: str, last: bool = False) -> None:
        """Write a line of progress, at most one a second.

        Args:
            text: The line.
            last: Whether it is written in any case.
        """
        now = time.monotonic()
        if last or now >= self._due:
            self._due = now + PACE
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def counted(self, key: str, done: int, total: int) -> None:
        """Write how far something has come.

        Args:
            key: Name of what is done.
            done: Units finished.
            total: Units in all.
        """
        self.progress(f"{say(key, 'en')}: {done:,} / {total:,}", last=done == total)

    def result(self, text: str, values: Mapping[str, object]) -> None:
        """Write a result to standard output.

        Args:
            text: For a person.
            values: For a program; dataclasses and paths are turned into JSON.
        """
        whole = json.dumps(values, ensure_ascii=False, default=_plain) if self._as_json else text
        sys.stdout.write(whole + "\n")


@contextmanager
def stopping(console: Console, sentence: str = "commands.stopping") -> Iterator[CancelToken]:
    """Turn the first Ctrl-C into a wish to stop after the present step; a second one ends at once.

    Args:
        console: Where it is said.
        sentence: What is said.

    Yields:
        The token that is raised.
    """
    token = CancelToken()

    def stop(*_: object) -> None:
        if token.cancelled:
            raise KeyboardInterrupt
        token.cancel()
        console.note(sentence)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield token
    finally:
        signal.signal(signal.SIGINT, before)


def flag(parser: argparse.ArgumentParser, name: str, **options: Any) -> None:  # noqa: ANN401 - argparse's own options
    """Add a flag or a positional argument, with its sentence ``commands.<name>``.

    Args:
        parser: The command.
        name: With its dashes when it is a flag.
        **options: As argparse takes them; a default is shown.
    """
    sentence = say(f"commands.{name.lstrip('-').replace('-', '_')}", "en")
    if options.get("default") not in (None, False, ""):
        sentence += f" (default: {options['default']})"
    parser.add_argument(name, help=sentence.replace("%", "%%"), **options)


def plan_flags(parser: argparse.ArgumentParser, plan: Any, leave_out: Sequence[str] = ()) -> None:  # noqa: ANN401
    """Add a flag for every setting of a plan.

    Args:
        parser: The command.
        plan: A dataclass with the defaults.
        leave_out: Settings without a flag.
    """
    for field in dataclasses.fields(plan):
        default = getattr(plan, field.name)
        if field.name in leave_out:
            continue
        kind = {int: int, float: float}.get(type(default), _numbers if default == () else _number_or_none)
        flag(parser, f"--{field.name.replace('_', '-')}", type=kind, default=default)


def plan_of(given: argparse.Namespace, plan: Any) -> Any:  # noqa: ANN401 - a dataclass in, the same out
    """Fill a plan from flags.

    Args:
        given: Parsed by :func:`plan_flags`.
        plan: The same defaults.

    Returns:
        The plan as asked for.
    """
    names = {field.name for field in dataclasses.fields(plan)}
    return dataclasses.replace(plan, **{k: v for k, v in vars(given).items() if k in names})


def model_folder(source: str, family: Family, given: argparse.Namespace) -> Path:
    """Find the folder of a model, downloading it when it must come from the hub.

    Args:
        source: ``"bundled"``, a published name, a folder or a hub repository.
        family: What it is used as.
        given: Its ``offline`` forbids a download.

    Returns:
        The folder.

    Raises:
        ModelLoadError: There is no such model.
    """
    from explorer.models.preparing import prepare

    return prepare(source, family, offline=given.offline).folder


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align texts in columns, the first on the left and numbers on the right.

    Args:
        head: Names of the columns.
        rows: As many texts each.

    Returns:
        Lines.
    """
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = []
    for row in (head, *rows):
        cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def figure(value: float | None) -> str:
    """Write a measure with three decimals, or a dash where there is none."""
    return "-" if value is None else f"{value:.3f}"


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part.strip())


def _number_or_none(text: str) -> float | None:
    return None if text == "none" else float(text)


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)

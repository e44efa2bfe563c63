"""One table for everything that was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tests.benchmarks.timing import Turns


@dataclass(frozen=True)
class Row:
    """One line.

    Attributes:
        measure: What was measured.
        way: Who did it.
        seconds: Wall time of each turn; empty when there is none.
        cpu_seconds: Processor time of each turn.
        ratio: How many times as long as this project's engine, or None.
        cpu_ratio: The same by processor time.
        peak_bytes: Most memory held beyond what was held before, or None.
        note: Anything else.
        wanted: What the line should show, if anything.
    """

    measure: str
    way: str
    seconds: Sequence[float] = ()
    cpu_seconds: Sequence[float] = ()
    ratio: float | None = None
    cpu_ratio: float | None = None
    peak_bytes: int | None = None
    note: str = ""
    wanted: str = ""


HEADINGS = (
    "measure",
    "way",
    "seconds",
    "lowest-highest",
    "CPU s",
    "times ours",
    "by CPU s",
    "peak MB",
    "note",
    "wanted",
)


def row_of(measure: str, way: str, turns: Turns, ours: Turns, note: str, wanted: str = "") -> Row:
    """Make a line of a contestant's turns."""
    ratios = turns.ratio(ours), turns.cpu_ratio(ours)
    return Row(measure, way, turns.seconds, turns.cpu_seconds, *ratios, turns.peak_bytes, note, wanted)


def written(rows: Sequence[Row]) -> str:
    """Lay lines out as a Markdown table whose columns also line up as plain text."""
    lines = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    laid = [f"| {' | '.join(map(str.ljust, line, widths))} |" for line in lines]
    laid.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(laid)


def _cells(row: Row) -> tuple[str, ...]:
    """Write the cells of one line."""
    spread = f"{_short(min(row.seconds))}-{_short(max(row.seconds))}" if len(row.seconds) > 1 else ""
    return (
        row.measure,
        row.way,
        _short(median(row.seconds)) if row.seconds else "",
        spread,
        _short(median(row.cpu_seconds)) if row.cpu_seconds else "",
        f"{row.ratio:.3g}" if row.ratio is not None else "",
        f"{row.cpu_ratio:.3g}" if row.cpu_ratio is not None else "",
        f"{row.peak_bytes / 1e6:.0f}" if row.peak_bytes is not None else "",
        row.note,
        row.wanted,
    )


def _short(seconds: float) -> str:
    """Write seconds with three digits that count."""
    return f"{seconds:.3g}" if seconds < 100 else f"{seconds:.0f}"

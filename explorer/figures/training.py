"""A training as it goes: its loss, and quality on held-out pairs along the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.figures.style import DOCUMENT, OKABE_ITO, OTHER, SYMBOLS, escape, finish
from explorer.texts import Language, say

SMOOTHING = 0.9
"""Share of the running mean that stays at each step."""

ENDS = 10
"""Steps averaged for the first and the last loss that the title names."""

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
ALIKE = 0.0005
"""Differences below this round to nothing."""


@dataclass(frozen=True)
class QualitySeries:
    """One measure at some steps.

    Attributes:
        name: What is measured and at how many dimensions.
        steps: Steps done at each measurement, rising.
        values: The measure, as many.
    """

    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]


def loss_curve(
    steps: Sequence[int],
    losses: Sequence[float],
    total: int,
    language: Language = "en",
    caption: Sequence[str] = (),
) -> go.Figure:
    """Draw the loss of every step and its running mean.

    Args:
        steps: Steps done, rising, n of them.
        losses: Loss of each.
        total: Steps in all, the end of the axis.
        language: Language of title, axes and hover cards.
        caption: Where the numbers come from.

    Returns:
        Figure; its title compares the mean of the first and the last ten steps.
    """
    places, values = np.asarray(steps, np.int32), np.asarray(losses, np.float32)
    names = [say(f"figures.training_{name}", language) for name in ("step", "loss", "smooth")]
    smooth = running_mean(values)
    title = _loss_title(values, int(places[-1]), total, language)
    template = f"{escape(names[0])} %{{x}}<br>%{{y:.3f}}<extra>%{{fullData.name}}</extra>"
    figure = go.Figure(
        [
            _line(places, values, names[1], OTHER, width=1, opacity=0.55, template=template),
            _line(places, smooth, names[2], DOCUMENT, width=2.5, template=template),
        ]
    )
    rows = [
        (int(step), f"{value:.4f}", f"{mean:.4f}")
        for step, value, mean in zip(places, values, smooth, strict=True)
    ]
    kept = rows[:: max(1, len(rows) // 100)]
    return finish(
        figure,
        title,
        table=(names, kept),
        caption=caption,
        xaxis={**axis(names[0]), "range": [0, total], "showgrid": False},
        yaxis=axis(names[1]),
    )


def _loss_title(values: NDArray[np.float32], done: int, total: int, language: Language) -> str:
    """Compare the mean of the first and the last steps."""
    first, last = float(values[:ENDS].mean()), float(values[-ENDS:].mean())
    key = "loss_fell" if last < first - ALIKE else "loss_kept"
    ends = {"first": f"{first:.3f}", "last": f"{last:.3f}"}
    return say(f"figures.training_{key}", language, **ends, steps=f"{done:,}", total=f"{total:,}")


def running_mean(values: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Average exponentially, corrected for the start at nothing (Kingma and Ba, arXiv 1412.6980, section 3).

    Args:
        values: [n].

    Returns:
        float32 [n].
    """
    means = np.zeros(len(values), np.float32)
    mean = 0.0
    for at, value in enumerate(values):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * float(value)
        means[at] = mean / (1 - SMOOTHING ** (at + 1))
    return means


def quality_curve(
    series: Sequence[QualitySeries], total: int, language: Language = "en", caption: Sequence[str] = ()
) -> go.Figure:
    """Draw quality on held-out pairs along the training; the first point is the model before it.

    Args:
        series: One line each, the most telling first.
        total: Steps in all, the end of the axis.
        language: Language of title, axes and hover cards.
        caption: Where the numbers come from.

    Returns:
        Figure with lines told apart by colour, dash and mark; its title says how the first measure changed.
    """
    names = [say(f"figures.training_{name}", language) for name in ("step", "quality")]
    traces = [
        go.Scatter(
            x=np.asarray(one.steps, np.int32),
            y=np.asarray(one.values, np.float32),
            name=escape(one.name),
            mode="lines+markers",
            line={"color": OKABE_ITO[at % 8], "width": 2, "dash": DASHES[at % len(DASHES)]},
            marker={"symbol": SYMBOLS[at % 8], "size": 7, "color": OKABE_ITO[at % 8]},
            hovertemplate=f"{escape(names[0])} %{{x}}<br>%{{y:.3f}}<extra>%{{fullData.name}}</extra>",
        )
        for at, one in enumerate(series)
    ]
    main = series[0]
    steps = sorted({step for one in series for step in one.steps})
    known = [dict(zip(one.steps, one.values, strict=True)) for one in series]
    rows = [[step, *(_number(values.get(step)) for values in known)] for step in steps]
    return finish(
        go.Figure(traces),
        _change(main.name, main.values[0], main.values[-1], len(main.values), language),
        table=([names[0], *(one.name for one in series)], rows),
        caption=caption,
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        xaxis={**axis(names[0]), "range": [-total * 0.02, total * 1.02], "showgrid": False},
        yaxis=axis(names[1]),
    )


def _line(
    x: NDArray[np.int32],
    y: NDArray[np.float32],
    name: str,
    colour: str,
    *,
    width: float,
    template: str,
    opacity: float = 1.0,
) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=y,
        name=escape(name),
        mode="lines",
        opacity=opacity,
        line={"color": colour, "width": width},
        hovertemplate=template,
    )


def _change(name: str, first: float, last: float, count: int, language: Language) -> str:
    """Say how a measure changed since before the training."""
    if count < 2:
        return say("figures.training_before", language, name=name, value=f"{first:.3f}")
    key = "rose" if last > first + ALIKE else "fell" if last < first - ALIKE else "stayed"
    return say(
        f"figures.training_quality_{key}", language, name=name, first=f"{first:.3f}", last=f"{last:.3f}"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def axis(name: str) -> dict[str, Any]:
    """Give an axis its name."""
    return {"title": {"text": escape(name)}, "zeroline": False, "automargin": True}

"""What a training changed: before and after, and the report's ablation of its stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.figures.style import OKABE_ITO, OTHER, SYMBOLS, UP, escape, finish
from explorer.figures.training import ALIKE, axis
from explorer.texts import Language, say


def before_after(
    measures: Sequence[tuple[str, float, float]],
    names: tuple[str, str],
    language: Language = "en",
    caption: Sequence[str] = (),
) -> go.Figure:
    """Draw each measure before and after as two marks joined by a line.

    Args:
        measures: Name, value before, value after.
        names: What the model before and the model after are called.
        language: Language of title and table.
        caption: Where the numbers come from.

    Returns:
        Figure; its title says how many measures rose.
    """
    rose = sum(after > before + ALIKE for _, before, after in measures)
    title = say("figures.training_rose", language, rose=rose, total=len(measures), after=names[1])
    difference = say("figures.training_difference", language)
    rows = [
        (name, f"{before:.3f}", f"{after:.3f}", f"{after - before:+.3f}") for name, before, after in measures
    ]
    return finish(
        go.Figure(_joined_marks(measures, names)),
        title,
        table=([say("figures.training_measure", language), *names, difference], rows),
        caption=caption,
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        xaxis={"zeroline": False, "automargin": True, "tickformat": ".2f"},
        yaxis={"autorange": "reversed", "automargin": True, "showgrid": False},
    )


def _joined_marks(measures: Sequence[tuple[str, float, float]], names: tuple[str, str]) -> list[go.Scatter]:
    """Join the marks before and after of each measure by a line."""
    labels = [escape(name) for name, _, _ in measures]
    joins = go.Scatter(
        x=[value for _, before, after in measures for value in (before, after, None)],
        y=[value for label in labels for value in (label, label, None)],
        mode="lines",
        line={"color": OTHER, "width": 2},
        hoverinfo="skip",
        showlegend=False,
    )
    marks = [
        go.Scatter(
            x=[measure[at + 1] for measure in measures],
            y=labels,
            name=escape(names[at]),
            mode="markers+text",
            marker={"size": 12, "symbol": SYMBOLS[at], "color": colour},
            text=[f"{measure[at + 1]:.3f}" for measure in measures],
            textposition=["top center" if at else "bottom center"] * len(measures),
            textfont={"size": 11},
            hovertemplate="%{y}<br>%{x:.3f}<extra>%{fullData.name}</extra>",
        )
        for at, colour in enumerate((OTHER, UP))
    ]
    return [joins, *marks]


def ablation_chart(
    variants: Sequence[str],
    benchmarks: Sequence[str],
    scores: NDArray[np.floating[Any]],
    language: Language = "en",
    caption: Sequence[str] = (),
    score: str = "",
) -> go.Figure:
    """Draw what leaving a stage out costs, one row a benchmark.

    Args:
        variants: What was left out, the whole training last.
        benchmarks: Names of the rows.
        scores: float [variants, benchmarks].
        language: Language of title and axes.
        caption: Where the numbers come from.
        score: What the scores are, for the axis; "score" when empty.

    Returns:
        Figure; its title counts the benchmarks on which the whole training is best.
    """
    best = int((scores[-1] >= scores.max(axis=0)).sum())
    title = say("figures.training_ablation", language, best=best, total=len(benchmarks))
    rows = [escape(name) for name in benchmarks]
    digits = 2 if scores.max() > 1 else 3
    table_rows = [
        (name, *(f"{value:.{digits}f}" for value in row)) for name, row in zip(variants, scores, strict=True)
    ]
    return finish(
        go.Figure(_variant_marks(variants, rows, scores, digits)),
        title,
        table=([say("figures.training_trained", language), *benchmarks], table_rows),
        caption=caption,
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        margin={"l": 8, "r": 8, "t": 48, "b": 48},
        xaxis=axis(score or say("figures.training_score", language)),
        yaxis={"autorange": "reversed", "automargin": True},
    )


def _variant_marks(
    variants: Sequence[str], rows: Sequence[str], scores: NDArray[np.floating[Any]], digits: int
) -> list[go.Scatter]:
    """One kind of mark a variant, one mark a benchmark."""
    return [
        go.Scatter(
            x=scores[at].astype(np.float64),
            y=rows,
            name=escape(name),
            mode="markers",
            marker={"size": 12, "symbol": SYMBOLS[at % 8], "color": OKABE_ITO[at % 8]},
            hovertemplate=f"%{{y}}<br>%{{x:.{digits}f}}<extra>%{{fullData.name}}</extra>",
        )
        for at, name in enumerate(variants)
    ]

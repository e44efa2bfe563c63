"""An ablation of one's own, where ``python -m explorer train ablation`` left its figures for the page."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.service.workspace import Workspace
from explorer.training.merging.ablation_record import FILE
from explorer.training.quality.embedding import Quality

log = logging.getLogger("explorer")


@dataclass(frozen=True)
class OwnAblation:
    """Figures measured on this computer.

    Attributes:
        variants: Which stages a row's model went through, in the report's order.
        measures: Names of the figures.
        scores: One row a variant, one figure a measure.
    """

    variants: tuple[str, ...]
    measures: tuple[str, ...]
    scores: tuple[tuple[float, ...], ...]


def ablation_folder(workspace: Workspace) -> Path:
    """Say where the page looks for an ablation."""
    return workspace.training.root / "ablation"


def own_ablation(workspace: Workspace) -> OwnAblation | None:
    """Read the figures of an ablation.

    Args:
        workspace: Whose data folder is looked at.

    Returns:
        The finished rows; None when there is none, or the file cannot be read.
    """
    file = ablation_folder(workspace) / FILE
    if not file.is_file():
        return None
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
        named = {name: _quality(values).named() for name, values in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s cannot be read: %s", FILE, error)
        return None
    if not named:
        return None
    measures = tuple(next(iter(named.values())))
    scores = tuple(tuple(figures[measure] for measure in measures) for figures in named.values())
    return OwnAblation(tuple(named), measures, scores)


def _quality(values: dict[str, Any]) -> Quality:
    """Read figures, whose dimensions JSON has turned into texts."""
    numbered: dict[str, Any] = {
        name: {int(size): value for size, value in entry.items()} if isinstance(entry, dict) else entry
        for name, entry in values.items()
    }
    return Quality(**numbered)

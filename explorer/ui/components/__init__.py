"""Interactive parts of the page; each class's docstring lists its props and events."""

from __future__ import annotations

from explorer.ui.components.dimensions_view import DimensionsView, dimensions_data
from explorer.ui.components.figure_view import FigureView
from explorer.ui.components.filter_cut import FilterCut, filter_cut_data
from explorer.ui.components.merge_path import MergePath, merge_path_data
from explorer.ui.components.model_chips import Chip, ModelChips, model_chips_data
from explorer.ui.components.ranked_cards import RankedCards, RankedItem, ranked_cards_data
from explorer.ui.components.scatter_map import (
    ScatterMap,
    map_categories,
    map_points,
    map_query,
    map_texts,
    map_values,
)
from explorer.ui.components.stage_strip import Stage, StageStrip, stage_strip_data
from explorer.ui.components.token_strip import PromptToken, TokenStrip, token_strip_data
from explorer.ui.components.wire import part_words, unpack_indices

__all__ = [
    "Chip",
    "DimensionsView",
    "FigureView",
    "FilterCut",
    "MergePath",
    "ModelChips",
    "PromptToken",
    "RankedCards",
    "RankedItem",
    "ScatterMap",
    "Stage",
    "StageStrip",
    "TokenStrip",
    "dimensions_data",
    "filter_cut_data",
    "map_categories",
    "map_points",
    "map_query",
    "map_texts",
    "map_values",
    "merge_path_data",
    "model_chips_data",
    "part_words",
    "ranked_cards_data",
    "stage_strip_data",
    "token_strip_data",
    "unpack_indices",
]

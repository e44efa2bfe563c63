"""Interactive parts of the page; each class's docstring lists its props and events."""

from __future__ import annotations

from explorer.ui.components.dimensions_view import DimensionsView, dimensions_data
from explorer.ui.components.figure_view import FigureView
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
from explorer.ui.components.token_strip import PromptToken, TokenStrip, token_strip_data
from explorer.ui.components.wire import part_words, unpack_indices

__all__ = [
    "Chip",
    "DimensionsView",
    "FigureView",
    "ModelChips",
    "PromptToken",
    "RankedCards",
    "RankedItem",
    "ScatterMap",
    "TokenStrip",
    "dimensions_data",
    "map_categories",
    "map_points",
    "map_query",
    "map_texts",
    "map_values",
    "model_chips_data",
    "part_words",
    "ranked_cards_data",
    "token_strip_data",
    "unpack_indices",
]

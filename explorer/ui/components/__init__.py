"""Interactive parts of the page; each class's docstring lists its props and events."""

from __future__ import annotations

from explorer.ui.components.attribution_text import AttributionText, attribution_data
from explorer.ui.components.bump_chart import BumpChart, BumpItem, bump_chart_data
from explorer.ui.components.code_block import CodeBlock, code_block_data
from explorer.ui.components.cosine_heatmap import (
    CosineHeatmap,
    HeatmapMatrix,
    cosine_heatmap_data,
    cosine_heatmap_random,
)
from explorer.ui.components.dimensions_view import DimensionsView, dimensions_data
from explorer.ui.components.edit_effects import EditEffects, EditRow, edit_effects_data
from explorer.ui.components.figure_view import FigureView
from explorer.ui.components.filter_cut import FilterCut, filter_cut_data
from explorer.ui.components.instruction_table import InstructionTable, instruction_table_data
from explorer.ui.components.merge_path import MergePath, merge_path_data
from explorer.ui.components.model_chips import Chip, ModelChips, model_chips_data
from explorer.ui.components.quadrant_plot import QuadrantPlot, quadrant_plot_data
from explorer.ui.components.ranked_cards import RankedCards, RankedItem, ranked_cards_data
from explorer.ui.components.saturation_lines import SaturationLines, saturation_lines_data
from explorer.ui.components.scatter_map import (
    ScatterMap,
    map_categories,
    map_points,
    map_query,
    map_texts,
    map_values,
)
from explorer.ui.components.size_ladder import SizeLadderTable, size_ladder_data
from explorer.ui.components.stage_strip import Stage, StageStrip, stage_strip_data
from explorer.ui.components.token_strip import PromptToken, TokenStrip, token_strip_data
from explorer.ui.components.wire import part_words, unpack_indices
from explorer.ui.components.word_pairs import WordPairs, word_pairs_data

__all__ = [
    "AttributionText",
    "BumpChart",
    "BumpItem",
    "Chip",
    "CodeBlock",
    "CosineHeatmap",
    "DimensionsView",
    "EditEffects",
    "EditRow",
    "FigureView",
    "FilterCut",
    "HeatmapMatrix",
    "InstructionTable",
    "MergePath",
    "ModelChips",
    "PromptToken",
    "QuadrantPlot",
    "RankedCards",
    "RankedItem",
    "SaturationLines",
    "ScatterMap",
    "SizeLadderTable",
    "Stage",
    "StageStrip",
    "TokenStrip",
    "WordPairs",
    "attribution_data",
    "bump_chart_data",
    "code_block_data",
    "cosine_heatmap_data",
    "cosine_heatmap_random",
    "dimensions_data",
    "edit_effects_data",
    "filter_cut_data",
    "instruction_table_data",
    "map_categories",
    "map_points",
    "map_query",
    "map_texts",
    "map_values",
    "merge_path_data",
    "model_chips_data",
    "part_words",
    "quadrant_plot_data",
    "ranked_cards_data",
    "saturation_lines_data",
    "size_ladder_data",
    "stage_strip_data",
    "token_strip_data",
    "unpack_indices",
    "word_pairs_data",
]

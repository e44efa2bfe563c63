"""The components of the Similarity view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from explorer.analysis.matryoshka import ladder
from explorer.models.catalog import published
from explorer.service.compare_variants import Variant
from explorer.service.models import names
from explorer.service.prompts import instruction_presets
from explorer.service.workspace import Workspace
from explorer.ui.components import CosineHeatmap
from explorer.ui.evidence import EvidenceButton, evidence_button
from explorer.ui.jobs import STATE_SECONDS
from explorer.ui.language import LABELS
from explorer.ui.panels import token_pairs
from explorer.ui.share.code_panel import code_panel
from explorer.ui.share.link import LinkParts, link_parts
from explorer.ui.text_inputs import TextInputs, text_inputs

DTYPES = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class VariantInputs:
    """What one variant differs in."""

    model: gr.Dropdown
    instruction: gr.Dropdown
    dimensions: gr.Dropdown
    dtype: gr.Dropdown

    @property
    def all(self) -> list[Any]:
        """The inputs in the order that :func:`variant_from` takes."""
        return [self.model, self.instruction, self.dimensions, self.dtype]


def variant_from(model: str | None, instruction: str | None, dimensions: int, dtype: str) -> Variant:
    """Read one variant from its inputs.

    Args:
        model: As chosen or typed; empty for the loaded one.
        instruction: As chosen or typed; empty for none.
        dimensions: How many to keep; 0 for all.
        dtype: Number format.
    """
    return Variant((model or "").strip(), instruction, int(dimensions) or None, dtype)


@dataclass(frozen=True)
class Parts:
    """The components of this view.

    ``shown`` holds the last comparison, ``baseline`` its random pairs; ``difference`` the difference when that is
    what is drawn, else None; ``chosen`` the texts of the clicked cell.
    """

    texts: TextInputs
    first: VariantInputs
    second: VariantInputs
    subtract: gr.Button
    heatmap: CosineHeatmap
    pair: gr.HTML
    caption: gr.HTML
    notices: gr.HTML
    shown: gr.State
    baseline: gr.State
    difference: gr.State
    chosen: gr.State
    evidence: EvidenceButton
    link: LinkParts
    write_code: Callable[[Any], None]


def components(workspace: Workspace) -> Parts:
    """Lay out the view: texts in the left third; variants, heatmap and chosen pair at the right.

    Args:
        workspace: Where the models are, for the code of a result.
    """
    shown, baseline, difference, chosen = (gr.State(None, time_to_live=STATE_SECONDS) for _ in range(4))
    gr.Markdown(LABELS("similarity.lead"), elem_classes="lead")
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            texts = text_inputs("similarity")
            link = link_parts("similarity")
        with gr.Column(scale=2, min_width=320):
            first, second, subtract = _variants()
            heatmap = CosineHeatmap(height=560, elem_id="similarity-heatmap")
            pair = gr.HTML(elem_id="similarity-pair")
            token_pairs.build(workspace, chosen)
            caption = gr.HTML(elem_id="similarity-caption")
            notices = gr.HTML(elem_classes="notices", elem_id="similarity-notices")
            evidence = evidence_button("similarity")
            with gr.Accordion(LABELS("ui.how_to_read"), open=False):
                gr.Markdown(LABELS("similarity.reading"), elem_classes="reading")
            write_code = code_panel(workspace, "similarity", shown)
    outputs = (heatmap, pair, caption, notices, shown, baseline, difference, chosen)
    return Parts(texts, first, second, subtract, *outputs, evidence, link, write_code)


def _variants() -> tuple[VariantInputs, VariantInputs, gr.Button]:
    """Two variants side by side: as the view is, and without an instruction."""
    default = instruction_presets("embedding")[0]
    with gr.Accordion(LABELS("similarity.variants"), open=False, elem_id="similarity-variants"):
        gr.Markdown(LABELS("similarity.variants_lead"), elem_classes="reading")
        first, second = (_variant("first", default), _variant("second", ""))
        subtract = gr.Button(LABELS("similarity.subtract"), elem_id="similarity-subtract")
    return first, second, subtract


def _variant(side: str, instruction: str) -> VariantInputs:
    with gr.Row():
        return VariantInputs(_model(side), _instruction(side, instruction), _dimensions(side), _dtype(side))


def _model(side: str) -> gr.Dropdown:
    choices = [(LABELS("similarity.loaded"), ""), *((name, name) for name in names("embedding"))]
    return _dropdown(side, "model", choices, "", typed=True)


def _instruction(side: str, value: str) -> gr.Dropdown:
    presets = [(preset, preset) for preset in instruction_presets("embedding")]
    return _dropdown(
        side, "instruction", [(LABELS("similarity.no_instruction"), ""), *presets], value, typed=True
    )


def _dimensions(side: str) -> gr.Dropdown:
    most = max(checkpoint.dimensions for checkpoint in published("embedding"))
    sizes = [(str(size), size) for size in ladder(most)]
    return _dropdown(side, "dimensions", [(LABELS("similarity.all_dimensions"), 0), *sizes], 0)


def _dtype(side: str) -> gr.Dropdown:
    return _dropdown(side, "dtype", [(LABELS(f"similarity.dtype_{name}"), name) for name in DTYPES], "auto")


def _dropdown(
    side: str, name: str, choices: list[tuple[Any, Any]], value: str | int, *, typed: bool = False
) -> gr.Dropdown:
    return gr.Dropdown(
        choices,
        value=value,
        label=LABELS(f"similarity.{name}_{side}"),
        allow_custom_value=typed,
        min_width=140,
        elem_id=f"similarity-{name}-{side}",
    )

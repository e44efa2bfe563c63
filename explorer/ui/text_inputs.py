"""Queries, documents and an instruction: the inputs that Similarity and Dimensions share."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from explorer.service.examples import comparison_example
from explorer.service.prompts import instruction_presets
from explorer.ui.language import LABELS


@dataclass(frozen=True)
class TextInputs:
    """The components, filled with the worked example."""

    queries: gr.Textbox
    documents: gr.Textbox
    instruction: gr.Dropdown
    run: gr.Button
    stop: gr.Button


def text_inputs(view: str) -> TextInputs:
    """Lay out the inputs of one view.

    Args:
        view: The view's name, which begins every element's id and names the button's label.

    Returns:
        The components.
    """
    example = comparison_example()
    presets = instruction_presets("embedding")
    return TextInputs(
        queries=gr.Textbox(
            "\n".join(example.queries),
            label=LABELS("ui.queries"),
            lines=6,
            max_lines=12,
            elem_id=f"{view}-queries",
        ),
        documents=gr.Textbox(
            "\n".join(example.documents),
            label=LABELS("ui.documents"),
            lines=10,
            max_lines=18,
            elem_id=f"{view}-documents",
        ),
        instruction=gr.Dropdown(
            [(preset, preset) for preset in presets],
            value=presets[0],
            allow_custom_value=True,
            label=LABELS("ui.instruction"),
            info=LABELS("ui.instruction_choose"),
            elem_id=f"{view}-instruction",
        ),
        run=gr.Button(LABELS(f"{view}.run"), variant="primary", elem_id=f"{view}-run"),
        stop=gr.Button(LABELS("ui.stop"), elem_id=f"{view}-stop", size="sm"),
    )

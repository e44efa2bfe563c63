"""The components of the Map view and where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from explorer.service.examples import demo_query
from explorer.service.prompts import default_instruction
from explorer.ui.components import ScatterMap
from explorer.ui.language import LABELS


@dataclass(frozen=True)
class Parts:
    """The components of this view."""

    upload: gr.File
    preview: gr.Dataframe
    text_column: gr.Dropdown
    neighbors: gr.Slider
    min_dist: gr.Slider
    seed: gr.Number
    run: gr.Button
    stop: gr.Button
    demo: gr.Button
    colour: gr.Dropdown
    query: gr.Textbox
    instruction: gr.Textbox
    find: gr.Button
    points: ScatterMap
    chosen: gr.HTML
    table: gr.HTML
    caption: gr.HTML
    notices: gr.HTML
    project: gr.State


def components(project: gr.State) -> Parts:
    """Lay out the view: corpus and layout in the left third, map and documents at the right.

    Args:
        project: Where the name of the project that is shown is kept.
    """
    gr.Markdown(LABELS("map.lead"), elem_classes="lead")
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            asked = _asking()
            chosen = gr.HTML(elem_id="map-chosen")
            corpus = _corpus_inputs()
        with gr.Column(scale=2, min_width=320):
            shown = _map_outputs()
    return Parts(**asked, chosen=chosen, **corpus, **shown, project=project)


def _asking() -> dict[str, Any]:
    query = gr.Textbox(
        demo_query(),
        label=LABELS("map.ask"),
        placeholder=LABELS("map.ask_placeholder"),
        lines=2,
        elem_id="map-query",
    )
    with gr.Accordion(LABELS("ui.instruction"), open=False):
        instruction = gr.Textbox(
            default_instruction(),
            show_label=False,
            label=LABELS("ui.instruction"),
            lines=2,
            elem_id="map-instruction",
        )
    find = gr.Button(LABELS("map.find"), variant="primary", elem_id="map-find")
    return {"query": query, "instruction": instruction, "find": find}


def _corpus_inputs() -> dict[str, Any]:
    upload = gr.File(label=LABELS("map.upload"), type="filepath", height=120, elem_id="map-upload")
    preview = gr.Dataframe(
        label=LABELS("map.preview"),
        interactive=False,
        visible=False,
        datatype="str",
        max_height=180,
        elem_id="map-preview",
    )
    text_column = gr.Dropdown([], label=LABELS("map.text_column"), visible=False, elem_id="map-text-column")
    with gr.Accordion(LABELS("map.layout"), open=False):
        neighbors = gr.Slider(
            2,
            100,
            value=15,
            step=1,
            label=LABELS("map.neighbors"),
            info=LABELS("map.neighbors_info"),
            elem_id="map-neighbors",
        )
        min_dist = gr.Slider(
            0, 0.99, value=0.1, step=0.01, label=LABELS("map.min_dist"), info=LABELS("map.min_dist_info")
        )
        seed = gr.Number(42, label=LABELS("map.seed"), precision=0)
    with gr.Row():
        run = gr.Button(LABELS("map.run"), elem_id="map-run", scale=3)
        stop = gr.Button(LABELS("ui.stop"), elem_id="map-stop", scale=1, min_width=80)
    demo = gr.Button(LABELS("map.demo"), size="sm", elem_id="map-demo")
    return {
        "upload": upload,
        "preview": preview,
        "text_column": text_column,
        "neighbors": neighbors,
        "min_dist": min_dist,
        "seed": seed,
        "run": run,
        "stop": stop,
        "demo": demo,
    }


def _map_outputs() -> dict[str, Any]:
    colour = gr.Dropdown([], label=LABELS("map.colour_column"), elem_id="map-colour")
    points = ScatterMap(elem_id="map-points", height=560)
    caption = gr.HTML(elem_id="map-caption")
    notices = gr.HTML(elem_classes="notices", elem_id="map-notices")
    table = gr.HTML(elem_id="map-table")
    with gr.Accordion(LABELS("ui.how_to_read"), open=False):
        gr.Markdown(LABELS("map.reading"), elem_classes="reading")
    return {"colour": colour, "points": points, "caption": caption, "notices": notices, "table": table}

"""A page with every interactive part on it, fed with invented texts, some of them hostile. Run: ``... PORT``."""

from __future__ import annotations

import json
import sys

import gradio as gr
from invented import HOSTILE, PROVENANCE, corpus, curve, dimensions, heatmap, prompt, rerank_items, reranked

from explorer.ui.components import (
    Chip,
    CosineHeatmap,
    DimensionsView,
    FigureView,
    ModelChips,
    RankedCards,
    ScatterMap,
    TokenStrip,
    map_categories,
    map_points,
    map_query,
    map_texts,
    map_values,
    model_chips_data,
    part_words,
    ranked_cards_data,
    token_strip_data,
    unpack_indices,
)
from explorer.ui.theme import theme

CHIPS = [
    Chip("Embedding", "Mini (bundled)", "document", "The embedding model that is loaded"),
    Chip("Reranker", "Qwen3-Reranker-0.6B", "query"),
    Chip("dtype", "fp32"),
    Chip("Device", HOSTILE[:30], "warning"),
]


def wire(parts: dict[str, gr.HTML], log: gr.Textbox) -> None:
    """Write every event into the log as JSON."""

    def note(name: str):
        def handler(event: gr.EventData) -> str:
            data = dict(event._data)
            if "b64" in data:
                data = {"n": len(unpack_indices(data["b64"]))}
            return json.dumps({"part": name, **data})

        return handler

    for part, event in [
        ("cards", "pick"),
        ("heatmap", "pick"),
        ("dimensions", "change"),
        ("dimensions", "pick"),
        ("map", "pick"),
        ("map", "lasso"),
    ]:
        getattr(parts[part], event)(note(f"{part}.{event}"), None, log, show_progress="hidden")


def tabs(words) -> dict[str, gr.HTML]:
    """All parts, the later ones in tabs that start hidden."""
    with gr.Tab("Rerank", id="rerank"):
        cards = RankedCards(
            data=ranked_cards_data("password", rerank_items(1), PROVENANCE),
            words=words("cards"),
            elem_id="cards",
        )
        strip = TokenStrip(tokens=token_strip_data([("", prompt())]), words=words("tokens"), elem_id="tokens")
    with gr.Tab("Similarity", id="similarity"):
        cosines = CosineHeatmap(**heatmap(4, 10), words=words("heatmap"), elem_id="heatmap")
        other = FigureView(figure=curve(), words=words("figure"), elem_id="curve", height=320)
    with gr.Tab("Dimensions", id="dimensions"):
        view = DimensionsView(data=dimensions(8, 12, 1024), words=words("dimensions"), elem_id="dimensions")
    with gr.Tab("Map", id="map"):
        points = ScatterMap(elem_id="map", height=520)
    return {
        "cards": cards,
        "tokens": strip,
        "heatmap": cosines,
        "curve": other,
        "dimensions": view,
        "map": points,
    }


def button(name: str, handler, output: gr.HTML) -> None:
    """A button that feeds new props to a part."""
    gr.Button(name, elem_id=f"do-{name}", size="sm").click(handler, None, output, show_progress="hidden")


def build() -> gr.Blocks:
    """The page."""
    layout, texts, topics = corpus(400)
    big_layout, big_texts, big_topics = corpus(5_000)

    def words(part):
        return part_words(part, "en")

    with gr.Blocks(title="Parts") as page:
        ModelChips(
            data=model_chips_data(CHIPS, 5_300_000_000, 16_000_000_000), words=words("chips"), elem_id="chips"
        )
        with gr.Tabs():
            parts = tabs(words)
        log = gr.Textbox(label="log", elem_id="log")
        with gr.Row():
            button(
                "reorder",
                lambda: RankedCards(data=reranked(5)),
                parts["cards"],
            )
            button("chinese", lambda: RankedCards(words=part_words("cards", "zh")), parts["cards"])
            button("square", lambda: DimensionsView(data=dimensions(64, 64, 1024)), parts["dimensions"])
            button("difference", lambda: CosineHeatmap(**heatmap(4, 10, variants=2)), parts["heatmap"])
            button("large", lambda: CosineHeatmap(**heatmap(300, 300)), parts["heatmap"])
            button("move", lambda: ScatterMap(points=map_points(-layout)), parts["map"])
            button(
                "mark",
                lambda: ScatterMap(highlight="[3,9,27]", query=map_query((2, 1), HOSTILE, [5, 6])),
                parts["map"],
            )
            button(
                "big",
                lambda: ScatterMap(
                    points=map_points(big_layout),
                    texts=map_texts(big_texts),
                    categories=map_categories(big_topics, "topic", "other"),
                ),
                parts["map"],
            )
            button(
                "values",
                lambda: ScatterMap(categories="", values=map_values(layout[:, 0], "length")),
                parts["map"],
            )
            button("empty", lambda: ScatterMap(points="", texts="[]", categories="", values=""), parts["map"])
        wire(parts, log)
        page.load(
            lambda: ScatterMap(
                points=map_points(layout),
                texts=map_texts(texts),
                categories=map_categories(topics, "topic", "other"),
                words=words("map"),
            ),
            None,
            parts["map"],
            show_progress="hidden",
        )
    return page


if __name__ == "__main__":
    build().launch(
        server_name="127.0.0.1",
        server_port=int(sys.argv[1]),
        theme=theme(),
        ssr_mode=False,
        run_history=False,
        footer_links=[],
    )

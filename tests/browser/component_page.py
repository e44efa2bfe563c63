"""A page with every interactive part on it, fed with invented texts, some of them hostile. Run: ``... PORT``."""

from __future__ import annotations

import json
import sys

import gradio as gr
import numpy as np

from explorer.figures.heatmap import similarity_heatmap
from explorer.figures.matryoshka import dimensions_curve
from explorer.ui.components import (
    Chip,
    DimensionsView,
    FigureView,
    ModelChips,
    PromptToken,
    RankedCards,
    RankedItem,
    ScatterMap,
    TokenStrip,
    dimensions_data,
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

HOSTILE = (
    "<img src=x onerror=\"window.broken='img'\"> <script>window.broken='script'</script> "
    "{{constructor}} ${window.broken='template'} &lt;b&gt; <a href='javascript:1'>link</a>"
)
PROVENANCE = ["Mini (bundled), fp32 on CPU"]
TEXTS = [
    "To reset your password, open Settings, choose Security and follow the link that we send to your address.",
    "Passwords should be at least twelve characters long and never be used for two services at once.",
    "Our support desk answers on weekdays between nine and five; at weekends please leave a message.",
    "If the reset link has expired, ask for a new one; the old one stops working after thirty minutes.",
    "The password of the guest network is printed on the card beside the router in the entrance hall.",
    HOSTILE,
    "重置密码：打开“设置”，选择“安全”，然后点击我们发送到您邮箱的链接。",
    "Invoices for the last twelve months can be downloaded as PDF from the billing page of your account.",
    "You can sign in without a password by registering a security key; it works on phones and computers.",
    "The museum opens at ten and closes at six; the last admission is half an hour before closing time.",
]
RNG = np.random.default_rng(7)


def rerank_items(seed: int) -> list[RankedItem]:
    """Ten documents in two invented orders."""
    rng = np.random.default_rng(seed)
    cosine = np.sort(rng.uniform(0.21, 0.79, len(TEXTS)))[::-1]
    log_odds = np.round(rng.normal(-0.5, 3.1, len(TEXTS)), 2)
    after = np.empty(len(TEXTS), dtype=int)
    after[np.argsort(-log_odds)] = np.arange(1, len(TEXTS) + 1)
    return [
        RankedItem(
            index=place,
            text=text,
            first_rank=place + 1,
            rerank_rank=int(after[place]),
            moved=place + 1 - int(after[place]),
            cosine=float(cosine[place]),
            log_odds=float(log_odds[place]),
            probability=float(1 / (1 + np.exp(-log_odds[place]))),
            tokens=9_412 if place == 3 else 31,
            truncated_tokens=1_220 if place == 3 else 0,
        )
        for place, text in enumerate(TEXTS)
    ]


def reranked(seed: int) -> str:
    """Data for the cards."""
    return ranked_cards_data("password", rerank_items(seed), PROVENANCE)


def unit(rows: int, full: int, near: np.ndarray | None = None) -> np.ndarray:
    """Unit vectors whose early dimensions carry most, as Matryoshka training makes them."""
    weights = np.linspace(1.0, 0.25, full) ** 2
    vectors = RNG.normal(size=(rows, full)) * weights
    if near is not None:
        vectors = vectors + 0.9 * near[RNG.integers(0, len(near), rows)] * np.sqrt(full) / 3
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def dimensions(q: int, n: int, full: int) -> str:
    """Data for the Matryoshka view, first texts readable."""
    queries = unit(q, full)
    names = [
        f"How do I {verb}?"
        for verb in ("reset my password", "download an invoice", "reach support", "sign in")
    ]
    return dimensions_data(
        [names[i] if i < len(names) else f"Question number {i + 1}" for i in range(q)],
        [TEXTS[j] if j < len(TEXTS) else f"Document number {j + 1}" for j in range(n)],
        queries,
        unit(n, full, queries),
        provenance=PROVENANCE,
    )


def corpus(n: int, seed: int = 3) -> tuple[np.ndarray, list[str], list[str | None]]:
    """Points in clusters, texts and topics; the first point lies alone at the left."""
    rng = np.random.default_rng(seed)
    topics = [
        "travel",
        "cooking",
        "astronomy",
        "law",
        "music",
        "football",
        "gardening",
        "<b>chess</b>",
        "radio",
        "tea",
    ]
    centers = (
        np.array([[np.cos(a), np.sin(a)] for a in np.linspace(0, 2 * np.pi, len(topics), endpoint=False)]) * 9
    )
    member = rng.integers(0, len(topics), n)
    layout = centers[member] + rng.normal(size=(n, 2)) * 1.2
    layout[0] = (-16, 0)
    texts = [HOSTILE if i == 0 else f"{topics[t]}: {TEXTS[i % 5]}" for i, t in enumerate(member)]
    return layout, texts, [topics[t] if i % 40 else None for i, t in enumerate(member)]


def prompt() -> list[PromptToken]:
    """A short prompt with control tokens, white space and a cut end."""
    system = [
        "<|im_start|>",
        "system",
        "\n",
        "Judge",
        " whether",
        " the",
        " Document",
        " meets",
        " it",
        ".",
        "<|im_end|>",
    ]
    user = [
        "\n",
        "<|im_start|>",
        "user",
        "\n",
        "<Query>",
        ":",
        " reset",
        " password",
        "\n",
        "<script>",
        "\t",
        "打开",
    ]
    pieces = [*system, *user, "“设置”", " and", " wait", "<|im_end|>", "\n"]
    return [
        PromptToken(id=151_644 - 7 * i, text=piece, special=piece.startswith("<|"), cut=23 <= i <= 26)
        for i, piece in enumerate(pieces)
    ]


def heatmap() -> str:
    """A small heatmap with a hostile label."""
    scores = RNG.uniform(0.1, 0.9, (4, len(TEXTS)))
    return similarity_heatmap(scores, TEXTS[2:6], TEXTS, caption=PROVENANCE).to_json()


def curve() -> str:
    """Overlap at each size."""
    sizes = [32, 64, 128, 256, 512, 1024]
    kept = np.array([0.62, 0.78, 0.9, 0.96, 0.98, 1.0])
    return dimensions_curve(sizes, kept, (1 - kept) / 9, k=5, caption=PROVENANCE).to_json()


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
        strip = TokenStrip(tokens=token_strip_data(prompt()), words=words("tokens"), elem_id="tokens")
    with gr.Tab("Similarity", id="similarity"):
        figure = FigureView(figure=heatmap(), words=words("figure"), elem_id="heatmap")
        other = FigureView(figure=curve(), words=words("figure"), elem_id="curve", height=320)
    with gr.Tab("Dimensions", id="dimensions"):
        view = DimensionsView(data=dimensions(8, 12, 1024), words=words("dimensions"), elem_id="dimensions")
    with gr.Tab("Map", id="map"):
        points = ScatterMap(elem_id="map", height=520)
    return {
        "cards": cards,
        "tokens": strip,
        "heatmap": figure,
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

"""Invented texts and numbers for the page of parts, some of them hostile."""

from __future__ import annotations

from typing import Literal

import numpy as np

from explorer.analysis.matryoshka import MatryoshkaCurve
from explorer.figures.matryoshka import dimensions_curve
from explorer.ui.components import (
    HeatmapMatrix,
    PromptToken,
    RankedItem,
    cosine_heatmap_data,
    cosine_heatmap_random,
    dimensions_data,
    ranked_cards_data,
)

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


def heatmap(rows: int, columns: int, variants: int = 1) -> dict[str, str]:
    """Cosines of invented texts, some of them hostile, with their random pairs; two variants make a difference."""
    queries = [TEXTS[(row + 2) % len(TEXTS)] for row in range(rows)]
    documents = [TEXTS[column % len(TEXTS)] for column in range(columns)]
    rng = np.random.default_rng(11)

    def matrix(name: Literal["query_document", "document_document"], height: int) -> HeatmapMatrix:
        layers = [rng.uniform(0.1, 0.9, (height, columns)).astype(np.float32) for _ in range(variants)]
        if name == "document_document":
            layers = [
                np.clip(layer + layer.T + 2 * np.eye(columns), 0, 1).astype(np.float32) for layer in layers
            ]
        orders = [np.arange(count, dtype=np.int32)[::-1] for count in (height, columns)]
        return HeatmapMatrix(name, tuple(layers), *orders)

    matrices = [matrix("query_document", rows), matrix("document_document", columns)]
    labels = ["small", HOSTILE] if variants == 2 else []
    unrelated = [np.linspace(-0.2, 0.4, 1000).astype(np.float32)] * variants
    return {
        "data": cosine_heatmap_data(queries, documents, matrices, labels, PROVENANCE),
        "random": cosine_heatmap_random({matrix.name: unrelated for matrix in matrices}),
    }


def curve() -> str:
    """Overlap at each size."""
    sizes = np.array([32, 64, 128, 256, 512, 1024], np.int32)
    kept = np.array([0.62, 0.78, 0.9, 0.96, 0.98, 1.0])
    return dimensions_curve(MatryoshkaCurve(sizes, 5, kept, kept, kept, (1 - kept) / 9)).to_json()

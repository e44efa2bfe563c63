"""Measure an embedding model on texts that it never learned from."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from explorer.training.distil.texts import LANGUAGES, Passage, chinese_passages, similarity_rows

Matrix = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Matrix]
INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"
"""The task of the published model card, used where a caller names none."""
Figures = dict[str, float]


def as_query(text: str, instruction: str = INSTRUCTION) -> str:
    """Write a query the way Qwen3-Embedding reads it."""
    return f"Instruct: {instruction}\nQuery:{text}"


def evaluate(encode: Encode, data: Path, dimensions: Sequence[int]) -> Figures:
    """Measure similarity, retrieval and translation search.

    Args:
        encode: texts to vectors [n, d], of any length.
        data: folder of the raw collections.
        dimensions: the widths at which similarity is measured.

    Returns:
        Figures by name; similarity is Spearman's rank correlation on the STS benchmark's dev part.
    """
    figures: Figures = {}
    for language in LANGUAGES:
        rows = similarity_rows(data, language, "dev")
        for width, figure in similarity(encode, rows, dimensions).items():
            figures[f"sts {language} {width}"] = figure
    held = chinese_passages(data)[1]
    half = len(held) // 2
    figures |= named("retrieval zh cmrc", retrieval(encode, held[:half]))
    figures |= named("retrieval zh drcd", retrieval(encode, held[half:]))
    for language in LANGUAGES[1:]:
        figures[f"translation en-{language} recall@1"] = translation_recall(encode, data, language)
    return figures


def similarity(
    encode: Encode, rows: Sequence[tuple[str, str, float]], dimensions: Sequence[int]
) -> dict[int, float]:
    """Rank correlation of cosines with people's scores, by number of dimensions."""
    first, second = (encode([str(row[side]) for row in rows]) for side in (0, 1))
    scores = [row[2] for row in rows]
    return {
        width: float(spearmanr((prefix(first, width) * prefix(second, width)).sum(1), scores)[0])
        for width in dimensions
    }


def read_questions(file: Path) -> dict[str, list[Passage]]:
    """Read JSON lines with ``language``, ``question`` and ``paragraph``: passages by language."""
    passages: dict[str, list[Passage]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        passages.setdefault(item["language"], []).append(Passage(item["paragraph"], (item["question"],)))
    return passages


def demo_ndcg(encode: Encode, folder: Path) -> Figures:
    """Search the demo corpus with its judged queries: mean nDCG@10 by language of the query."""
    with (folder / "corpus.csv").open(encoding="utf-8", newline="") as lines:
        corpus = {row["id"]: row["text"] for row in csv.DictReader(lines)}
    with (folder / "judgements.tsv").open(encoding="utf-8", newline="") as lines:
        grades = [
            (row["query_id"], row["doc_id"], int(row["grade"]))
            for row in csv.DictReader(lines, delimiter="\t")
        ]
    queries = [
        json.loads(line) for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    documents = list(corpus)
    scores = (
        prefix(encode([as_query(query["text"]) for query in queries]), 10_000)
        @ prefix(encode(list(corpus.values())), 10_000).T
    )
    by_language: dict[str, list[float]] = {"all": []}
    for query, row in zip(queries, scores, strict=True):
        gain = {document: 2.0**grade - 1 for name, document, grade in grades if name == query["id"]}
        found = [gain.get(documents[index], 0.0) for index in (-row).argsort()[:10]]
        best = sorted(gain.values(), reverse=True)[:10]
        value = _discounted(found) / _discounted(best)
        by_language["all"].append(value)
        by_language.setdefault(query["language"], []).append(value)
    return {f"demo {language} ndcg@10": float(np.mean(values)) for language, values in by_language.items()}


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / float(np.log2(rank + 2)) for rank, gain in enumerate(gains))


def retrieval(encode: Encode, passages: Sequence[Passage]) -> tuple[float, float]:
    """Search every question among all paragraphs: (recall@1, nDCG@10)."""
    questions = [
        (question, index) for index, passage in enumerate(passages) for question in passage.questions
    ]
    documents = prefix(encode([passage.paragraph for passage in passages]), 10_000)
    queries = prefix(encode([as_query(question) for question, _ in questions]), 10_000)
    right = np.array([index for _, index in questions])
    scores = queries @ documents.T
    ranks = (scores > scores[np.arange(len(right)), right][:, None]).sum(1)
    gains = np.where(ranks < 10, 1 / np.log2(ranks + 2), 0.0)
    return float((ranks == 0).mean()), float(gains.mean())


def translation_recall(encode: Encode, data: Path, language: str, count: int = 500) -> float:
    """Share of English sentences whose translation is nearest among ``count`` different ones."""
    english, other = (similarity_rows(data, code, "dev") for code in ("en", language))
    firsts = list(dict.fromkeys(row[0] for row in english))[:count]
    position = {row[0]: index for index, row in reversed(list(enumerate(english)))}
    sources = prefix(encode(firsts), 10_000)
    targets = prefix(encode([other[position[text]][0] for text in firsts]), 10_000)
    return float(((sources @ targets.T).argmax(1) == np.arange(len(firsts))).mean())


def prefix(vectors: Matrix, width: int) -> Matrix:
    """Cut rows to ``width`` dimensions and scale them to length one."""
    cut = vectors[:, :width]
    return np.asarray(cut / np.maximum(np.linalg.norm(cut, axis=1, keepdims=True), 1e-12), dtype=np.float32)


def named(name: str, pair: tuple[float, float]) -> Figures:
    """Name the two figures of a retrieval."""
    return {f"{name} recall@1": pair[0], f"{name} ndcg@10": pair[1]}


def folder_encoder(folder: Path, limit: int = 512, batch: int = 64) -> Encode:
    """Load a model folder with plain transformers: last-token pooling, in float32."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()

    def encode(texts: Sequence[str]) -> Matrix:
        order = np.argsort([len(text) for text in texts], kind="stable")
        vectors = np.zeros((len(texts), model.config.hidden_size), dtype=np.float32)
        for start in range(0, len(texts), batch):
            rows = order[start : start + batch]
            inputs = tokenizer(
                [texts[row] for row in rows],
                padding=True,
                truncation=True,
                max_length=limit,
                return_tensors="pt",
            )
            with torch.inference_mode():
                vectors[rows] = model(**inputs).last_hidden_state[:, -1].numpy()
        return vectors

    return encode

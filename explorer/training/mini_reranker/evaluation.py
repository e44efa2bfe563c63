"""How well a reranker finds the one paragraph that answers a question.

::

    python -m explorer.training.mini_reranker.evaluation --model DIR --embedding DIR --questions FILE

Each question gets a list of its own paragraph and others of the file: drawn at random, drawn from the same topic
first, or those that an embedding model holds to be nearest. The embedding model and BM25 rank the same lists.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import AutoModel, Qwen3ForCausalLM

from explorer.engine.prompts import DEFAULT_INSTRUCTION
from explorer.training.mini_reranker.model import score_lists
from explorer.training.mini_reranker.recipe import PromptMaker
from explorer.training.quality.bm25 import Bm25
from explorer.training.sources.sampling import RankedList

Scorer = Callable[[str, Sequence[str]], NDArray[np.float64]]
"""Scores of documents for a query; higher is better."""


@dataclass(frozen=True)
class Question:
    """A question, the paragraph that answers it, and what both are about."""

    language: str
    topic: str
    question: str
    paragraph: str


@dataclass(frozen=True)
class Ranking:
    """Share of lists with the right paragraph first, and the mean of 1 / its rank."""

    top_one: float
    reciprocal_rank: float


def read_questions(path: Path, language: str) -> list[Question]:
    """Read the questions of one language from a JSONL file."""
    rows = [Question(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]
    return [row for row in rows if row.language == language]


def random_lists(questions: Sequence[Question], size: int, seed: int) -> list[list[str]]:
    """For each question its paragraph, followed by others drawn at random."""
    rng = random.Random(seed)
    return [
        [one.paragraph, *rng.sample([other.paragraph for other in questions if other is not one], size - 1)]
        for one in questions
    ]


def topical_lists(questions: Sequence[Question], size: int, seed: int) -> list[list[str]]:
    """For each question its paragraph, followed by all of the same topic and then random ones."""
    rng = random.Random(seed)
    lists = []
    for one in questions:
        others = [other for other in questions if other is not one]
        rng.shuffle(others)
        others.sort(key=lambda other: other.topic != one.topic)
        lists.append([one.paragraph, *(other.paragraph for other in others[: size - 1])])
    return lists


def hardest_lists(questions: Sequence[Question], size: int, scorer: Scorer) -> list[list[str]]:
    """For each question its paragraph, followed by the wrong ones that a scorer likes best."""
    lists = []
    for one in questions:
        others = [other.paragraph for other in questions if other is not one]
        order = np.argsort(-scorer(one.question, others))
        lists.append([one.paragraph, *(others[i] for i in order[: size - 1])])
    return lists


def decoy_lists(questions: Sequence[Question], path: Path) -> tuple[list[str], list[list[str]]]:
    """Pairs of the right paragraph and a text that only repeats the question's words.

    Args:
        questions: Questions with their paragraphs.
        path: JSONL file of questions and decoys.

    Returns:
        Questions, and for each its paragraph and its decoy.
    """
    paragraphs = {one.question: one.paragraph for one in questions}
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [row["question"] for row in rows], [[paragraphs[row["question"]], row["decoy"]] for row in rows]


def rank(questions: Sequence[str], lists: Sequence[Sequence[str]], scorer: Scorer) -> Ranking:
    """Rank lists whose first document is the right one; a tie counts against it.

    Args:
        questions: One a list.
        lists: Documents.
        scorer: What is measured.

    Returns:
        Both measures over all lists.
    """
    ranks = []
    for question, documents in zip(questions, lists, strict=True):
        scores = scorer(question, documents)
        ranks.append(1 + int((scores[1:] >= scores[0]).sum()))
    return Ranking(sum(r == 1 for r in ranks) / len(ranks), sum(1 / r for r in ranks) / len(ranks))


def reranker_scorer(folder: Path, instruction: str = DEFAULT_INSTRUCTION) -> Scorer:
    """Score with a reranker's log-odds, by way of the training code's forward pass."""
    model = Qwen3ForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    prompt = PromptMaker(tokenizer)

    @torch.inference_mode()
    def score(query: str, documents: Sequence[str]) -> NDArray[np.float64]:
        ids = [tokenizer.encode(f" {text.strip()}", add_special_tokens=False).ids for text in documents]
        prompts = [prompt(RankedList("", instruction, query, ids))]
        return score_lists(model, prompts, prompt.yes, prompt.no)[0].double().numpy()

    return score


def embedding_scorer(folder: Path, instruction: str | None = None) -> Scorer:
    """Score with the cosine of an embedding model's vectors, each text encoded once.

    Args:
        folder: The embedding model.
        instruction: Put before the query in the official format, unless None.

    Returns:
        The scorer.
    """
    model = AutoModel.from_pretrained(folder, dtype=torch.float32)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    end = tokenizer.token_to_id("<|endoftext|>")
    known: dict[str, torch.Tensor] = {}

    @torch.inference_mode()
    def encode(text: str) -> torch.Tensor:
        if text not in known:
            ids = [*tokenizer.encode(text, add_special_tokens=False).ids, end]
            last = model(input_ids=torch.tensor([ids]), use_cache=False).last_hidden_state[0, -1]
            known[text] = functional.normalize(last, dim=0)
        return known[text]

    def score(query: str, documents: Sequence[str]) -> NDArray[np.float64]:
        asked = query if instruction is None else f"Instruct: {instruction}\nQuery:{query}"
        return (torch.stack([encode(text) for text in documents]) @ encode(asked)).double().numpy()

    return score


def bm25_scorer(tokenizer_file: Path, texts: Sequence[str]) -> Scorer:
    """Score by BM25 over lower-cased tokens, with statistics from all texts."""
    tokenizer = Tokenizer.from_file(str(tokenizer_file))

    def tokens(text: str) -> list[int]:
        return tokenizer.encode(f" {text.lower()}", add_special_tokens=False).ids

    places = {text: index for index, text in enumerate(dict.fromkeys(texts))}
    found = Bm25([tokens(text) for text in places])

    def score(query: str, documents: Sequence[str]) -> NDArray[np.float64]:
        return found.scores(tokens(query))[[places[text] for text in documents]]

    return score


def report(model: Path, embedding: Path, questions: Path, languages: Sequence[str], size: int = 10) -> str:
    """Measure reranker, embedding model (with the default instruction) and BM25 on the same lists.

    Decoys, where a file ``decoys.jsonl`` lies beside the questions, are lists of two: the right paragraph and a text
    that repeats the question's words.

    Args:
        model: Folder of the reranker.
        embedding: Folder of the embedding model.
        questions: JSONL file.
        languages: Which of its languages.
        size: Documents a list.

    Returns:
        A table in Markdown: share of right paragraphs on rank one / mean reciprocal rank.
    """
    reranker, nearest = reranker_scorer(model), embedding_scorer(embedding, DEFAULT_INSTRUCTION)
    decoys = questions.parent / "decoys.jsonl"
    lines = ["| language | lists | reranker | embedding | BM25 |", "|---|---|---|---|---|"]
    for language in languages:
        rows = read_questions(questions, language)
        asked = [row.question for row in rows]
        kinds = {
            "random": (asked, random_lists(rows, size, 0)),
            "same topic": (asked, topical_lists(rows, size, 0)),
            "hardest": (asked, hardest_lists(rows, size, nearest)),
        }
        if language == "en" and decoys.exists():
            kinds["decoys"] = decoy_lists(rows, decoys)
        texts = {text for _, lists in kinds.values() for texts in lists for text in texts}
        bm25 = bm25_scorer(embedding / "tokenizer.json", sorted(texts))
        for kind, (queries, lists) in kinds.items():
            found = [rank(queries, lists, scorer) for scorer in (reranker, nearest, bm25)]
            cells = " | ".join(f"{one.top_one:.2f} / {one.reciprocal_rank:.2f}" for one in found)
            lines.append(f"| {language} | {kind} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Read the command line and write the table to standard output."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of the reranker")
    parser.add_argument("--embedding", type=Path, required=True, help="folder of the embedding model")
    parser.add_argument(
        "--questions", type=Path, required=True, help="JSONL file of questions and paragraphs"
    )
    parser.add_argument("--languages", default="en,zh")
    given = parser.parse_args()
    table = report(given.model, given.embedding, given.questions, given.languages.split(","))
    Path("/dev/stdout").write_text(table + "\n", "utf-8")


if __name__ == "__main__":
    main()

"""The exact inputs of both models, as text to read and as token ids to run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from explorer.engine.embedder import Embedder
from explorer.engine.reranker import Reranker
from explorer.engine.tokens import TokenView
from explorer.service.rerank import Reranking

Side = Literal["pair", "query", "document"]


@dataclass(frozen=True)
class Prompt:
    """One input.

    Attributes:
        side: The reranker's pair, or the embedding model's query or document.
        position: Which query or document, from 1.
        text: What the model reads, control tokens included.
        ids: Its token ids.
        cut_tokens: Tokens of the text that were left out because it was too long.
    """

    side: Side
    position: int
    text: str
    ids: tuple[int, ...]
    cut_tokens: int


def pair_prompts(reranker: Reranker, shown: Reranking) -> Iterator[Prompt]:
    """Spell out every pair that was judged.

    Args:
        reranker: The model that judged.
        shown: The result on screen.

    Yields:
        One prompt a document.
    """
    for position, document in enumerate(shown.documents, start=1):
        tokens = reranker.tokens(shown.query, document, shown.instruction, template=shown.scores.template)
        yield _prompt("pair", position, tokens)


def text_prompts(
    embedder: Embedder, queries: Sequence[str], documents: Sequence[str], instruction: str | None
) -> Iterator[Prompt]:
    """Spell out every text that was embedded.

    Args:
        embedder: The model that embedded.
        queries: The queries.
        documents: The documents.
        instruction: What the queries carry, or None.

    Yields:
        One prompt a text, queries first.
    """
    for position, query in enumerate(queries, start=1):
        yield _prompt("query", position, embedder.tokens(query, instruction))
    for position, document in enumerate(documents, start=1):
        yield _prompt("document", position, embedder.tokens(document))


def _prompt(side: Side, position: int, tokens: Sequence[TokenView]) -> Prompt:
    read = [token for token in tokens if not token.cut]
    text = "".join(token.text for token in read)
    return Prompt(side, position, text, tuple(token.id for token in read), len(tokens) - len(read))


def as_jsonl(prompts: Iterable[Prompt]) -> bytes:
    """Write prompts for a program.

    Args:
        prompts: The prompts.

    Returns:
        One JSON object a line, UTF-8.
    """
    return "".join(json.dumps(vars(prompt), ensure_ascii=False) + "\n" for prompt in prompts).encode()


def as_text(prompts: Iterable[Prompt]) -> bytes:
    """Write prompts for a reader.

    Args:
        prompts: The prompts.

    Returns:
        Each below a line that names it, UTF-8.
    """
    parts = []
    for prompt in prompts:
        cut = f", {prompt.cut_tokens} left out" if prompt.cut_tokens else ""
        parts.append(
            f"===== {prompt.side} {prompt.position}: {len(prompt.ids)} tokens{cut} =====\n{prompt.text}\n\n"
        )
    return "".join(parts).encode()

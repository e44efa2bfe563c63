"""The exact strings of the two families.

Sources: the model cards of Qwen3-Embedding and Qwen3-Reranker and the evaluation code of the official repository
(github.com/QwenLM/Qwen3-Embedding, folders ``examples`` and ``evaluation``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from explorer.errors import InputError
from explorer.provenance import Family

RerankTemplate = Literal["model_card", "evaluation"]
"""The two official forms of the reranker's prompt."""

END_OF_TEXT = "<|endoftext|>"
"""Ends every input of an embedding model, exactly once."""

DEFAULT_INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"
"""The default of both model cards."""

SYSTEM = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct provided. "
    'Note that the answer can only be "yes" or "no".'
)
"""The reranker's system message."""


def embedding_query(instruction: str, query: str) -> str:
    """Write the query side of the embedding models. There is no space after ``Query:``.

    Args:
        instruction: The task, one sentence.
        query: What is searched for.

    Returns:
        The text to be tokenised; documents are tokenised as they are.
    """
    return f"Instruct: {instruction}\nQuery:{query}"


@dataclass(frozen=True)
class RerankForm:
    """One of the two official prompts of the reranker.

    ``model_card``: three parts (prefix, body, suffix) that are tokenised apart and joined; fields are separated by
    one newline. This is the transformers code of the model card.

    ``evaluation``: the chat template renders a system and a user message in one string with two newlines between
    the fields; its ids are cut at ``max_length`` less the suffix, and the suffix is added. The rendered user message
    already ends in ``<|im_end|>`` and a newline, and the suffix begins with ``<|im_end|>``: so it stands twice,
    unless the document was cut, which takes the first with it. The vLLM code of the model card, offered for
    reproducing the published numbers, does exactly this, and so does this class.

    Attributes:
        name: ``"model_card"`` or ``"evaluation"``.
        separator: What stands between the fields.
        closes_message: Whether the user message is closed before the suffix is added.
        parts_apart: Whether prefix and body are tokenised apart.
    """

    name: RerankTemplate
    separator: str
    closes_message: bool
    parts_apart: bool

    @property
    def prefix(self) -> str:
        """The system message and the beginning of the user's."""
        return f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n"

    @property
    def suffix(self) -> str:
        """The end of the user's message and an empty thought, after which the model answers yes or no."""
        return "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"

    @property
    def close(self) -> str:
        """What the chat template adds after the user's message."""
        return "<|im_end|>\n" if self.closes_message else ""

    def head(self, instruction: str, query: str) -> str:
        """Write the fields before the document.

        Args:
            instruction: The task, one sentence.
            query: What is searched for.

        Returns:
            The beginning of the body, up to where the document starts.
        """
        return f"<Instruct>: {instruction}{self.separator}<Query>: {query}{self.separator}<Document>: "


FORMS: dict[RerankTemplate, RerankForm] = {
    "model_card": RerankForm("model_card", "\n", closes_message=False, parts_apart=True),
    "evaluation": RerankForm("evaluation", "\n\n", closes_message=True, parts_apart=False),
}
"""The official prompts by name; ``model_card`` is the default everywhere."""


def form_of(name: str) -> RerankForm:
    """Find a reranker prompt.

    Args:
        name: ``"model_card"`` or ``"evaluation"``.

    Returns:
        The form.

    Raises:
        InputError: There is no such template.
    """
    for known in get_args(RerankTemplate):
        if known == name:
            return FORMS[known]
    raise InputError("engine.template_unknown", template=name)


@dataclass(frozen=True)
class Preset:
    """An official instruction.

    Attributes:
        name: Short name, unique within its family.
        instruction: The exact text, with the original's own grammar.
        source: Where it stands.
        symmetric: Whether both sides of a pair carry it, as in similarity tasks.
    """

    name: str
    instruction: str
    source: str
    symmetric: bool = False


_CARD = "model card"
_EVALUATION = "evaluation code"
_BRIGHT_SOURCE = "evaluation code, BRIGHT"
_BRIGHT = {
    "aops": "Given a Math problem, retrieve relevant examples that help answer the problem.",
    "biology": "Given a post, retrieve relevant passages that help answer the post.",
    "earth_science": "Given a post, retrieve relevant passages that help answer the post.",
    "economics": "Given a economics post, retrieve relevant passages that help answer the post.",
    "leetcode": "Given a coding problem, retrieve relevant examples that help answer the problem.",
    "pony": "Given a question about pony program language, retrieve relevant passages that help answer the question.",
    "psychology": "Given a psychology post, retrieve relevant passages that help answer the post.",
    "theoremqa_questions": "Given a Math problem, retrieve relevant examples that help answer the problem.",
    "theoremqa_theorems": "Given a Math problem, retrieve relevant theorems that help answer the problem.",
    "robotics": "Given a robotics post, retrieve relevant passages that help answer the post.",
    "stackoverflow": "Given a stackoverflow post, retrieve relevant passages that help answer the post.",
    "sustainable_living": "Given a sustainable_living post, retrieve relevant passages that help answer the post.",
}
_BRIGHT_PRESETS = tuple(Preset(f"bright_{name}", text, _BRIGHT_SOURCE) for name, text in _BRIGHT.items())

EMBEDDING_PRESETS: tuple[Preset, ...] = (
    Preset("default", DEFAULT_INSTRUCTION, _CARD),
    Preset("retrieval", "Retrieval relevant passage for the given query.", _EVALUATION),
    Preset("similarity", "Retrieve semantically similar text", _EVALUATION, symmetric=True),
    Preset("translation", "Retrieve parallel sentences", _EVALUATION, symmetric=True),
    *_BRIGHT_PRESETS,
)
"""Instructions for the query side of the embedding models."""

RERANK_PRESETS: tuple[Preset, ...] = (
    Preset("default", DEFAULT_INSTRUCTION, _CARD),
    Preset("evaluation", "Given the user query, retrieval the relevant passages", _EVALUATION),
    Preset("demo", "Retrieval document that can answer user's query", "example code"),
    *_BRIGHT_PRESETS,
)
"""Instructions for the reranker; the first three are the three official defaults."""


def presets(family: Family) -> tuple[Preset, ...]:
    """List the official instructions of a family, the default first.

    Args:
        family: ``"embedding"`` or ``"reranker"``.

    Returns:
        The presets.
    """
    return EMBEDDING_PRESETS if family == "embedding" else RERANK_PRESETS

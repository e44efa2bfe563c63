"""The reranker's prompt as a chat template, which is how sentence-transformers is told about it.

A CrossEncoder turns a pair into one message of the role ``query`` and one of the role ``document`` (sbert.net,
"Creating Custom Models"); the template lays them out as the model card's transformers code does.
"""

from __future__ import annotations

from tests.engine.qwen3_reference import PREFIX, SUFFIX, TASK


def _quoted(text: str) -> str:
    """Write a text as a literal of the template language."""
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace("'", "\\'")
    return f"'{escaped}'"


_PICK = "messages | selectattr('role', 'equalto', '{role}') | map(attribute='content') | first"

RERANK_TEMPLATE = (
    "{{- "
    + " ~ ".join(
        (
            _quoted(f"{PREFIX}<Instruct>: {TASK}\n<Query>: "),
            f"({_PICK.format(role='query')})",
            _quoted("\n<Document>: "),
            f"({_PICK.format(role='document')})",
            _quoted(SUFFIX),
        )
    )
    + " }}"
)
"""Renders a query and a document into the prompt of the model card."""

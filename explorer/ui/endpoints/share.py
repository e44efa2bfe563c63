"""The endpoints ``/link``, ``/open_link``, ``/rerank_code`` and ``/similarity_code``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from explorer.engine.prompts import RerankTemplate
from explorer.service import compare, rerank
from explorer.service.code import code_of
from explorer.service.links import LinkedInputs, LinkedView, make_link, read_link
from explorer.service.workspace import Workspace
from explorer.ui.endpoints.answer import Answer, answered
from explorer.ui.jobs import said


def endpoints(workspace: Workspace) -> tuple[Callable[..., Answer], ...]:
    """Give the endpoints of this file.

    Args:
        workspace: Where the models are.

    Returns:
        Functions whose names are the endpoints'.
    """
    return (link, open_link, _rerank_code(workspace), _similarity_code(workspace))


@said
def link(
    view: LinkedView,
    queries: list[str],
    documents: list[str],
    instruction: str = "",
    template: RerankTemplate = "model_card",
    tab: str = "",
) -> Answer:
    """Write what a link needs behind the # of the page's address to restore these inputs of a view."""
    inputs = LinkedInputs(view, tuple(queries), tuple(documents), instruction, template, tab)
    yield {"fragment": make_link(inputs)}


@said
def open_link(fragment: str) -> Answer:
    """Read the part of a link behind the # of the page's address."""
    yield asdict(read_link(fragment))


def _rerank_code(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def code(
        query: str,
        documents: list[str],
        instruction: str = "",
        template: RerankTemplate = "model_card",
    ) -> Answer:
        """Rank documents, and write the Python and HTTP calls that give the same."""
        job = rerank.rerank(workspace, query, documents, instruction, template)
        yield from answered(job, lambda shown: asdict(code_of(workspace, shown, _address(workspace))))

    code.__name__ = "rerank_code"
    return code


def _similarity_code(workspace: Workspace) -> Callable[..., Answer]:
    @said
    def code(queries: list[str], documents: list[str], instruction: str = "") -> Answer:
        """Compare texts, and write the Python and HTTP calls that give the same."""
        job = compare.compare(workspace, queries, documents, instruction)
        yield from answered(job, lambda shown: asdict(code_of(workspace, shown, _address(workspace))))

    code.__name__ = "similarity_code"
    return code


def _address(workspace: Workspace) -> str:
    """Give the page's address as this machine sees it."""
    return f"http://127.0.0.1:{workspace.settings.port}"

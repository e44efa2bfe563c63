"""*Copy link*, and what a page that is opened by such a link does first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from explorer.errors import ExplorerError
from explorer.service.links import LinkedInputs, LinkedView, is_link, make_link, read_link
from explorer.texts import say
from explorer.ui.jobs import INSTANT, QUIET, said
from explorer.ui.language import LABELS, language_of

READ_FRAGMENT = "() => [location.hash]"

REOPEN = """() => {
  window.addEventListener("hashchange", () => { if (location.hash.startsWith("#explorer=")) location.reload(); });
  return [location.hash];
}"""
"""A link that is pasted into the page that it belongs to opens it again."""

TAB_IN_FRONT = """(...inputs) => {
  const tab = document.querySelector("#rerank-tools [role=tab][aria-selected=true]");
  inputs[inputs.length - 1] = (tab?.id ?? "").replace(/^tab-rerank-/, "").replace(/-button$/, "");
  return inputs;
}"""

COPY = """(fragment) => {
  const link = location.origin + location.pathname + "#" + fragment;
  navigator.clipboard?.writeText(link).catch(() => {});
  return link;
}"""


@dataclass(frozen=True)
class LinkParts:
    """The button, and what appears when it is pressed.

    Attributes:
        button: Makes the link.
        tab: Carries the name of the tab in front from the browser.
        fragment: Carries what follows the ``#``.
        link: The whole link, for a browser that refuses its clipboard.
    """

    button: gr.Button
    tab: gr.Textbox
    fragment: gr.Textbox
    link: gr.Textbox


def link_parts(view: LinkedView) -> LinkParts:
    """Lay out the button of one view.

    Args:
        view: The view, whose name begins every element's id.
    """
    return LinkParts(
        button=gr.Button(
            LABELS("links.copy"),
            size="sm",
            elem_id=f"{view}-copy-link",
        ),
        tab=gr.Textbox(visible=False),
        fragment=gr.Textbox(visible=False),
        link=gr.Textbox(
            label=LABELS("links.link"),
            info=LABELS("links.copied"),
            visible=False,
            interactive=False,
            lines=1,
            max_lines=2,
            elem_id=f"{view}-link",
        ),
    )


def linked(inputs: LinkedInputs) -> tuple[str, gr.Textbox]:
    """Answer the button.

    Args:
        inputs: What the view holds.

    Returns:
        What follows the ``#``, and the field with the whole link, now to be seen.
    """
    return make_link(inputs), gr.Textbox(visible=True)


def connect_link(
    parts: LinkParts, inputs: Sequence[Any], made: Callable[..., tuple[str, gr.Textbox]]
) -> None:
    """Make a link when the button is pressed.

    Args:
        parts: From :func:`link_parts`.
        inputs: The view's inputs.
        made: Handler that takes their values and the name of the tab in front, and answers with :func:`linked`.
    """
    outputs = [parts.fragment, parts.link]
    pressed = parts.button.click(made, [*inputs, parts.tab], outputs, js=TAB_IN_FRONT, **QUIET)
    pressed.success(None, parts.fragment, parts.link, js=COPY, **INSTANT)


def restored(
    after: Any,  # noqa: ANN401 - gradio's events have no type of their own
    view: LinkedView,
    outputs: Sequence[Any],
    fill: Callable[[LinkedInputs], tuple[Any, ...]],
) -> Any:  # noqa: ANN401
    """Put the inputs of a link into a view, when the page was opened by one.

    Args:
        after: What opens the page, for instance ``page.load``.
        view: Which view.
        outputs: Its inputs.
        fill: Gives a value for each of them.

    Returns:
        The event, after which the view may run.
    """

    @said
    def opened(fragment: str, request: gr.Request) -> tuple[Any, ...]:
        """Fill the inputs; a link that cannot be read leaves the worked example and says so."""
        linked = _read(fragment, request) if is_link(fragment) else None
        if linked is None or linked.view != view:
            return (gr.skip(),) * len(outputs)
        return fill(linked)

    return after(opened, gr.Textbox(visible=False), list(outputs), js=READ_FRAGMENT, **QUIET)


def open_linked_view(page: gr.Blocks, views: gr.Tabs) -> None:
    """Bring the view to the front that a link belongs to.

    Args:
        page: The page.
        views: Its tabs.
    """

    @said
    def in_front(fragment: str, request: gr.Request) -> Any:  # noqa: ANN401 - an update or none
        """Choose the view; what is wrong with a link is said here, once."""
        if not is_link(fragment):
            return gr.skip()
        linked = _read(fragment, request, aloud=True)
        return gr.skip() if linked is None else gr.Tabs(selected=linked.view)

    page.load(in_front, gr.Textbox(visible=False), views, js=REOPEN, **QUIET)


def _read(fragment: str, request: gr.Request, *, aloud: bool = False) -> LinkedInputs | None:
    try:
        return read_link(fragment)
    except ExplorerError as error:
        if aloud:
            language = language_of(request)
            gr.Warning(error.text(language), title=say("ui.please_check", language))
        return None

"""What every interactive part of the page shares: how it reaches the browser and how it is updated.

A part is a ``gr.HTML`` whose markup is one empty element; scripts in ``assets/web`` draw into it. Data travels in
props, never in ``value`` (which Gradio would send back with every event) and never as markup: the scripts write
text through ``textContent`` only, so no corpus can become HTML.

Updating from a handler follows Gradio: return the class with only the changed props, already in wire form, for
instance ``RankedCards(data=ranked_cards_data(...))``. Until a part is on the page, Gradio keeps only the props of
the last update: put parts in ``gr.Tab(render_children=True)``, or send all props but ``height`` together. Use
``show_progress="hidden"`` on such events, or Gradio lays its own spinner over the part.
"""

from __future__ import annotations

import hashlib
from abc import ABCMeta
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.component_meta import ComponentMeta, updateable

WEB = Path(__file__).resolve().parents[3] / "assets" / "web"


class PartMeta(ComponentMeta):  # type: ignore[misc, unused-ignore]
    """Gradio's metaclass without the ``.pyi`` file that it would write beside our sources."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, object]) -> PartMeta:
        """Wrap ``__init__`` as Gradio does, so that a component returned by a handler becomes an update."""
        if "__init__" in attrs:
            attrs["__init__"] = updateable(attrs["__init__"])  # type: ignore[no-untyped-call]
        return ABCMeta.__new__(cls, name, bases, attrs)


@cache
def plotly_script() -> Path:
    """Find plotly.js inside the installed plotly package, without importing it.

    Returns:
        Path of ``plotly.min.js``.

    Raises:
        ModuleNotFoundError: plotly is not installed.
    """
    spec = find_spec("plotly")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("plotly")
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"


@cache
def _serve() -> None:
    """Let Gradio hand out our scripts and plotly.js, both from this machine."""
    gr.set_static_paths([WEB, plotly_script()])


@cache
def _url(path: Path) -> str:
    """Address of a served file; the digest makes browsers drop an older copy."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return f"gradio_api/file={path.as_posix()}?v={digest}"


def _head(scripts: Sequence[str]) -> str:
    """Script tags for the shared base and a part's own files, in order."""
    paths = [WEB / "base.js", *(WEB / name for name in scripts)]
    return "".join(f'<script src="{escape(_url(path))}"></script>' for path in paths)


class BrowserPart(gr.HTML, metaclass=PartMeta):  # type: ignore[misc, unused-ignore]
    """A component drawn by ``assets/web/<part>.js`` into a reserved space."""

    def __init__(
        self,
        part: str,
        *,
        scripts: Sequence[str],
        events: Sequence[str],
        props: Mapping[str, Any],
        **options: object,
    ) -> None:
        """Create the element and hand the props to its script.

        Args:
            part: Name under which the script registers itself.
            scripts: Files in ``assets/web``, in load order.
            events: Events the script may trigger; each becomes a method, for instance ``.pick(handler)``.
            props: What the script draws; ``height`` is the reserved height in pixels.
            **options: What ``gr.HTML`` takes: ``elem_id``, ``visible``, ``scale`` ...
        """
        _serve()
        style = scripts[-1].removesuffix(".js") + ".css"
        quoted = ", ".join(f"'{event}'" for event in events)
        library = _url(plotly_script()) if "plotly_theme.js" in scripts else ""
        height = int(props["height"])
        for_gradio: dict[str, Any] = {**props, **options}
        super().__init__(
            None,
            html_template=(
                f'<div class="xp-part" data-style="{escape(_url(WEB / style))}" '
                f'data-base="{escape(_url(WEB / "base.css"))}" data-plotly="{escape(library)}" '
                f'data-height="{height}" style="min-height:{height}px"></div>'
            ),
            js_on_load=f"ExplorerKit.mount('{part}', element, props, trigger, watch, [{quoted}]);",
            apply_default_css=False,
            head=_head(scripts),
            **for_gradio,
        )

    def api_info(self) -> dict[str, Any]:
        """Describe the (unused) value to Gradio's API page."""
        return {"type": "string"}

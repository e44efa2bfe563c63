"""The page: header, views, and the locked-down way in which it is served."""

from __future__ import annotations

import logging
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from explorer.service.limits import LIMITS
from explorer.service.workspace import Workspace
from explorer.settings import Settings
from explorer.texts import say
from explorer.ui import (
    dimensions_tab,
    endpoints,
    map_tab,
    models_tab,
    rerank_tab,
    similarity_tab,
    training_tab,
)
from explorer.ui.components import ModelChips
from explorer.ui.guard import Guard, refuse_downloads
from explorer.ui.language import LABELS
from explorer.ui.share.link import open_linked_view
from explorer.ui.theme import PAGE_CSS, theme

QUEUE: dict[str, int] = {"max_size": 32, "default_concurrency_limit": 8}
"""The thirty-third request in line is refused at once instead of waiting for minutes."""

UPLOADS_KEPT = (3600, 86400)
"""Every hour, uploads older than a day are deleted (both in seconds)."""

SESSIONS = 500
"""Visitors whose last results are remembered; the one that was away longest is forgotten first."""

SWITCH_THEME = "() => { document.body.classList.toggle('dark'); }"

log = logging.getLogger("explorer")


def build_page(workspace: Workspace) -> gr.Blocks:
    """Build the page.

    Args:
        workspace: What the views work on.

    Returns:
        The page, not yet served.
    """
    refuse_downloads()
    page: gr.Blocks
    with gr.Blocks(title=say("ui.title", "en"), analytics_enabled=False, delete_cache=UPLOADS_KEPT) as page:
        with gr.Row(elem_id="header"):
            gr.HTML("<h1 class='name'><b>Qwen3</b> Embedding Explorer</h1>", elem_id="name")
            chips = ModelChips(elem_id="chips", scale=4)
            switch = gr.Button("◐", size="sm", elem_id="theme", min_width=40, scale=0)
        switch.click(None, js=SWITCH_THEME, api_visibility="private")
        mapped = gr.State(None)
        with gr.Tabs() as views:
            with _view("rerank"):
                rerank_tab.build(workspace, page, mapped)
            with _view("similarity"):
                similarity_tab.build(workspace, page)
            with _view("dimensions"):
                dimensions_tab.build(workspace, page)
            with _view("map"):
                map_tab.build(workspace, page, mapped)
            with _view("training") as training:
                training_tab.build(workspace, page, training)
            with _view("models"):
                models_tab.build(workspace, page, chips)
        open_linked_view(page, views)
        endpoints.build(workspace)
    return page


def _view(name: str) -> gr.Tab:
    return gr.Tab(LABELS(f"ui.{name}"), id=name, elem_id=f"tab-{name}")


def launch_options(settings: Settings) -> dict[str, Any]:
    """Say how the page is served: to this machine only, with limits, and without a request to any other.

    Args:
        settings: Address and login.

    Returns:
        Arguments for gradio's ``launch``.
    """
    return {
        "server_name": settings.host,
        "server_port": settings.port,
        "auth": settings.auth,
        "share": False,
        "show_error": False,
        "quiet": True,
        "max_file_size": LIMITS.upload_bytes,
        "allowed_paths": [],
        "strict_cors": True,
        "run_history": False,
        "footer_links": [],
        "ssr_mode": False,
        "enable_monitoring": False,
        "theme": theme(),
        "css_paths": [PAGE_CSS],
        "i18n": LABELS,
        "app_kwargs": {"middleware": [Middleware(Guard, framed=settings.in_space)]},
        "state_session_capacity": SESSIONS,
    }

"""The documented HTTP endpoints: the same service functions as the views, with plain JSON in and out.

Each file has ``endpoints(workspace)``, which gives functions whose names are the endpoints'.
"""

from __future__ import annotations

import gradio as gr

from explorer.service.workspace import Workspace
from explorer.ui.endpoints import texts
from explorer.ui.jobs import DEVICE

FILES = (texts,)


def build(workspace: Workspace) -> None:
    """Publish every endpoint.

    Args:
        workspace: Where the models are.
    """
    for file in FILES:
        for endpoint in file.endpoints(workspace):
            gr.api(  # type: ignore[attr-defined]
                endpoint, api_name=endpoint.__name__, concurrency_id=DEVICE, concurrency_limit=1
            )

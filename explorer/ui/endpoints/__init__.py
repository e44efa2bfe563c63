"""The documented HTTP endpoints: the same service functions as the views, with plain JSON in and out.

Each file has ``endpoints(workspace)``, which gives functions whose names are the endpoints'.
"""

from __future__ import annotations

import gradio as gr

from explorer.service.workspace import Workspace
from explorer.ui.endpoints import (
    attribution,
    counterfactuals,
    evidence,
    instructions,
    saturation,
    self_check,
    share,
    similarity,
    size_ladder,
    texts,
    two_stages,
)
from explorer.ui.jobs import DEVICE

FILES = (
    texts,
    evidence,
    self_check,
    size_ladder,
    instructions,
    saturation,
    two_stages,
    counterfactuals,
    share,
    attribution,
    similarity,
)


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

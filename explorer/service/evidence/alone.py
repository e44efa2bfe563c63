"""Scores computed one pair at a time, which is what somebody else can compute again.

A batch adds the same numbers in another order. In float32 that moves log-odds of the bundled reranker by up to 0.0005,
in plain transformers as here; alone, both give the same number.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Never

import numpy as np
import numpy.typing as npt

from explorer.engine.reranker import Reranker
from explorer.models.loading import LoadedModel
from explorer.progress import Progress
from explorer.service.rerank import Reranking
from explorer.service.workspace import Workspace


def log_odds_alone(
    workspace: Workspace, loaded: LoadedModel, shown: Reranking
) -> Generator[Progress[Never], None, npt.NDArray[np.float32]]:
    """Judge every pair again so that its score depends on nothing else.

    Args:
        workspace: Where finished scores are kept.
        loaded: The reranker that gave the result.
        shown: The result on screen.

    Yields:
        One step a pair, or a pack on a GPU.

    Returns:
        Log-odds, float32 [documents]; :class:`explorer.engine.runner.Runner` says how far they are alone.
    """
    reranker = Reranker(loaded, workspace.cache, reproducible=True)
    log_odds = np.zeros(len(shown.documents), dtype=np.float32)
    template = shown.scores.template
    for batch in reranker.stream(shown.query, shown.documents, shown.instruction, template=template):
        log_odds[batch.indices] = batch.log_odds
        yield Progress(batch.done, batch.total, "evidence.stage_alone")
    return log_odds

"""Every analysis of the page as a function, for notebooks and scripts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from explorer.service import rerank
from explorer.service.rerank import Reranking, RerankTemplate
from explorer.service.workspace import Workspace, finished
from explorer.settings import DtypeChoice, Settings


class Laboratory:
    """An embedding model and a reranker, and what can be asked of them.

    Models are loaded when they are first needed. Results are frozen dataclasses that tell their model, number format
    and device.

    Args:
        embedding: ``"bundled"``, a published size or name, a local folder or a hub repository.
        reranker: The same for the reranker.
        device: ``"auto"``, ``"cpu"``, ``"mps"``, ``"cuda"`` or ``"cuda:N"``.
        dtype: ``"auto"``, ``"float32"`` or ``"bfloat16"``.
        offline: Never reach for the hub.
        data_dir: Where computed vectors and scores are kept between runs; the page's folder when None.
    """

    def __init__(
        self,
        embedding: str = "bundled",
        reranker: str = "bundled",
        device: str = "auto",
        dtype: DtypeChoice = "auto",
        *,
        offline: bool = False,
        data_dir: Path | None = None,
    ) -> None:
        """Load nothing yet."""
        self.workspace = Workspace(
            Settings(
                embedding=embedding,
                reranker=reranker,
                device=device,
                dtype=dtype,
                offline=offline,
                data_dir=data_dir or Settings.data_dir,
            )
        )

    def rerank(
        self,
        query: str,
        documents: Sequence[str],
        instruction: str | None = None,
        template: RerankTemplate = "model_card",
    ) -> Reranking:
        """Rank documents by the reranker, beside the embedding model's ranking.

        Args and errors as :func:`explorer.service.rerank.rerank`.
        """
        return finished(rerank.rerank(self.workspace, query, documents, instruction, template))

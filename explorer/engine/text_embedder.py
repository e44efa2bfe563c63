"""What a long job needs of an embedding model, whether it runs in this process or behind a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from explorer.engine.vectors import EmbeddedBatch
from explorer.progress import CancelToken
from explorer.provenance import Provenance


class TextEmbedder(Protocol):
    """:class:`explorer.engine.embedder.Embedder` and :class:`explorer.engine.remote_embedder.RemoteEmbedder`."""

    @property
    def provenance(self) -> Provenance:
        """What must stand beside every number."""

    @property
    def dimensions(self) -> int:
        """Full dimension of the vectors."""

    @property
    def max_length(self) -> int:
        """Longest input in tokens; 0 when not known."""

    def stream_in_order(
        self, texts: Iterable[str], instruction: str | None = None, *, cancel: CancelToken | None = None
    ) -> Iterator[EmbeddedBatch]:
        """Embed any number of texts in bounded memory, and give them back in their order."""

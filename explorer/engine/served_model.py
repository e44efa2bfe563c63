"""Which model a running server serves, as far as the server says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from explorer.engine.server import Server
from explorer.errors import InputError
from explorer.provenance import Family, Provenance

ServerKind = Literal["vllm", "sglang", "tei", "other"]
"""vLLM, SGLang, text-embeddings-inference, or another one with the same endpoints."""

MOST_TEXTS = 32
"""Texts of one request unless told otherwise; text-embeddings-inference refuses more by default."""

_MODELS = "/v1/models"
_INFO = "/info"
_NO_SUCH_ENDPOINT = (404, 405, 501)
_MOST_NAMES = 5


@dataclass(frozen=True)
class ServedModel:
    """A model behind a server, in the server's own words.

    Attributes:
        name: The server's name for it.
        kind: What kind of server it is.
        dtype: Number format where the server says it (text-embeddings-inference does), else ``"unknown"``.
        most_texts: Texts that one request may hold.
        max_length: Longest input in tokens; 0 where the server does not say.
    """

    name: str
    kind: ServerKind
    dtype: str = "unknown"
    most_texts: int = MOST_TEXTS
    max_length: int = 0

    def provenance(self, family: Family) -> Provenance:
        """Say where this model's numbers come from.

        The fingerprint is the server's name for the model: unlike a digest of weights it proves nothing, and it never
        equals the fingerprint of a model that was loaded here.

        Args:
            family: ``"embedding"`` or ``"reranker"``.

        Returns:
            The provenance, with the device ``"server"`` and the kind of server in place of the attention path.
        """
        return Provenance(self.name, family, "other", self.name, self.dtype, "server", self.kind)


def find_model(server: Server, name: str | None = None) -> ServedModel:
    """Ask a server which model it serves: ``/v1/models`` of vLLM and SGLang, ``/info`` of text-embeddings-inference.

    Args:
        server: The server.
        name: The model that is wanted; None when the server has only one.

    Returns:
        The model.

    Raises:
        InputError: The server cannot be reached or refuses, names no model, or names several and none was chosen.
    """
    listed = _known(server, _MODELS, "data")
    entries = [entry for entry in listed if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
    names = [entry["id"] for entry in entries]
    if name is None and len(names) > 1:
        shown = ", ".join(names[:_MOST_NAMES])
        raise InputError("server.several_models", server=server.host, models=shown)
    if names:
        entry = entries[names.index(name)] if name in names else entries[0]
        kind, longest = _kind(entry.get("owned_by")), _number(entry.get("max_model_len"))
        return ServedModel(name or names[0], kind, max_length=longest)
    info = _known(server, _INFO, None)
    if isinstance(info, dict) and isinstance(info.get("model_id"), str):
        most = min(_number(info.get("max_client_batch_size")) or MOST_TEXTS, MOST_TEXTS)
        dtype, longest = str(info.get("model_dtype", "unknown")), _number(info.get("max_input_length"))
        return ServedModel(info["model_id"], "tei", dtype, most, longest)
    if name is None:
        raise InputError("server.no_model", server=server.host)
    return ServedModel(name, "other")


def _known(server: Server, path: str, field: str | None) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Ask an endpoint that not every server has; an empty list when this one has it not."""
    answer = server.send(path)
    if answer.status in _NO_SUCH_ENDPOINT:
        return []
    if answer.status != 200:
        raise server.refusal(answer)
    found = answer.value
    if field is None:
        return found
    inner = found.get(field) if isinstance(found, dict) else None
    return inner if isinstance(inner, list) else []


def _kind(owner: object) -> ServerKind:
    """Read the kind of server from the owner it gives its models."""
    if owner == "vllm":
        return "vllm"
    return "sglang" if owner == "sglang" else "other"


def _number(value: object) -> int:
    """Read a number that a server gives; 0 when it gives none."""
    return value if isinstance(value, int) and value > 0 else 0

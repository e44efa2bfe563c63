"""Which model is measured: two small shapes for a CPU, and the three published ones."""

from __future__ import annotations

from dataclasses import replace

from explorer.models.catalog import Checkpoint, find

_BENCH = Checkpoint(
    name="bench",
    family="reranker",
    weights="other",
    size="bench",
    layers=6,
    hidden_size=512,
    intermediate_size=1536,
    query_heads=8,
    key_value_heads=4,
    head_dim=64,
    vocabulary=13_000,  # head and body in the proportion of the published 0.6B
    tied_head=True,
    context=2048,
)
_SMALL = replace(
    _BENCH,
    name="small",
    size="small",
    layers=4,
    hidden_size=256,
    intermediate_size=768,
    query_heads=4,
    key_value_heads=2,
    vocabulary=4_300,
)

NAMES = ("small", "bench", "0.6B", "4B", "8B")
"""What ``--shape`` takes."""


def shape(name: str) -> Checkpoint:
    """Describe one of :data:`NAMES`."""
    own = {"small": _SMALL, "bench": _BENCH}
    found = own.get(name) or find(name, "reranker")
    if found is None:
        raise ValueError(f"no shape {name!r}")
    return found

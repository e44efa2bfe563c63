"""What torch's CUDA kernel for segments of varying length computes, in plain torch on any device."""

from __future__ import annotations

from itertools import pairwise

import torch


def varlen_attn(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    cu_seq_q: torch.Tensor,
    cu_seq_k: torch.Tensor,
    max_q: int,
    max_k: int,
    *,
    scale: float | None = None,
    window_size: tuple[int, int] = (-1, -1),
    enable_gqa: bool = False,
    num_splits: int | None = None,
) -> torch.Tensor:
    """Attend segment by segment; what the kernel refuses is refused. Its form since torch 2.12."""
    if not enable_gqa and query.shape[1] != key.shape[1]:
        raise ValueError("Expect query and key/value to have the same number of heads")
    _refuse(query, key, value, cu_seq_q, cu_seq_k)
    out = torch.full_like(query, float("nan"))
    times = query.shape[1] // key.shape[1]
    bounds = zip(cu_seq_q.tolist(), cu_seq_k.tolist(), strict=True)
    for (first, first_key), (stop, stop_key) in pairwise(bounds):
        queries, keys = stop - first, stop_key - first_key
        assert 0 < queries <= max_q and 0 < keys <= max_k
        own_key, own_value = (
            part[first_key:stop_key].repeat_interleave(times, dim=1) for part in (key, value)
        )
        scores = torch.einsum("qhd,khd->hqk", query[first:stop], own_key) * (scale or query.shape[2] ** -0.5)
        # The last query stands beside the last key.
        distance = torch.arange(keys)[None, :] - torch.arange(queries)[:, None] - (keys - queries)
        left, right = (span if span >= 0 else keys for span in window_size)
        hidden = (distance > right) | (distance < -left)
        weights = scores.masked_fill(hidden, -torch.inf).softmax(dim=-1)
        out[first:stop] = torch.einsum("hqk,khd->qhd", weights, own_value)
    return out


def varlen_attn_2_11(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    cu_seq_q: torch.Tensor,
    cu_seq_k: torch.Tensor,
    max_q: int,
    max_k: int,
    *,
    scale: float | None = None,
    window_size: tuple[int, int] = (-1, -1),
) -> torch.Tensor:
    """The same in the form of torch 2.11, which names neither grouped heads nor splits."""
    return varlen_attn(
        query, key, value, cu_seq_q, cu_seq_k, max_q, max_k, scale=scale, window_size=window_size
    )


def _refuse(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    cu_seq_q: torch.Tensor,
    cu_seq_k: torch.Tensor,
) -> None:
    assert query.ndim == key.ndim == value.ndim == 3
    assert query.shape[2] == key.shape[2] == value.shape[2] <= 256
    assert query.shape[2] % 8 == 0
    assert all(part.stride(-1) == 1 for part in (query, key, value))
    for starts in (cu_seq_q, cu_seq_k):
        assert starts.dtype == torch.int32 and starts.is_contiguous() and starts[0] == 0
    assert len(cu_seq_q) == len(cu_seq_k)

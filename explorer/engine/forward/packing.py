"""Laying texts end to end, and the index arithmetic that every layer uses.

Several texts lie in one row of tokens, without padding; linear layers then compute nothing in vain. All of them may
share one beginning, which is computed once::

    tokens     [ shared prefix | text A's own | text B's own | ... ]
    positions    0 ... P-1       P ...          P ...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from explorer.engine.tokens import TokenIds

GROUP_RATIO = 1.25
"""Texts are attended to together while the longest is at most this many times the shortest."""


@dataclass(frozen=True)
class AttentionGroup:
    """Neighbouring texts whose attention is computed as one batch.

    Attributes:
        texts: Which texts.
        tokens: Their own tokens in the packed row.
        longest: Length of the longest.
        gather: Packed position of every cell of the batch, relative to the first, int64 [texts, longest]; padding
            repeats the text's last token. None when all lengths are equal.
        real: Flat positions of the cells that are not padding, int64 [tokens]; None when all lengths are equal.
        causal: For a shared prefix, which keys each query may see, bool [longest, prefix + longest]; else None.
        seen: Which keys each text's last token may see, bool [texts, 1, 1, prefix + longest]; None when all lengths
            are equal, for it then sees all.
    """

    texts: slice
    tokens: slice
    longest: int
    gather: torch.Tensor | None
    real: torch.Tensor | None
    causal: torch.Tensor | None
    seen: torch.Tensor | None


@dataclass(frozen=True)
class PackedLayout:
    """Where each text lies in a packed row.

    Attributes:
        prefix: Tokens at the beginning that all texts share; 0 for none.
        groups: The texts' own tokens, group by group.
        last: Packed position of each text's last token, int64 [texts].
    """

    prefix: int
    groups: tuple[AttentionGroup, ...]
    last: torch.Tensor


@dataclass(frozen=True)
class VarlenLayout:
    """Where each segment lies in a packed row, as kernels for texts of varying length want it.

    The prefix, the texts and the filling are segments. A text's keys are the prefix's and its own, so with a prefix
    keys and values are gathered into a longer row first.

    Attributes:
        last: Packed position of each text's last token, int32 [texts].
        query_starts: Where each segment's queries begin, and the end, int32 [segments + 1].
        key_starts: The same for the gathered keys, int32 [segments + 1].
        longest_query: Most queries of a segment.
        longest_key: Most keys of a segment.
        gather: Packed position of every key, int32 [keys]; None without a prefix, when keys lie as queries do.
        last_query_starts: :attr:`query_starts` for the texts' last tokens alone, int32 [texts + 1].
        last_key_starts: :attr:`key_starts` for the texts alone, int32 [texts + 1].
        last_gather: :attr:`gather` for the texts alone; None without a prefix.
        whole_keys: Whether the kernel must not split a segment's keys, so that what else is in the row cannot change
            the order of its sums.
    """

    last: torch.Tensor
    query_starts: torch.Tensor
    key_starts: torch.Tensor
    longest_query: int
    longest_key: int
    gather: torch.Tensor | None
    last_query_starts: torch.Tensor
    last_key_starts: torch.Tensor
    last_gather: torch.Tensor | None
    whole_keys: bool


def pack(
    sequences: Sequence[TokenIds], shared: int, device: torch.device, ratio: float = GROUP_RATIO
) -> tuple[torch.Tensor, torch.Tensor, PackedLayout]:
    """Lay texts end to end, in groups of similar length.

    Args:
        sequences: Token ids, each [tokens]; neighbours of similar length make it faster.
        shared: How many tokens all of them begin with and compute once; 0 for none.
        device: Where the forward will run.
        ratio: How many times the shortest of a group its longest may be.

    Returns:
        Token ids [1, packed], positions [1, packed], and the layout.
    """
    lengths = np.array([len(ids) - shared for ids in sequences])
    ids, positions = _row(sequences, lengths, shared, lengths[:0])
    starts = shared + np.cumsum(lengths) - lengths
    groups = tuple(
        _group(slice(first, stop), lengths[first:stop], int(starts[first]), shared, device)
        for first, stop in similar_runs(lengths, ratio)
    )
    last = torch.from_numpy(starts + lengths - 1)
    layout = PackedLayout(shared, groups, last.to(device))
    return torch.from_numpy(ids)[None].to(device), torch.from_numpy(positions)[None].to(device), layout


def pack_varlen(
    sequences: Sequence[TokenIds],
    shared: int,
    device: torch.device,
    *,
    whole_keys: bool = False,
    fixed_tokens: int = 0,
) -> tuple[torch.Tensor, torch.Tensor, VarlenLayout]:
    """Lay texts end to end, in segments.

    All numbers go to the device in one copy.

    Args:
        sequences: Token ids, each [tokens], in any order.
        shared: How many tokens all of them begin with and compute once; 0 for none.
        device: Where the forward will run.
        whole_keys: Whether the kernel must not split a segment's keys.
        fixed_tokens: A shorter row is filled up to this length with one more segment.

    Returns:
        Token ids [1, packed], positions [1, packed], and the layout.
    """
    lengths = np.array([len(ids) - shared for ids in sequences])
    filling = np.zeros(max(0, fixed_tokens - shared - int(lengths.sum())), dtype=np.int64)
    ids, positions = _row(sequences, lengths, shared, filling)
    queries = np.concatenate([[shared], lengths, [len(filling)]])
    keys = queries.copy()
    keys[1:-1] += shared
    places = {
        "last": shared + np.cumsum(lengths) - 1,
        "query_starts": _starts(queries[queries > 0]),
        "key_starts": _starts(keys[keys > 0]),
        "last_query_starts": np.arange(len(lengths) + 1),
        "last_key_starts": _starts(keys[1:-1]),
    }
    gather = _gathered(lengths, shared, len(ids)) if shared else ids[:0]
    sent = _sent({"ids": ids, "positions": positions, "gather": gather, **places}, device)
    layout = VarlenLayout(
        longest_query=int(queries.max()),
        longest_key=int(keys.max()),
        gather=sent["gather"] if shared else None,
        last_gather=sent["gather"][shared:] if shared else None,
        whole_keys=whole_keys,
        **{name: sent[name] for name in places},
    )
    return sent["ids"][None], sent["positions"][None], layout


def similar_runs(lengths: TokenIds, ratio: float) -> list[tuple[int, int]]:
    """Split texts into runs of neighbours of similar length.

    Args:
        lengths: Tokens of each text, int64 [texts], at least one text.
        ratio: How many times the shortest of a run its longest may be.

    Returns:
        (first, one past the last) of each run.
    """
    cuts, low, high = [0], int(lengths[0]), int(lengths[0])
    for index, length in enumerate(lengths.tolist()):
        low, high = min(low, length), max(high, length)
        if high > ratio * low:
            cuts.append(index)
            low = high = length
    return list(pairwise([*cuts, len(lengths)]))


def _row(
    sequences: Sequence[TokenIds], lengths: TokenIds, shared: int, filling: TokenIds
) -> tuple[TokenIds, TokenIds]:
    """Write the packed row's token ids and positions."""
    ids = [sequences[0][:shared], *(sequence[shared:] for sequence in sequences), filling]
    positions = [np.arange(shared), shared + _counted(lengths), np.arange(len(filling))]
    return np.concatenate(ids), np.concatenate(positions)


def _group(texts: slice, lengths: TokenIds, start: int, prefix: int, device: torch.device) -> AttentionGroup:
    """Precompute, once a forward, the indices that every layer uses."""
    longest = int(lengths.max())
    cells = np.arange(longest)[None, :]
    gather = real = causal = seen = None
    if longest > lengths.min():
        begins = np.cumsum(lengths) - lengths
        inside = cells < lengths[:, None]
        gather = torch.from_numpy(begins[:, None] + np.minimum(cells, lengths[:, None] - 1)).to(device)
        real = torch.from_numpy(np.flatnonzero(inside)).to(device)
        keys = np.concatenate([np.ones((len(lengths), prefix), dtype=bool), inside], axis=1)
        seen = torch.from_numpy(keys[:, None, None]).to(device)
    if prefix:
        own = torch.ones(longest, longest, dtype=torch.bool, device=device).tril()
        causal = torch.cat([own.new_ones(longest, prefix), own], dim=1)
    tokens = slice(start, start + int(lengths.sum()))
    return AttentionGroup(texts, tokens, longest, gather, real, causal, seen)


def _gathered(lengths: TokenIds, shared: int, packed: int) -> TokenIds:
    """List the packed position of every key: the prefix's own, then each text's prefix and own, then the filling."""
    keys = shared + lengths
    count = _counted(keys)
    begins = shared + np.cumsum(lengths) - lengths
    texts = np.where(count < shared, count, count - shared + np.repeat(begins, keys))
    return np.concatenate([np.arange(shared), texts, np.arange(shared + lengths.sum(), packed)])


def _counted(lengths: TokenIds) -> TokenIds:
    """Count from zero within each length."""
    return np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _starts(lengths: TokenIds) -> TokenIds:
    """Sum lengths up, beginning with zero."""
    return np.concatenate([[0], np.cumsum(lengths)])


def _sent(parts: dict[str, TokenIds], device: torch.device) -> dict[str, torch.Tensor]:
    """Send several rows of numbers to a device in one copy, as int32."""
    whole = torch.from_numpy(np.concatenate(list(parts.values())).astype(np.int32))
    if device.type == "cuda":
        whole = whole.pin_memory()
    rows = torch.split(whole.to(device, non_blocking=True), [len(part) for part in parts.values()])
    return dict(zip(parts, rows, strict=True))

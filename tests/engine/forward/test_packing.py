"""Every token lies in the packed row once, and every text finds its keys."""

from __future__ import annotations

import numpy as np
import torch
from forward_cases import CPU, sequences_of
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.engine.forward.packing import GROUP_RATIO, pack, pack_varlen, similar_runs

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=12)
SHARED = st.sampled_from([0, 1, 5])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(LENGTHS, SHARED, st.sampled_from([1.0, GROUP_RATIO]))
def test_groups_cover_every_token_once(lengths: list[int], shared: int, ratio: float) -> None:
    sequences = sequences_of(lengths, shared)
    ids, positions, layout = pack(sequences, shared, CPU, ratio)
    assert ids.shape == positions.shape == (1, shared + sum(lengths))
    assert ids[0, layout.last].tolist() == [int(sequence[-1]) for sequence in sequences]
    assert positions[0, layout.last].tolist() == [len(sequence) - 1 for sequence in sequences]
    token, text = shared, 0
    for group in layout.groups:
        assert (group.tokens.start, group.texts.start) == (token, text)
        token, text = group.tokens.stop, group.texts.stop
        own = lengths[group.texts]
        assert group.longest == max(own) <= ratio * min(own)
        assert (group.gather is None) == (group.real is None) == (group.seen is None) == (len(set(own)) == 1)
        if group.gather is not None and group.real is not None and group.seen is not None:
            cells = ids[0, group.tokens][group.gather]
            for row, sequence in zip(cells.tolist(), sequences[group.texts], strict=True):
                assert row == [*sequence[shared:], *[sequence[-1]] * (group.longest - len(sequence) + shared)]
            assert torch.equal(cells.flatten()[group.real], ids[0, group.tokens])
            assert group.seen.sum(dim=(1, 2, 3)).tolist() == [shared + length for length in own]
    assert (token, text) == (ids.shape[1], len(lengths))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(LENGTHS, SHARED, st.sampled_from([0, 3, 700]))
def test_segments_hold_whole_texts(lengths: list[int], shared: int, fixed: int) -> None:
    sequences = sequences_of(lengths, shared)
    ids, positions, layout = pack_varlen(sequences, shared, CPU, fixed_tokens=fixed)
    packed = shared + sum(lengths)
    assert ids.shape == positions.shape == (1, max(packed, fixed))
    gather = torch.arange(ids.shape[1]) if layout.gather is None else layout.gather
    last_gather = gather if layout.last_gather is None else layout.last_gather
    segments = ([sequences[0][:shared]] if shared else []) + sequences
    for index, sequence in enumerate(segments):
        keys = gather[layout.key_starts[index] : layout.key_starts[index + 1]]
        assert ids[0, keys].tolist() == sequence.tolist()
        assert positions[0, keys].tolist() == list(range(len(sequence)))
        queries = slice(layout.query_starts[index], layout.query_starts[index + 1])
        assert (
            ids[0, queries].tolist() == (sequence[shared:] if index >= min(shared, 1) else sequence).tolist()
        )
    for index, sequence in enumerate(sequences):
        keys = last_gather[layout.last_key_starts[index] : layout.last_key_starts[index + 1]]
        assert ids[0, keys].tolist() == sequence.tolist()
    assert ids[0, layout.last].tolist() == [int(sequence[-1]) for sequence in sequences]
    assert layout.last_query_starts.tolist() == list(range(len(lengths) + 1))
    assert layout.query_starts[-1] == ids.shape[1] and layout.key_starts[-1] == len(gather)
    assert layout.longest_query == layout.query_starts.diff().max()
    assert layout.longest_key == layout.key_starts.diff().max()


def test_runs_end_where_lengths_are_no_longer_similar() -> None:
    assert similar_runs(np.array([10, 8, 8, 7, 30, 30, 31]), 1.25) == [(0, 3), (3, 4), (4, 7)]
    assert similar_runs(np.array([10, 8, 8, 7, 30, 30, 31]), 1.0) == [(0, 1), (1, 3), (3, 4), (4, 6), (6, 7)]
    assert similar_runs(np.array([5]), 1.0) == [(0, 1)]

"""Gradient caching gives the whole batch's gradient, whatever the chunks."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from explorer.engine.tokens import shared_prefix
from explorer.models.loading import load_model
from explorer.training.embedding.losses import info_nce
from explorer.training.loop.forward import TRAINED, chunk_vectors, similar_chunks, token_ids
from explorer.training.loop.gradient_cache import backward_in_chunks
from explorer.training.pairs.batches import Text

TEXTS = [
    *(
        Text(word * (1 + place % 4), "Find the like")
        for place, word in enumerate(["sea", "sky", "moon", "star"])
    ),
    *(Text(f"{word} is {'very ' * place}near") for place, word in enumerate(["sea", "sky", "moon", "star"])),
]


@pytest.fixture(scope="module")
def loaded(make_model):
    found = load_model(str(make_model()), "embedding", "cpu")
    model = copy.deepcopy(found.backbone)
    model.set_attn_implementation(TRAINED)
    return model.requires_grad_(True), found.tokenizer


def padded_vectors(model, sequences):
    """The same texts padded on the right, through transformers' own attention."""
    longest = max(map(len, sequences))
    ids = torch.zeros(len(sequences), longest, dtype=torch.long)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.from_numpy(sequence)
    plain = copy.deepcopy(model)
    plain.set_attn_implementation("eager")
    last = [len(sequence) - 1 for sequence in sequences]
    return plain, plain(input_ids=ids).last_hidden_state[torch.arange(len(sequences)), last]


def contrastive(vectors):
    return info_nce(vectors[:4], vectors[4:])


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 100])
def test_gradients_are_those_of_the_whole_padded_batch(loaded, size):
    model, tokenizer = loaded
    sequences = token_ids(tokenizer, TEXTS, 64)
    assert shared_prefix(sequences[:4]) > 0  # the queries begin with their instruction
    plain, vectors = padded_vectors(model, sequences)
    expected = contrastive(vectors)
    expected.backward()
    model.zero_grad()
    chunks, places = similar_chunks(TEXTS, sequences, size)
    forwards = []

    def forward(chunk):
        forwards.append(torch.is_grad_enabled())
        return chunk_vectors(model, chunk, torch.device("cpu"))

    found = backward_in_chunks(forward, chunks, lambda rows: contrastive(rows[torch.from_numpy(places)]))
    assert found.item() == pytest.approx(expected.item(), abs=1e-5)
    for (name, mine), theirs in zip(model.named_parameters(), plain.parameters(), strict=True):
        assert torch.allclose(mine.grad, theirs.grad, atol=1e-5), name
    # One chunk is computed once; more are computed without gradients first.
    assert forwards == ([True] if size >= 8 else [False] * len(chunks) + [True] * len(chunks))


def test_only_the_last_chunk_lets_processes_exchange_gradients():
    weight = torch.ones(2, requires_grad=True)
    inside = []

    class Alone:
        def __enter__(self):
            inside.append(True)

        def __exit__(self, *_):
            inside.append(False)

    chunks = [torch.eye(2), torch.ones(1, 2), torch.ones(3, 2)]
    backward_in_chunks(
        lambda rows: rows * weight, chunks, lambda rows: rows.square().sum(), unsynchronised=Alone
    )
    assert inside == [True, False, True, False]
    assert torch.allclose(weight.grad, 2 * torch.cat(chunks).square().sum(0))


def test_every_text_finds_its_vector_again():
    sequences = [np.arange(length) for length in (5, 2, 9, 2, 7)]
    texts = [Text("a"), Text("b", "task"), Text("c"), Text("d"), Text("e", "task")]
    chunks, places = similar_chunks(texts, sequences, 2)
    flat = [ids for chunk in chunks for pack in chunk for ids in pack]
    assert [flat[place] is ids for place, ids in zip(places, sequences, strict=True)] == [True] * 5
    assert [sum(map(len, chunk)) for chunk in chunks] == [2, 2, 1]

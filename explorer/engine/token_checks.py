"""Whether inputs are made of the official token ids and end as they must."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer

from explorer.engine.plain_reference import (
    CARD_QUERIES,
    SUFFIX,
    TASK,
    TEXTS,
    card_pair_ids,
    document_ids,
    evaluation_pair_ids,
    marked_ids,
    query_ids,
)
from explorer.engine.prompts import END_OF_TEXT, FORMS, RerankTemplate
from explorer.engine.tokens import TokenIds, embedding_tokens, pair_tokens
from explorer.provenance import Family

_SHORT = 8
"""Tokens to which an embedding model's inputs are cut, to see that the end token stays."""

_BY_HAND = {"model_card": card_pair_ids, "evaluation": evaluation_pair_ids}


def differing_inputs(tokenizer: Tokenizer, family: Family, max_length: int) -> int:
    """Count the inputs whose ids are not those that :mod:`explorer.engine.plain_reference` builds.

    Args:
        tokenizer: The model's tokenizer.
        family: What the model is.
        max_length: Longest input in tokens.

    Returns:
        How many of about a dozen inputs differ; of a reranker under both official templates.
    """
    if family == "embedding":
        by_hand = [query_ids(tokenizer, text) for text in CARD_QUERIES]
        by_hand += [document_ids(tokenizer, text) for text in TEXTS]
        built = _embedding_ids(tokenizer, max_length)
    else:
        by_hand = [_BY_HAND[name](tokenizer, CARD_QUERIES[0], text) for name in FORMS for text in TEXTS]
        built = [ids for name in FORMS for ids in _pair_ids(tokenizer, name, max_length)]
    return sum(ids.tolist() != expected for ids, expected in zip(built, by_hand, strict=True))


def wrong_endings(tokenizer: Tokenizer, family: Family, max_length: int) -> int:
    """Count the inputs that do not end as the official ones, whole or cut.

    Args:
        tokenizer: The model's tokenizer.
        family: What the model is.
        max_length: Longest input in tokens.

    Returns:
        Inputs of an embedding model without exactly one ``<|endoftext|>``, at the end; inputs of a reranker that do
        not end in the empty thought after which it answers.
    """
    if family == "embedding":
        end = tokenizer.token_to_id(END_OF_TEXT)
        inputs = _embedding_ids(tokenizer, max_length)
        inputs += [sequence.ids for sequence in embedding_tokens(tokenizer, TEXTS, None, _SHORT)]
        return sum(bool(ids[-1] != end or (ids == end).sum() != 1) for ids in inputs)
    suffix = marked_ids(tokenizer, SUFFIX)
    inputs = [ids for name in FORMS for ids in _pair_ids(tokenizer, name, max_length)]
    cut = min(map(len, inputs)) + 2
    inputs += [ids for name in FORMS for ids in _pair_ids(tokenizer, name, cut)]
    return sum(ids[-len(suffix) :].tolist() != suffix for ids in inputs)


def _embedding_ids(tokenizer: Tokenizer, max_length: int) -> list[TokenIds]:
    sides: tuple[tuple[Sequence[str], str | None], ...] = ((CARD_QUERIES, TASK), (TEXTS, None))
    return [
        sequence.ids
        for texts, instruction in sides
        for sequence in embedding_tokens(tokenizer, texts, instruction, max_length)
    ]


def _pair_ids(tokenizer: Tokenizer, name: RerankTemplate, max_length: int) -> list[TokenIds]:
    pairs = pair_tokens(tokenizer, CARD_QUERIES[0], TEXTS, TASK, FORMS[name], max_length)
    return [sequence.ids for sequence in pairs]

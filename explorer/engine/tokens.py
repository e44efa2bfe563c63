"""Token ids by the official recipes: truncation, the final ``<|endoftext|>``, shared prefixes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from explorer.engine.prompts import END_OF_TEXT, RerankForm, embedding_query
from explorer.errors import InputError

TokenIds = NDArray[np.int64]
"""Token ids of one input, [tokens]."""

_CHARACTER_TOKENS = 8
"""Tokens to put together before a broken character is shown as such; UTF-8 takes at most four bytes, but tokens may
begin within one character and end within another."""

_BROKEN = "\ufffd"

_TOKENIZER_BATCH = 256

WORTH_SHARING = 16
"""Shorter common beginnings are computed for each text: sharing them costs more than it saves."""


@dataclass(frozen=True)
class TokenSequence:
    """One input exactly as the model reads it.

    Attributes:
        ids: Token ids, int64 [tokens].
        cut_ids: Tokens of the text or document that were left out, int64 [cut]; they would follow its last token.
        document: (start, end) of the text's or document's own tokens within ``ids``.
    """

    ids: TokenIds
    cut_ids: TokenIds
    document: tuple[int, int]

    def __len__(self) -> int:
        """Count the tokens."""
        return len(self.ids)


@dataclass(frozen=True)
class TokenView:
    """One token for a reader.

    Attributes:
        id: Token id.
        text: What it stands for, so that all texts in a row are the whole string: a character that takes several
            tokens stands at its first, and the others are empty. Only a replacement character that was typed may
            show several times.
        special: Whether it is a control token such as ``<|im_end|>``, even when it came from the typed text.
        cut: Whether it was left out because the input was too long.
        document: Whether it belongs to the text or document, rather than to the recipe around it.
    """

    id: int
    text: str
    special: bool
    cut: bool
    document: bool


def lengths_of(sequences: Sequence[TokenSequence]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the tokens of inputs.

    Args:
        sequences: The inputs.

    Returns:
        Tokens that the model reads, and tokens that were left out, int64 [n] each.
    """
    read = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    return read, np.array([len(sequence.cut_ids) for sequence in sequences], dtype=np.int64)


def embedding_tokens(
    tokenizer: Tokenizer, texts: Sequence[str], instruction: str | None, max_length: int
) -> list[TokenSequence]:
    """Tokenise for the embedding models.

    Text beyond ``max_length`` is cut first, then ``<|endoftext|>`` is appended, so that it is there exactly once
    whether or not the folder's tokenizer would add it (early revisions did not).

    Args:
        tokenizer: The model's tokenizer.
        texts: Queries when there is an instruction, documents when there is none.
        instruction: The task, or None for documents.
        max_length: Longest input in tokens, the end token included.

    Returns:
        One sequence a text, in the same order.

    Raises:
        InputError: The instruction alone fills ``max_length``.
    """
    end = np.array([tokenizer.token_to_id(END_OF_TEXT)], dtype=np.int64)
    whole = texts if instruction is None else [embedding_query(instruction, text) for text in texts]
    start = 0
    if instruction is not None:
        start = len(_encode(tokenizer, [embedding_query(instruction, "")])[0])
        if start + 2 > max_length:
            raise InputError("engine.instruction_too_long", tokens=start, limit=max_length)
    sequences = []
    for ids in _encode(tokenizer, whole):
        kept = min(len(ids), max_length - 1)
        sequence = np.concatenate([ids[:kept], end])
        sequences.append(TokenSequence(sequence, ids[kept:], (min(start, kept), kept)))
    return sequences


def pair_tokens(
    tokenizer: Tokenizer,
    query: str,
    documents: Sequence[str],
    instruction: str,
    form: RerankForm,
    max_length: int,
) -> list[TokenSequence]:
    """Tokenise pairs for the reranker. Only the document is ever cut.

    Args:
        tokenizer: The model's tokenizer.
        query: What is searched for.
        documents: What is judged, one pair each.
        instruction: The task.
        form: Which official prompt.
        max_length: Longest prompt in tokens.

    Returns:
        One sequence a document, in the same order.

    Raises:
        InputError: Instruction and query leave no room for a document.
    """
    prefix, suffix = (_encode(tokenizer, [part])[0] for part in (form.prefix, form.suffix))
    head = form.head(instruction, query)
    if form.parts_apart:
        bodies = [head + document for document in documents]
    else:
        # One call over the whole rendered chat, as apply_chat_template does; the prefix is part of it.
        bodies = [form.prefix + head + document + form.close for document in documents]
        prefix, head = prefix[:0], form.prefix + head
    start = len(prefix) + len(_encode(tokenizer, [head.rstrip(" ")])[0])
    if start + len(suffix) + 1 > max_length:
        raise InputError("engine.query_too_long", tokens=start + len(suffix), limit=max_length)
    closing = len(_encode(tokenizer, [form.close])[0])
    room = max_length - len(prefix) - len(suffix)
    sequences = []
    for body in _encode(tokenizer, bodies):
        end = len(body) - closing
        ids = np.concatenate([prefix, body[:room], suffix])
        stop = len(prefix) + min(room, end)
        sequences.append(TokenSequence(ids, body[room:end], (min(start, stop), stop)))
    return sequences


def common_prefix(sequences: Sequence[TokenIds]) -> int:
    """Count the tokens that all sequences begin with.

    Args:
        sequences: Token ids, each [tokens].

    Returns:
        Length of the common beginning, at most the shortest length less one, so that every sequence keeps a token
        of its own; 0 for fewer than two sequences.
    """
    if len(sequences) < 2:
        return 0
    length = min(len(ids) for ids in sequences) - 1
    for ids in sequences[1:]:
        differs = ids[:length] != sequences[0][:length]
        if differs.any():
            length = int(differs.argmax())
    return max(0, length)


def shared_prefix(sequences: Sequence[TokenIds]) -> int:
    """Count the tokens that are worth computing once for all sequences.

    Args:
        sequences: Token ids, each [tokens].

    Returns:
        :func:`common_prefix`, or 0 when it is shorter than :data:`WORTH_SHARING`.
    """
    length = common_prefix(sequences)
    return length if length >= WORTH_SHARING else 0


def describe(tokenizer: Tokenizer, sequence: TokenSequence) -> tuple[TokenView, ...]:
    """Spell out an input token by token.

    Args:
        tokenizer: The model's tokenizer.
        sequence: The input.

    Returns:
        One view a token, with those that were left out in their place.
    """
    special = tokenizer.get_added_tokens_decoder()
    start, stop = sequence.document
    whole = np.concatenate([sequence.ids[:stop], sequence.cut_ids, sequence.ids[stop:]])
    end = stop + len(sequence.cut_ids)
    texts = _spelled(tokenizer, whole.tolist())
    return tuple(
        TokenView(
            id=token,
            text=texts[position],
            special=token in special,
            cut=stop <= position < end,
            document=start <= position < end,
        )
        for position, token in enumerate(whole.tolist())
    )


def _spelled(tokenizer: Tokenizer, ids: list[int]) -> list[str]:
    """Give each token its text, a character of several tokens to the first of them."""
    texts: list[str] = []
    while len(texts) < len(ids):
        first = len(texts)
        alone = text = tokenizer.decode([ids[first]], skip_special_tokens=False)
        length = 1
        while _BROKEN in text and length < _CHARACTER_TOKENS and first + length < len(ids):
            length += 1
            text = tokenizer.decode(ids[first : first + length], skip_special_tokens=False)
        if _BROKEN in text:
            length, text = 1, alone
        texts += [text, *[""] * (length - 1)]
    return texts


def _encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[TokenIds]:
    """Tokenise without adding special tokens; those written in the text itself are recognised, as upstream."""
    found: list[TokenIds] = []
    for first in range(0, len(texts), _TOKENIZER_BATCH):
        batch = [encodable(text) for text in texts[first : first + _TOKENIZER_BATCH]]
        encoded = tokenizer.encode_batch_fast(batch, add_special_tokens=False)
        found.extend(np.asarray(item.ids, dtype=np.int64) for item in encoded)
    return found


def encodable(text: str) -> str:
    """Replace lone surrogates, which no encoding of Unicode can carry.

    Args:
        text: Any text.

    Returns:
        What is tokenised in its place.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text

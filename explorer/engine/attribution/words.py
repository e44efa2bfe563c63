"""The words of an input, and which field of the prompt each of them fills."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from tokenizers import Tokenizer

from explorer.engine.prompts import RerankForm, embedding_query
from explorer.engine.tokens import TokenSequence, describe, embedding_tokens, encodable, pair_tokens

Field = Literal["instruction", "query", "document"]
FIELDS: tuple[Field, ...] = get_args(Field)
"""What a person wrote; everything else in a prompt is the recipe around it."""

_MARK = "\uffff"
"""Stands for a field when the length of the recipe around it is measured; no text may hold this noncharacter."""

_WITHOUT_SPACES = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "BOPOMOFO")
"""Scripts that write words without spaces between them; there each token stands for itself."""

Spans = dict[Field, tuple[int, int]]
"""Where each field stands, in characters (first, after the last)."""


@dataclass(frozen=True)
class Word:
    """Neighbouring tokens that a reader sees as one word.

    Attributes:
        text: What they stand for, with the space before it.
        field: Which field it belongs to.
        start: Position of its first token.
        stop: Position after its last token.
    """

    text: str
    field: Field
    start: int
    stop: int


@dataclass(frozen=True)
class WordedInput:
    """One input exactly as the model reads it, and the words in it.

    Attributes:
        sequence: The tokens.
        words: The words that a person wrote, in reading order; tokens of the recipe belong to none.
    """

    sequence: TokenSequence
    words: tuple[Word, ...]


def pair_words(
    tokenizer: Tokenizer, query: str, document: str, instruction: str, form: RerankForm, max_length: int
) -> WordedInput:
    """Find the words of one pair.

    Args:
        tokenizer: The reranker's tokenizer.
        query: What is searched for.
        document: What is judged.
        instruction: The task.
        form: Which official prompt.
        max_length: Longest prompt in tokens.

    Returns:
        The prompt and its words.

    Raises:
        InputError: Instruction and query leave no room for a document.
    """
    query, document, instruction = (encodable(text) for text in (query, document, instruction))
    sequence = pair_tokens(tokenizer, query, [document], instruction, form, max_length)[0]
    before = "" if form.parts_apart else form.prefix
    apart = len(tokenizer.encode(form.prefix, add_special_tokens=False).ids) if form.parts_apart else 0
    head = before + form.head(instruction, query)
    spans = _spans(before + form.head(_MARK, _MARK), instruction, query)
    spans["document"] = (len(head), len(head) + len(document))
    return _worded(tokenizer, sequence, head + document + form.close, spans, apart)


def embedding_words(tokenizer: Tokenizer, text: str, instruction: str | None, max_length: int) -> WordedInput:
    """Find the words of one input of an embedding model.

    Args:
        tokenizer: The model's tokenizer.
        text: A query when there is an instruction, a document when there is none.
        instruction: The task, or None.
        max_length: Longest input in tokens.

    Returns:
        The input and its words.

    Raises:
        InputError: The instruction alone fills ``max_length``.
    """
    text = encodable(text)
    sequence = embedding_tokens(tokenizer, [text], instruction, max_length)[0]
    if instruction is None:
        return _worded(tokenizer, sequence, text, {"document": (0, len(text))}, 0)
    spans = _spans(embedding_query(_MARK, _MARK), instruction, text)
    return _worded(tokenizer, sequence, embedding_query(instruction, text), spans, 0)


def sentences_of(words: Sequence[Word]) -> tuple[tuple[int, int], ...]:
    """Put words together into sentences; none reaches from one field into another.

    Args:
        words: In reading order.

    Returns:
        (first word, after the last word) of each sentence.
    """
    starts = [
        at
        for at, word in enumerate(words)
        if at == 0 or words[at - 1].field != word.field or _ends_sentence(words[at - 1].text, word.text)
    ]
    return tuple(zip(starts, [*starts[1:], len(words)], strict=True))


def _ends_sentence(text: str, following: str) -> bool:
    """Tell whether a word is the last of its sentence."""
    if "\n" in text and text.strip():
        return True
    last = text.rstrip("\"'”’」』)） ")[-1:]
    if last and last in "。！？":
        return True
    return bool(last) and last in ".!?…" and following[:1].isspace()


def _spans(recipe: str, instruction: str, query: str) -> Spans:
    """Place instruction and query where a recipe has marks."""
    first, second = recipe.index(_MARK), recipe.rindex(_MARK)
    query_start = second - 1 + len(instruction)
    return {
        "instruction": (first, first + len(instruction)),
        "query": (query_start, query_start + len(query)),
    }


def _worded(
    tokenizer: Tokenizer, sequence: TokenSequence, text: str, spans: Spans, apart: int
) -> WordedInput:
    """Give each token its field, then put the tokens of a word together.

    Args:
        tokenizer: The tokenizer.
        sequence: The whole input.
        text: The part of it in which the fields stand.
        spans: Where they stand in ``text``.
        apart: Tokens before ``text``.
    """
    offsets = tokenizer.encode(text, add_special_tokens=False).offsets
    texts = [view.text for view in describe(tokenizer, sequence) if not view.cut]
    kept = sequence.document[1]
    words: list[Word] = []
    for position, span in enumerate(offsets[: kept - apart], start=apart):
        field = _field_at(spans, span)
        if field is None:
            continue
        last = words[-1] if words else None
        if last and last.stop == position and last.field == field and _joined(last.text, texts, position):
            words[-1] = Word(last.text + texts[position], field, last.start, position + 1)
        else:
            words.append(Word(texts[position], field, position, position + 1))
    return WordedInput(sequence, tuple(words))


def _field_at(spans: Spans, token: tuple[int, int]) -> Field | None:
    """Tell which field a token's characters touch."""
    for field, (start, stop) in spans.items():
        if token[0] < stop and token[1] > start:
            return field
    return None


def _joined(before: str, texts: Sequence[str], position: int) -> bool:
    """Tell whether a token goes on with the word before it."""
    text = texts[position]
    if not text:
        return True  # the rest of a character that takes several tokens
    return bool(before) and _within_word(before[-1]) and _within_word(text[0])


def _within_word(letter: str) -> bool:
    """Tell whether a character joins with its neighbours into a word."""
    if letter in "'’":
        return True
    if unicodedata.category(letter)[0] not in "LMN":
        return False
    return not unicodedata.name(letter, "").startswith(_WITHOUT_SPACES)

"""Reading a model's own tokenizer."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tokenizers import Tokenizer

from explorer.errors import ModelLoadError


def read_tokenizer(folder: Path, vocabulary: int) -> tuple[Tokenizer, str]:
    """Read ``tokenizer.json`` and check it against the token table.

    Args:
        folder: The model's folder.
        vocabulary: Rows of the token table.

    Returns:
        The tokenizer without truncation or padding, and a hex digest of its file.

    Raises:
        ModelLoadError: The file is missing or damaged, or does not belong to a model of this family.
    """
    path = folder / "tokenizer.json"
    try:
        raw = path.read_bytes()
        tokenizer = Tokenizer.from_str(raw.decode("utf-8"))
    except FileNotFoundError as error:
        raise ModelLoadError("models.tokenizer_missing", folder=folder.name) from error
    except Exception as error:  # the tokenizers library raises bare Exception
        raise ModelLoadError("models.tokenizer_corrupt", folder=folder.name) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    ids = tokenizer.get_vocab(with_added_tokens=True).values()
    if max(ids, default=0) >= vocabulary:
        raise ModelLoadError("models.tokenizer_too_large", folder=folder.name)
    if tokenizer.token_to_id("<|endoftext|>") is None:
        raise ModelLoadError("models.tokenizer_no_end", folder=folder.name)
    return tokenizer, hashlib.blake2b(raw, digest_size=8).hexdigest()


def answer_token(tokenizer: Tokenizer, word: str) -> int:
    """Find the single token of an answer.

    Args:
        tokenizer: The model's tokenizer.
        word: ``"yes"`` or ``"no"``.

    Returns:
        The token id.

    Raises:
        ModelLoadError: The tokenizer splits the word, so the model cannot be a reranker of this family.
    """
    ids = tokenizer.encode(word, add_special_tokens=False).ids
    if len(ids) != 1:
        raise ModelLoadError("models.answer_not_one_token", word=word)
    return int(ids[0])

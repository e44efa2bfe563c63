"""From texts and teachers to the vectors that the student should give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from explorer.training.distil.teachers import JointSpace, Matrix, fit_joint_space, unit
from explorer.training.distil.texts import Text

LONGEST_TEXT = 400
"""Characters of a text that teachers and student read."""
SOURCE_WEIGHTS = {
    "stsb-multi-mt": 2.0,
    "wiki-split": 1.0,
    "chinese-reading": 1.0,
    "chinese-questions": 2.0,
    "intents": 1.0,
    "debian": 0.5,
    "wordnet": 0.6,
    "wordnet-examples": 1.0,
    "wordnet-questions": 0.6,
    "wordfreq": 0.3,
    "cc-cedict": 0.3,
    "edict": 0.2,
}


ENGLISH_ORDER = ("stsb-multi-mt", "intents", "wiki-split", "wordnet-examples", "wordnet", "debian")
"""The English teacher is slow: it reads these sources first, as far as its time allows."""


@dataclass(frozen=True)
class TeacherVectors:
    """What the teachers said about which text.

    Attributes:
        multilingual: [n, 512] unit rows.
        multilingual_row: text -> row.
        english: [m, 384] unit rows.
        english_row: text -> row, for the English texts that both teachers have read.
    """

    multilingual: npt.NDArray[np.float16]
    multilingual_row: dict[str, int]
    english: npt.NDArray[np.float16]
    english_row: dict[str, int]


def clip(text: str) -> str:
    """Return the part of a text that teachers and student read."""
    return " ".join(text.split())[:LONGEST_TEXT]


def english_first(texts: Sequence[Text]) -> list[str]:
    """Return the English texts in the order in which the English teacher should read them."""
    rank = {source: place for place, source in enumerate(ENGLISH_ORDER)}
    chosen = [item for item in texts if item.language == "en" and item.source in rank]
    return list(dict.fromkeys(clip(item.text) for item in sorted(chosen, key=lambda item: rank[item.source])))


def joint_space(vectors: TeacherVectors, texts: Sequence[Text], dimensions: int, seed: int = 0) -> JointSpace:
    """Fit the joint space on the English texts that both teachers read and on as many others."""
    shared = [text for text in vectors.english_row if text in vectors.multilingual_row]
    english = vectors.english[[vectors.english_row[text] for text in shared]].astype(np.float32)
    multilingual = vectors.multilingual[[vectors.multilingual_row[text] for text in shared]].astype(
        np.float32
    )
    foreign = [
        vectors.multilingual_row[clip(item.text)]
        for item in texts
        if item.language != "en" and item.source != "wordfreq" and clip(item.text) in vectors.multilingual_row
    ]
    chosen = np.random.default_rng(seed).permutation(foreign)[: len(shared)]
    return fit_joint_space(english, multilingual, vectors.multilingual[chosen].astype(np.float32), dimensions)


def targets(space: JointSpace, vectors: TeacherVectors, texts: Sequence[Text]) -> tuple[list[Text], Matrix]:
    """Return the texts that have a target, and the targets [n, d].

    A text bound to an English one aims at the middle between its own vector and the English text's.
    """
    own_space = _in_chunks(space, vectors.multilingual)
    both = [text for text in vectors.english_row if text in vectors.multilingual_row]
    rows = np.array([vectors.multilingual_row[text] for text in both])
    english = vectors.english[[vectors.english_row[text] for text in both]].astype(np.float32)
    own_space[rows] = space.from_both(english, vectors.multilingual[rows].astype(np.float32))
    known = [item for item in texts if clip(item.text) in vectors.multilingual_row]
    own = own_space[[vectors.multilingual_row[clip(item.text)] for item in known]]
    bound = [
        vectors.multilingual_row.get(clip(item.english), -1) if item.english is not None else -1
        for item in known
    ]
    translated = np.array(bound) >= 0
    own[translated] = unit(own[translated] + own_space[np.array(bound)[translated]])
    return known, own


def weights(texts: Sequence[Text]) -> npt.NDArray[np.float64]:
    """Return how often each text is drawn, relative to the others."""
    return np.array([SOURCE_WEIGHTS.get(item.source, 0.6) for item in texts])


def token_spellings(tokenizer: Tokenizer) -> list[str]:
    """Return what each token writes, without the space before it; pieces of a character become a full stop."""
    spellings = []
    for token in range(tokenizer.get_vocab_size()):
        text = tokenizer.decode([token], skip_special_tokens=True).strip()
        spellings.append("." if not text or "\ufffd" in text else text)
    return spellings


def _in_chunks(space: JointSpace, multilingual: npt.NDArray[np.float16]) -> Matrix:
    parts = [
        space.from_multilingual(multilingual[start : start + 65536].astype(np.float32))
        for start in range(0, len(multilingual), 65536)
    ]
    return np.vstack(parts)

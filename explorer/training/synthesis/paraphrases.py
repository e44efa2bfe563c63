"""Sentences of the same meaning made by rule from one document, without any model."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from explorer.training.pairs.pair import PairProvenance, TrainingPair
from explorer.training.sources.lexicon import Lexicon
from explorer.training.sources.questions import STOPWORDS
from explorer.training.synthesis.documents import SourceDocument
from explorer.training.synthesis.sentences import is_unspaced, whole_sentences

_SPLITS = (
    (re.compile(r"^(.{20,}?)[;；]\s*(.{15,})$"), "{0}{stop} {1}"),
    (re.compile(r"^(.{20,}?), (?:and|but|so|yet) ((?:the|an?|it|this|they|he|she|we|you|there) .{15,})$"), "{0}. {1}"),
    (re.compile(r"^(.{6,}?)，(?:但是|但|所以|因此)(?!是)(.{6,})$"), "{0}。{1}"),
)  # fmt: skip
_LEADS = "if when because although since while after before unless once".split()  # noqa: SIM905 - read as a line
_CHINESE_LEADS = "如果|要是|只要|因为|虽然"
_EXCHANGES = (
    (re.compile(rf"^((?:{'|'.join(_LEADS).title()}) [^,]{{8,}}), ([^,;]{{8,}})\.$"), "{1} {0}."),
    (re.compile(rf"^([^,;]{{8,}}?),? ((?:{'|'.join(_LEADS)}) [^,;]{{8,}})\.$"), "{1}, {0}."),
    (
        re.compile(rf"^((?:{_CHINESE_LEADS})[^，；]{{4,}})，(?:那么|就|所以|但是|但)?([^，；]{{4,}})。$"),
        "{1}，{0}。",
    ),
)
_CONTRACTIONS = {
    "don't": "do not", "doesn't": "does not", "isn't": "is not", "aren't": "are not", "can't": "cannot",
    "won't": "will not", "wasn't": "was not", "didn't": "did not", "it's": "it is", "you're": "you are",
}  # fmt: skip


def sentence_to_split(
    document: SourceDocument, draw: random.Random, lexicon: Lexicon
) -> Iterator[TrainingPair]:
    """Set a sentence of two statements beside the same statements in two sentences."""
    for sentence in whole_sentences(document.text):
        stop = "。" if is_unspaced(sentence) else "."
        for pattern, form in _SPLITS:
            match = pattern.match(sentence)
            if match:
                first, second = (part.strip() for part in match.groups())
                divided = form.format(first, _capital(second), stop=stop)
                yield _similarity(sentence, divided.replace("。 ", "。"), document, "sentence to split")
                break


def paraphrase(document: SourceDocument, draw: random.Random, lexicon: Lexicon) -> Iterator[TrainingPair]:
    """Set a sentence beside itself with its clauses exchanged, contractions written out, or a word replaced."""
    for sentence in whole_sentences(document.text):
        changed = _exchanged(sentence)
        changed = re.sub(r"\b[\w]+'[a-z]+\b", lambda word: _written_out(word.group()), changed)
        if document.language.split("-")[0] == "en":
            changed = " ".join(_replaced(word, lexicon, draw) for word in changed.split(" "))
        if changed != sentence:
            yield _similarity(sentence, changed, document, "paraphrase")


def _exchanged(sentence: str) -> str:
    """Move a clause of time, cause or condition to the other end of its sentence."""
    for pattern, form in _EXCHANGES:
        match = pattern.match(sentence)
        if match:
            parts = list(match.groups())
            parts[0] = parts[0][:1].lower() + parts[0][1:]
            return _capital(form.format(*parts))
    return sentence


def _written_out(word: str) -> str:
    full = _CONTRACTIONS.get(word.lower(), word)
    return _capital(full) if word[:1].isupper() else full


def _replaced(word: str, lexicon: Lexicon, draw: random.Random) -> str:
    """Replace every other word that has one sense only by a synonym, so that no other sense slips in."""
    senses = lexicon.senses.get(word, ())
    if word in STOPWORDS or len(senses) != 1 or draw.random() >= 0.5:
        return word
    others = [other for other in lexicon.synsets[senses[0]].words if other.islower() and other != word]
    return draw.choice(others) if others else word


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _similarity(query: str, text: str, document: SourceDocument, rule: str) -> TrainingPair:
    made = PairProvenance("offline", source=rule)
    return TrainingPair(query, text, "similarity", "", language=document.language, provenance=made)


SIMILARITY_RULES = (sentence_to_split, paraphrase)
"""Each takes a document, a source of randomness and a lexicon, and gives the pairs it can make."""

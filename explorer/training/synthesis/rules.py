"""Queries made by rule for one document, without any model.

Each rule gives every pair it can, with the name that provenance keeps. English has the most rules; those that need
only sentences work in every language, and some know Chinese.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from explorer.engine.prompts import DEFAULT_INSTRUCTION
from explorer.training.pairs.pair import PairProvenance, TrainingPair
from explorer.training.sources.lexicon import Lexicon
from explorer.training.sources.questions import question
from explorer.training.synthesis.documents import SourceDocument
from explorer.training.synthesis.sentences import clauses, is_unspaced, sentences, size, whole_sentences

TITLE_INSTRUCTION = "Given a title, retrieve the text that it belongs to"
CONTEXT_INSTRUCTION = "Given a sentence, retrieve the text that it was taken from"

_TERM_WORDS = 4
_DEFINITION_WORDS = 60
_QUESTIONS = {
    "en": ("what is {}", "{}", "What does {} mean?", "meaning of {}", "{} definition"),
    "zh": ("什么是{}", "{}是什么意思？", "{}", "{}的定义"),
}
_ENGLISH_TERM = re.compile(
    r"^(?:The |An? )?([A-Za-z][\w'-]*(?: [\w'-]+){0,3}) (?:is|are|means) (?:an?|the|any|when) \w+",
    re.IGNORECASE,
)
_CHINESE_TERM = re.compile(r"^([\u3400-\u9fffA-Za-z0-9]{2,8}?)(?:是指|指的是|就是|是一种|是)(?!否)")
_NOT_TERMS = frozenset(
    (
        "it",
        "this",
        "that",
        "these",
        "those",
        "there",
        "he",
        "she",
        "they",
        "we",
        "you",
        "i",
        "what",
        "which",
        "who",
    )
)
_NOT_CHINESE_TERMS = re.compile(r"[这那它他她我你哪谁]|不$|总$|都$|只$|也$|又$|还$|就$|多$|正$")
_CHINESE_QUESTIONS = ("为什么{}？", "{}吗？", "{}是怎么回事？", "{}", "怎么理解{}")


def title_to_body(document: SourceDocument, draw: random.Random, lexicon: Lexicon) -> Iterator[TrainingPair]:
    """Ask for a text by its title; a title that the text begins with is taken out of it."""
    body = document.text.removeprefix(document.title).lstrip(" .:\n。：") if document.title else ""
    if body and size(body) > size(document.title) and not _defines(document):
        yield _retrieval(document.title, body, document, "title to body", TITLE_INSTRUCTION)


def term_to_definition(
    document: SourceDocument, draw: random.Random, lexicon: Lexicon
) -> Iterator[TrainingPair]:
    """Ask what a term means: the title of a short text, or the subject of a first sentence of the form "X is a"."""
    asked = _QUESTIONS["zh" if is_unspaced(document.text) else "en"]
    if _defines(document):
        name = "term to definition"
        yield _retrieval(draw.choice(asked).format(document.title), document.text, document, name)
        return
    first = sentences(document.text)[0]
    match = (_CHINESE_TERM if is_unspaced(first) else _ENGLISH_TERM).match(first)
    if match is None or document.language.split("-")[0] not in _QUESTIONS:
        return
    term = match.group(1)
    pointing = set(term.lower().split()) & _NOT_TERMS or _NOT_CHINESE_TERMS.search(term)
    if not pointing:
        yield _retrieval(draw.choice(asked).format(term), document.text, document, "term to definition")


def _defines(document: SourceDocument) -> bool:
    """Tell whether a titled text is short enough to be the definition of its title."""
    short = 0 < size(document.title) <= _TERM_WORDS and size(document.text) <= _DEFINITION_WORDS
    return bool(document.title) and short and len(sentences(document.text)) == 1


def question_to_paragraph(
    document: SourceDocument, draw: random.Random, lexicon: Lexicon
) -> Iterator[TrainingPair]:
    """Ask something that one sentence answers; where no rule makes questions, name a sentence's telling words."""
    found = whole_sentences(document.text)
    draw.shuffle(found)
    for sentence in found:
        if document.language.split("-")[0] == "en":
            asked = question(sentence, lexicon, draw)
        elif is_unspaced(sentence):
            asked = _unspaced_question(sentence, document.language, draw)
        else:
            asked = _telling_words(sentence)
        if asked:
            yield _retrieval(asked, document.text, document, "question to paragraph")


def _unspaced_question(sentence: str, language: str, draw: random.Random) -> str:
    """Turn one clause into a question in Chinese; in Japanese the clause itself is the query."""
    usable = [clause for clause in clauses(sentence) if 4 <= len(clause) <= 20]
    if not usable:
        return ""
    form = draw.choice(_CHINESE_QUESTIONS) if language.split("-")[0] == "zh" else "{}"
    return form.format(draw.choice(usable))


def _telling_words(sentence: str) -> str:
    """Name a sentence's four longest words in their order; long words carry the meaning in most alphabets."""
    words = list(dict.fromkeys(re.findall(r"[^\W\d_][\w'-]{3,}", sentence)))
    longest = sorted(words, key=len, reverse=True)[:4]
    return " ".join(word for word in words if word in longest)


def sentence_to_context(
    document: SourceDocument, draw: random.Random, lexicon: Lexicon
) -> Iterator[TrainingPair]:
    """Ask for a paragraph by a sentence that was taken out of it (inverse cloze task, arXiv 1906.00300)."""
    found = sentences(document.text)
    if len(found) < 2:
        return
    order = list(range(len(found)))
    draw.shuffle(order)
    joint = "" if is_unspaced(document.text) else " "
    for taken in order:
        rest = joint.join(sentence for index, sentence in enumerate(found) if index != taken)
        if size(found[taken]) >= 4 and size(rest) >= 4:
            yield _retrieval(found[taken], rest, document, "sentence to context", CONTEXT_INSTRUCTION)


def _retrieval(
    query: str, text: str, document: SourceDocument, rule: str, instruction: str = DEFAULT_INSTRUCTION
) -> TrainingPair:
    made = PairProvenance("offline", source=rule)
    return TrainingPair(query, text, "retrieval", instruction, language=document.language, provenance=made)


RETRIEVAL_RULES = (title_to_body, term_to_definition, question_to_paragraph, sentence_to_context)
"""Each takes a document, a source of randomness and a lexicon, and gives the pairs it can make."""

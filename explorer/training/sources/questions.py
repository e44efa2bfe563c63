"""Questions made by rule from a sentence.

A sentence answers many questions. The rules here take an answer out of it (a name, a year, a number), put a question
word in its place, keep a stretch of what is left, and change some of the remaining words, so that a model which
learns from them cannot rely on equal wording alone.
"""

from __future__ import annotations

import random
import re

from explorer.training.sources.lexicon import Lexicon

_FUNCTION_WORDS = """
a an the of in on at to for from by with and or but as is are was were be been being it its this that these those
he she they his her their him them i you we my your our who which what when where how why not no do does did has
have had will would can could may might shall should if then than so such also into over under after before about
between during through there here other some any each all more most one two
"""
STOPWORDS = frozenset(_FUNCTION_WORDS.split())
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_YEAR = re.compile(r"\b1[0-9]{3}\b|\b20[0-9]{2}\b")
_NUMBER = re.compile(r"\b\d[\d.,]*\b")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w'-]+(?: [A-Z][\w'-]+)*")
_PLACE = re.compile(r"\b(?:in|at|near|from) ([A-Z][\w'-]+(?: [A-Z][\w'-]+)*)")
_SUBJECT = re.compile(
    r"^((?:The |A |An )?[\w'-]+(?: [\w'-]+){0,4}?) "
    r"((?:is|was|are|were|has|had|became|made|won|wrote|led|began|can|uses?|provides?|includes?|contains?)\b.*)$"
)
_OPENINGS = {
    "when": ("when", "in what year", "when was", "what year"),
    "number": ("how many", "how much", "what number of"),
    "where": ("where", "where was", "in which place", "what place"),
    "name": ("who", "which", "what", "who was", "what is the name of", "tell me about"),
    "subject": ("what", "who", "which", "what thing"),
    "clause": (
        "why",
        "how",
        "what about",
        "is it true that",
        "how come",
        "what happened when",
        "does",
        "was",
        "",
    ),
}


def words(text: str) -> list[str]:
    """Split a text into words, without punctuation."""
    return _WORD.findall(text)


def content_words(text: str) -> list[str]:
    """Return the words of a text that are not function words."""
    return [word for word in words(text) if word.lower() not in STOPWORDS]


def _without(sentence: str, match: re.Match[str]) -> str:
    return sentence[: match.start()] + " " + sentence[match.end() :]


def _remove_answer(sentence: str, rng: random.Random) -> tuple[str, str]:
    """Take one possible answer out: returns the kind of question and what is left of the sentence."""
    subject = _SUBJECT.match(sentence)
    choices: list[tuple[str, str]] = [("clause", sentence)]
    if subject:
        choices += [("subject", subject.group(2))] * 2
    for kind, pattern in (("when", _YEAR), ("number", _NUMBER), ("where", _PLACE), ("name", _NAME)):
        found = list(pattern.finditer(sentence))
        if found:
            choices += [(kind, _without(sentence, rng.choice(found)))] * 2
    return rng.choice(choices)


def _change(word: str, lexicon: Lexicon, rng: random.Random, swap: float) -> str:
    if word.lower() in STOPWORDS or rng.random() >= swap:
        return word
    others = lexicon.substitutes(word.lower())
    return rng.choice(others) if others else word


def question(
    sentence: str, lexicon: Lexicon, rng: random.Random, swap: float = 0.3, drop: float = 0.15
) -> str:
    """Ask something that the sentence answers.

    Args:
        sentence: A statement in English.
        lexicon: Where substitutes for words come from.
        rng: Source of randomness.
        swap: Chance that a content word with known substitutes is replaced.
        drop: Chance that a word is left out.

    Returns:
        A question or a search phrase; never empty for a sentence with a word in it.
    """
    if rng.random() < 0.25:
        return keywords(sentence, lexicon, rng, swap)
    kind, rest = _remove_answer(sentence, rng)
    left = words(rest)
    length = rng.randint(4, 12)
    start = rng.randint(0, max(0, len(left) - length))
    kept = [word for word in left[start : start + length] if rng.random() >= drop] or left[:length]
    if len([word for word in kept if word.lower() not in STOPWORDS]) < 2:
        return keywords(sentence, lexicon, rng, swap)
    changed = [_change(word, lexicon, rng, swap) for word in kept]
    opening = rng.choice(_OPENINGS[kind])
    text = " ".join([opening, *changed]).strip()
    if rng.random() < 0.3:
        text = text.lower()
    elif rng.random() < 0.6:
        text = text[:1].upper() + text[1:]
    return text + ("?" if rng.random() < 0.6 else "")


def keywords(sentence: str, lexicon: Lexicon, rng: random.Random, swap: float = 0.3) -> str:
    """Pick a few content words of a sentence, as a person types into a search box.

    Args:
        sentence: A statement in English.
        lexicon: Where substitutes for words come from.
        rng: Source of randomness.
        swap: Chance that a word with known substitutes is replaced.

    Returns:
        Two to five words.
    """
    candidates = content_words(sentence) or words(sentence)
    count = min(len(candidates), rng.randint(2, 5))
    picked = sorted(rng.sample(range(len(candidates)), count))
    chosen = [_change(candidates[i], lexicon, rng, swap) for i in picked]
    if rng.random() < 0.3:
        rng.shuffle(chosen)
    text = " ".join(chosen)
    return text.lower() if rng.random() < 0.5 else text

"""Say the opposite of a sentence, in English and Chinese, by rules over its first verb."""

from __future__ import annotations

import re
from collections.abc import Iterator

from explorer.service.changes.change import Edit
from explorer.service.changes.languages import is_chinese, is_english
from explorer.service.changes.sentence_spans import sentence_spans

_CONTRACTED = {"can't": "can", "won't": "will", "shan't": "shall", "cannot": "can"}
_NEGATIVE = re.compile(
    r"\b(?:can't|won't|shan't|cannot|(?P<verb>\w+)n't)\b"
    r"|(?P<word> (?:not(?! only)|never|no longer)\b)|(?P<none> no(?= [a-z]))",
    re.IGNORECASE,
)
_AUXILIARY = (
    r"(?P<verb>is|are|was|were|can|could|will|would|shall|should|may|might|must|do|does|did|"
    r"(?:has|have|had)(?= (?:been|\w+ed|\w+en|\w+wn|stood|gone|done|made|found|become|come|had)\b))"
)
_STATEMENT = re.compile(rf"(?<!^)(?<!\bto )\b{_AUXILIARY}\b", re.IGNORECASE)
_RELATIVE = re.compile(
    r"\b\w+s that (?P<verb>(?!is\b|are\b|was\b|were\b|the\b|it\b|they\b|you\b|we\b|a\b)[a-z]+[a-rt-z])\b"
)
_BEFORE_NOUN = (
    r"(?:(?:\d+|two|three|four|five|six|seven|eight|nine|ten|\w+teen|\w+ty|\w+est|first|last|new|old) )?"
)
_NOUN = r"(?:[A-Z][\w'-]+(?: [A-Z][\w'-]+)+|[\w'-]+)"
_SUBJECT = (
    r"(?:I|you|we|they|he|she|it|there|this|that|"
    rf"(?:the|an?|my|your|his|her|its|our|their) {_BEFORE_NOUN}{_NOUN}|(?!not\b|the\b|an?\b){_NOUN})"
)
_QUESTION = re.compile(rf"\b(?i:{_AUXILIARY}) (?P<subject>{_SUBJECT})(?= \w)")
_SUBJECT_QUESTION = re.compile(
    r"^(?:who|what|which)(?: \w+)? (?P<verb>is|are|was|were|can|will|should|must)\b"
    r"(?! (?:it|there|this|that|the|an?)\b)",
    re.IGNORECASE,
)
_OPENER = re.compile(
    r"(?:the|an?|this|that|these|those|it|he|she|they|we|every|each|most|many|some|people|my|your|our|their)\b",
    re.IGNORECASE,
)
_FALLBACK = "It is not true that "

_CHINESE_NEGATIVE = {
    "不可以": "可以",
    "不能": "能",
    "不会": "会",
    "不是": "是",
    "不得": "可以",
    "不要": "要",
    "不应": "应",
    "不宜": "宜",
    "不必": "必须",
    "不需要": "需要",
    "没有": "有",
    "无法": "能够",
    "从不": "总是",
}
_CHINESE_POSITIVE = (
    (re.compile(r"(?<![不])(?:可以|应该|应当|需要|能够)"), "不"),
    (re.compile(r"(?<!不)必须"), "不必"),
    (re.compile(r"(?<![反适供响效感相对不])应(?![急用对付变该当])"), "不应"),
    (re.compile(r"(?<![功性智可万才技职效热电不只])能(?![力量源手耗够])"), "不能"),
    (re.compile(r"(?<![社学机约开聚宴协议都不])会(?![议员计场])"), "不会"),
    (re.compile(r"(?<![总可但于不要还就只正都也])是(?![否非])"), "不是"),
    (re.compile(r"(?<![所没拥具只还享持])有(?![关时些效])"), "没有"),
)


def negate(text: str) -> Iterator[Edit]:
    """Turn one sentence into its opposite: take a negation out, or put one in.

    Args:
        text: A text in English or Chinese; other languages allow no edit.

    Yields:
        At most one edit for each sentence.
    """
    for start, end in sentence_spans(text):
        sentence = text[start:end]
        rule = _chinese if is_chinese(sentence) else _english if is_english(sentence) else None
        edit = rule(sentence) if rule is not None else None
        if edit is not None:
            yield Edit(start + edit.start, start + edit.end, edit.replacement)


def _english(sentence: str) -> Edit | None:
    negative = _NEGATIVE.search(sentence)
    if negative is not None:
        return _taken_out(negative)
    if sentence.rstrip("\"'”’)").endswith("?"):
        return _negated_question(sentence)
    relative = _RELATIVE.search(sentence)
    if relative is not None:
        return Edit(relative.start("verb"), relative.start("verb"), "do not ")
    statement = _STATEMENT.search(sentence)
    if statement is not None:
        return _put_in(statement)
    if _OPENER.match(sentence):
        return Edit(0, 1, _FALLBACK + sentence[0].lower())
    return None


def _taken_out(negative: re.Match[str]) -> Edit:
    if negative["word"]:
        return Edit(negative.start(), negative.end(), "")
    if negative["none"]:
        return Edit(negative.start(), negative.end(), " some")
    whole = negative.group()
    positive = _CONTRACTED.get(whole.lower(), negative["verb"])
    return Edit(negative.start(), negative.end(), positive)


def _put_in(auxiliary: re.Match[str]) -> Edit:
    place = auxiliary.end("verb")
    return Edit(place, place, "not" if auxiliary["verb"].lower() == "can" else " not")


def _negated_question(sentence: str) -> Edit | None:
    about_subject = _SUBJECT_QUESTION.match(sentence)
    if about_subject is not None:
        return _put_in(about_subject)
    asked = _QUESTION.search(sentence)
    return Edit(asked.end("subject"), asked.end("subject"), " not") if asked is not None else None


def _chinese(sentence: str) -> Edit | None:
    found = [(sentence.find(word), word) for word in _CHINESE_NEGATIVE if word in sentence]
    if found:
        place, word = min(found, key=lambda item: (item[0], -len(item[1])))
        return Edit(place, place + len(word), _CHINESE_NEGATIVE[word])
    matches = [(match, form) for rule, form in _CHINESE_POSITIVE if (match := rule.search(sentence))]
    if not matches:
        return None
    first, form = min(matches, key=lambda item: item[0].start())
    replacement = form + first.group() if form == "不" else form
    return Edit(first.start(), first.end(), replacement)

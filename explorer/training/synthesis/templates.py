"""The prompts of the two steps, in our own words after the report's (arXiv 2506.05176, appendix A.1).

Placeholders are filled with :meth:`str.format`, which never reads a value as a template.
"""

from __future__ import annotations

QUESTION_TYPES = {
    "keywords": "a few words typed into a search box, not a sentence",
    "acquire_knowledge": "a question by which the person wants to learn a fact or how something works",
    "summary": "a request or question whose answer sums up the passage as a whole",
    "yes_or_no": "a question that the passage answers with yes or no",
    "background": "a question about causes, history or circumstances that the passage explains",
}
"""The report's five types of question, and what the model is told about each."""

DIFFICULTIES = {
    "high_school": "everyday words, one fact",
    "university": "terms of the field, some thinking",
    "phd": "an expert's words, several facts that must be put together",
}
"""The report's three degrees of difficulty, and what the model is told about each."""

CONFIGURATION = """\
Read the passage and decide who would ask about it, and how.

1. Character: from the list, choose the person who is most likely to care about the passage.
2. Question type, one of:
{question_types}
3. Difficulty, one of:
{difficulties}

Characters:
{characters}

<passage>
{passage}
</passage>

Answer with one JSON object and nothing else, for instance:
{{"character": 2, "question_type": "yes_or_no", "difficulty": "university"}}
"""

RETRIEVAL = """\
Write what this person would type into a search engine so that the passage below is the best result.

Person: {character}
Kind of query: {question_type} ({question_type_meaning})
Difficulty: {difficulty} ({difficulty_meaning})
Language of the query: {language}
Length of the query: about {length}

The query must be answered by the passage, must make sense to somebody who has not read it, and must not copy a whole
sentence of it. Never mention "the passage" or "the text".

<passage>
{passage}
</passage>

Answer with one JSON object and nothing else: {{"query": "..."}}
"""

BITEXT = """\
Translate the text from {language} into {translation_language}. Keep its meaning, its tone and every number; add
nothing and leave nothing out. It has about {length}.

<text>
{passage}
</text>

Answer with one JSON object and nothing else: {{"translation": "..."}}
"""

CLASSIFICATION = """\
Classify the text by its {aspect}: choose a short label that fits it, and {wrong} other labels of the same kind that a
careless reader might choose but that are wrong for it. Write the labels in {language}, each in at most {length}.

<text>
{passage}
</text>

Answer with one JSON object and nothing else: {{"label": "...", "wrong_labels": ["...", "..."]}}
"""

SIMILARITY = """\
Write one sentence in {language} of about {length} that stands in this relation to the sentence below:
{degree}

Use other words than the sentence does wherever you can.

<sentence>
{passage}
</sentence>

Answer with one JSON object and nothing else: {{"sentence": "..."}}
"""

ASPECTS = ("topic", "sentiment", "genre", "intended reader", "purpose of the writer", "tone")
"""What a text may be classified by."""

DEGREES = (
    (1.0, "It means exactly the same."),
    (0.8, "It means nearly the same; only an unimportant detail differs."),
    (0.6, "It means roughly the same, but something important differs or is missing."),
    (0.4, "It is not equivalent, but shares some details with the sentence."),
    (0.2, "It is on the same subject and says something else."),
    (0.0, "It is on another subject altogether."),
)
"""(score, meaning) of the six grades of the STS tasks (arXiv 1708.00055, table 1), divided by five."""

CLASSIFICATION_INSTRUCTION = "Given a text, retrieve the label that describes its {aspect}"
"""Instruction of the query of a classification pair."""

LANGUAGE_NAMES = {
    "ar": "Arabic", "de": "German", "en": "English", "es": "Spanish", "fr": "French", "hi": "Hindi", "id": "Indonesian",
    "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese",
    "ru": "Russian", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese",
    "zh": "Chinese",
}  # fmt: skip

_UNSPACED = {"zh", "ja", "th"}
"""Languages that put no space between words, where a length in characters is understood better."""


def language_name(tag: str) -> str:
    """Name a language as a model is told it.

    Args:
        tag: BCP 47 tag.

    Returns:
        The English name, followed by the tag where that says more; the tag itself for a language without one here.
    """
    primary = tag.split("-")[0].lower()
    name = LANGUAGE_NAMES.get(primary)
    if name is None:
        return f"the language with the tag {tag}"
    return name if tag.lower() == primary else f"{name} ({tag})"


def length_in(tag: str, words: int) -> str:
    """Say a length in the unit that a language is counted in.

    Args:
        tag: BCP 47 tag.
        words: Length in words.

    Returns:
        For instance ``"12 words"`` or, at two characters a word, ``"24 characters"``.
    """
    unspaced = tag.split("-")[0].lower() in _UNSPACED
    return f"{2 * words} characters" if unspaced else f"{words} words"

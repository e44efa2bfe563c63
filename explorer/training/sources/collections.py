"""Readers of the open data sets that the mini reranker learns from.

Each reader is given the folder of its data set and returns a :class:`Source`; :func:`load_sources` reads whatever of
them is present. Origins and licences are listed in the model card.
"""

from __future__ import annotations

import csv
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from explorer.training.sources.items import Item, Source
from explorer.training.sources.lexicon import Lexicon, Synset, read_lexicon

_LANGUAGES = {"en": "English", "zh": "Chinese", "de": "German", "es": "Spanish", "fr": "French", "ja": "Japanese",
              "ru": "Russian"}  # fmt: skip
_EXAMPLE = re.compile(r'"([^"]+)"')


def wiki_split(folder: Path) -> Source:
    """Encyclopaedic sentences: the sentence is asked about, its rewriting in two sentences answers."""
    items: list[Item] = []
    for name in ("tune.tsv", "validation.tsv", "test.tsv"):
        for line in (folder / name).read_text("utf-8").splitlines():
            whole, _, parts = line.partition("\t")
            document = _untokenised(parts.replace("<::::>", " "))
            if 40 < len(document) < 600:
                items.append(Item(f"{name}{len(items)}", (document,), (), _untokenised(whole)))
    return Source("wiki-split", tuple(items), weight=3, padded=True)


def _untokenised(text: str) -> str:
    """Undo the spaces that tokenisation put before punctuation."""
    text = re.sub(r"\s+", " ", text.replace("''", '"').replace("``", '"'))
    text = re.sub(r" ([.,;:!?%)\]]|'s\b|n't\b)", r"\1", text)
    return re.sub(r"([(\[]) ", r"\1", text).strip()


def wordnet(folder: Path) -> Source:
    """Definitions: a word, a synonym or a question about its meaning is answered by the gloss."""
    lexicon = read_lexicon(folder)
    items = [
        _definition(key, synset, lexicon) for key, synset in lexicon.synsets.items() if len(synset.gloss) > 25
    ]
    return Source("wordnet", tuple(items), weight=3)


def _definition(key: str, synset: Synset, lexicon: Lexicon) -> Item:
    word, gloss = synset.words[0], _EXAMPLE.sub("", synset.gloss).strip(" ;:")
    examples = _EXAMPLE.findall(synset.gloss)
    broader = [lexicon.synsets[other].words[0] for other in synset.related.get("broader", ())[:1]]
    documents = [
        f"{word}: {gloss}",
        f"{word[:1].upper()}{word[1:]} is {gloss}.",
        f"{', '.join(synset.words)}. {gloss}.",
    ]
    if examples:
        documents.append(f"{word}: {gloss}. For example: {examples[0]}.")
    if len(synset.words) > 1 or broader:
        documents.append(gloss)
    queries = [pattern.format(name) for name in synset.words[:3] for pattern in
               ("what is {}", "{}", "What does {} mean?", "{} definition", "meaning of {}")]  # fmt: skip
    queries += [f"what {kind} is {gloss}?" for kind in broader] + [f"a word for {gloss}"]
    return Item(key, tuple(documents), tuple(queries), f"{word} is {gloss}")


def word_relations(folder: Path) -> tuple[Source, ...]:
    """The same word and documents under two instructions, which decide what is right."""
    lexicon = read_lexicon(folder)
    names = {"opposite": "Given a word, find its opposite", "broader": "Given a word, find a more general term",
             "same": "Given a word, find a synonym"}  # fmt: skip
    items: dict[str, list[Item]] = defaultdict(list)
    for key, synset in lexicon.synsets.items():
        found = {
            kind: tuple(lexicon.synsets[k].words[0] for k in keys) for kind, keys in synset.related.items()
        }
        found["same"] = synset.words[1:]
        present = [kind for kind in names if found.get(kind)]
        if len(present) < 2:
            continue
        for kind in present:
            others = tuple(word for other in present if other != kind for word in found[other])
            decoys = tuple(word for word in others if word not in found[kind])
            items[kind].append(Item(key, found[kind], (synset.words[0],), decoys=decoys))
    return tuple(Source(f"word-{kind}", tuple(rows), (names[kind],), 0.1) for kind, rows in items.items())


def descriptions(folder: Path) -> tuple[Source, ...]:
    """Software descriptions: the summary is asked for, the long description answers."""
    english = _stanzas(folder / "Translation-en")
    sources = [_summaries("debian-en", english.values(), 2)]
    for path in sorted(folder.glob("Translation-*")):
        language = path.name.removeprefix("Translation-")
        if language == "en":
            continue
        translated = _stanzas(path)
        sources.append(_summaries(f"debian-{language}", translated.values(), 0.4))
        shared = [(english[key], row) for key, row in translated.items() if key in english]
        sources.append(_summaries(f"debian-en-{language}", [(e[0], e[1], t[2]) for e, t in shared], 0.2))
        sources.append(_summaries(f"debian-{language}-en", [(e[0], t[1], e[2]) for e, t in shared], 0.2))
    return tuple(source for source in sources if len(source.items) > 100)


def _stanzas(path: Path) -> dict[str, tuple[str, str, str]]:
    """Read (package, summary, description) by checksum of the English description."""
    found = {}
    for stanza in path.read_text("utf-8", errors="replace").split("\n\n"):
        match = re.match(
            r"Package: (\S+)\nDescription-md5: (\w+)\nDescription-[\w]+: (.*)\n((?: .*\n?)+)", stanza
        )
        if match:
            name, key, summary, body = match.groups()
            text = re.sub(r"\s+", " ", body.split("\n .\n This package")[0].replace("\n .\n", "\n")).strip()
            found[key] = (name, summary, text[:900])
    return found


def _summaries(name: str, rows: Iterable[tuple[str, str, str]], weight: float) -> Source:
    items, seen = [], set()
    for package, summary, body in rows:
        asked = re.sub(r"\s*[(-][^-]*\)?$", "", summary) if len(summary) > 30 else summary
        if len(body) < 80 or asked in seen:
            continue
        seen.add(asked)
        family = package.split("-")[0]
        queries = (
            (asked, f"software for {asked}", f"{asked}?", summary)
            if name.startswith("debian-en")
            else (asked, summary)
        )
        first = re.split(r"(?<=[.。]) ", body)[0]
        statement = f"{first}" if name == "debian-en" else ""
        items.append(Item(family, (body,), queries, statement))
    return Source(name, tuple(items), weight=weight)


def intents(folder: Path) -> Source:
    """Customer questions of the same intent answer each other."""
    by_intent: dict[str, list[str]] = defaultdict(list)
    with (folder / "train.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            by_intent[row["category"]].append(row["text"])
    instructions = ("Given a customer question, find questions with the same intent", "Retrieve duplicate questions",
                    "Given a question, retrieve questions that ask the same thing")  # fmt: skip
    return Source("banking77", _chunks(by_intent), instructions, 0.5, mirrored=True)


def _chunks(by_group: dict[str, list[str]], size: int = 6) -> tuple[Item, ...]:
    return tuple(
        Item(group, tuple(texts[i : i + size]))
        for group, texts in sorted(by_group.items())
        for i in range(0, len(texts) - 1, size)
        if len(texts[i : i + size]) > 1
    )


def requests(folder: Path) -> tuple[Source, ...]:
    """Short requests: the same intent, or under another instruction the same field of life."""
    rows = json.loads((folder / "data_full.json").read_text("utf-8"))["train"]
    domains = json.loads((folder / "domains.json").read_text("utf-8"))
    by_intent: dict[str, list[str]] = defaultdict(list)
    for text, intent in rows:
        by_intent[intent].append(text)
    domain_of = {intent: domain for domain, names in domains.items() for intent in names}
    rng, fields = random.Random(0), []
    for intent, texts in sorted(by_intent.items()):
        others = [other for other in domains[domain_of[intent]] if other != intent]
        for text in texts[:20]:
            same = tuple(rng.choice(by_intent[other]) for other in rng.sample(others, min(3, len(others))))
            fields.append(Item(domain_of[intent], same, (text,)))
    same_intent = (
        "Given a request, find requests with the same intent",
        "Retrieve semantically similar text",
    )
    return (
        Source("clinc150", _chunks(by_intent), same_intent, 0.5, mirrored=True),
        Source(
            "clinc150-field",
            tuple(fields),
            ("Given a request, find requests on the same broad subject",),
            0.15,
        ),
    )


def similar_sentences(folder: Path) -> tuple[Source, ...]:
    """Sentence pairs of equal meaning, within English and across languages (row n is the same in each)."""
    table = {}
    for language in _LANGUAGES:
        path = folder / f"stsb-{language}-train.csv"
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                table[language] = [(a, b, float(score)) for a, b, score in csv.reader(file)]
    similar = ("Retrieve semantically similar text",)
    sources = []
    for language, rows in table.items():
        items = [Item(str(n), (b,), (a,)) if score >= 4 else Item(str(n), (a,), (a,), decoys=(b,))
                 for n, (a, b, score) in enumerate(rows) if score >= 4 or score <= 1.5]  # fmt: skip
        items = [item for item in items if item.queries[0] != item.documents[0]]
        sources.append(Source(f"sts-{language}", tuple(items), similar, 0.3 if language == "en" else 0.15))
        if language == "en":
            continue
        parallel = [Item(a, (rows[n][0],), (a,)) for n, (a, _, _) in enumerate(table["en"]) if n < len(rows)]
        backward = [Item(item.group, item.queries, item.documents) for item in parallel]
        name = _LANGUAGES[language]
        forms = ("Retrieve parallel sentences", f"Retrieve the translation into {name}", *similar)
        sources.append(Source(f"parallel-en-{language}", tuple(parallel), forms, 0.15))
        sources.append(
            Source(
                f"parallel-{language}-en", tuple(backward), ("Retrieve parallel sentences", *similar), 0.15
            )
        )
    return tuple(sources)


def chinese_reading(folder: Path) -> Source:
    """Chinese reading comprehension: a question is answered by its paragraph (CMRC 2018 and DRCD)."""
    items = []
    for path in sorted(folder.glob("*.json")):
        for article in json.loads(path.read_text("utf-8"))["data"]:
            title = article.get("title", "")
            for paragraph in article["paragraphs"]:
                questions = tuple(qa["question"] for qa in paragraph["qas"])
                group = title or paragraph["id"]
                items.append(Item(f"{path.name}{group}", (paragraph["context"],), questions))
    return Source(folder.name, tuple(items), weight=3)


def load_sources(folder: Path, languages: tuple[str, ...] = ("en",)) -> tuple[Source, ...]:
    """Read every data set that is present.

    Args:
        folder: Holds one sub-folder a data set, named as in the readers below.
        languages: Sources of other languages are left out.

    Returns:
        Sources with at least one item.
    """
    readers: dict[str, Callable[[Path], Source | tuple[Source, ...]]] = {
        "wiki-split": wiki_split,
        "wordnet": wordnet,
        "debian": descriptions,
        "banking77": intents,
        "clinc150": requests,
        "stsb-multi-mt": similar_sentences,
        "cmrc2018": chinese_reading,
        "drcd": chinese_reading,
    }
    found: list[Source] = []
    for name, reader in readers.items():
        if (folder / name).is_dir():
            read = reader(folder / name)
            found.extend(read if isinstance(read, tuple) else (read,))
    if (folder / "wordnet").is_dir():
        found.extend(word_relations(folder / "wordnet"))
    return tuple(source for source in found if source.items and _spoken(source.name, languages))


def _spoken(name: str, languages: tuple[str, ...]) -> bool:
    if name in ("cmrc2018", "drcd"):
        return "zh" in languages
    codes = [part[:2] for part in name.split("-")[1:] if part[:2] in _LANGUAGES]
    return name == "wiki-split" or all(code in languages for code in codes)

"""The whole body of text for the distillation, in one list and with its held-out parts kept away."""

from __future__ import annotations

import importlib
import json
import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from explorer.training.distil import dictionaries as dictionaries
from explorer.training.distil import texts as texts
from explorer.training.distil.texts import LANGUAGES, Text


@dataclass(frozen=True)
class Sources:
    """Where the raw collections lie.

    Attributes:
        data: folder with stsb-multi-mt, wiki-split, banking77, clinc150, cmrc2018 and drcd.
        wordnet: folder with WordNet's ``data.*`` files.
        cedict: the CC-CEDICT text file.
        edict: the EDICT file (EUC-JP).
        wordfreq: wordfreq's ``data`` folder.
        package_lists: apt's lists folder, fetched for all languages.
    """

    data: Path
    wordnet: Path
    cedict: Path
    edict: Path
    wordfreq: Path
    package_lists: Path


def gather(sources: Sources) -> list[Text]:
    """Collect, cap and shuffle all texts; nothing of the held-out sets is among them."""
    described = list(dictionaries.package_descriptions(sources.package_lists))
    translated = {item.english for item in described if item.english}
    collected = [
        *texts.similarity_texts(sources.data),
        *texts.split_texts(sources.data),
        *texts.intent_texts(sources.data),
        *simplified(texts.chinese_texts(sources.data)),
        *dictionaries.wordnet_texts(sources.wordnet),
        *texts.sample(dictionaries.chinese_dictionary(sources.cedict), 80_000),
        *texts.sample(dictionaries.japanese_dictionary(sources.edict), 60_000),
        *dictionaries.frequent_words(sources.wordfreq, 25_000),
        *[item for item in described if item.english or item.text in translated],
        *texts.sample(iter(item for item in described if item.language == "en"), 40_000),
    ]
    kept = texts.distinct(collected, held_out_texts(sources.data))
    random.Random(0).shuffle(kept)
    return kept


def held_out_texts(data: Path) -> set[str]:
    """Return every text that is measured and must therefore not be learned."""
    held = set()
    for language in LANGUAGES:
        for first, second, _ in texts.similarity_rows(data, language, "dev"):
            held |= {first, second}
    for passage in texts.chinese_passages(data)[1]:
        held |= {passage.paragraph, *passage.questions}
    return {" ".join(text.split()) for text in held}


def simplified(items: Iterable[Text]) -> list[Text]:
    """Add to every Chinese text its simplified spelling, when that differs."""
    convert = importlib.import_module("opencc").OpenCC("t2s").convert
    result = []
    for item in items:
        result.append(item)
        plain = convert(item.text)
        if plain != item.text:
            result.append(Text(plain, item.language, item.source + "-simplified", item.english))
    return result


def write(items: list[Text], file: Path) -> None:
    """Write texts as JSON lines."""
    with file.open("w", encoding="utf-8") as out:
        for item in items:
            out.write(json.dumps(asdict(item), ensure_ascii=False) + "\n")


def read(file: Path) -> list[Text]:
    """Read texts that ``write`` has written."""
    with file.open(encoding="utf-8") as lines:
        return [Text(**json.loads(line)) for line in lines]

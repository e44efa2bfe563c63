"""Words and their relations, read from the files of WordNet.

The format is that of the manual page wndb(5): ``data.*`` holds one synset a line (offset, file number, type, words,
pointers, ``|``, gloss), ``index.*`` lists the synsets of a lemma, commonest sense first.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

_PARTS = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
_KINDS = {"@": "broader", "@i": "broader", "!": "opposite", "+": "derived"}


@dataclass(frozen=True)
class Synset:
    """One sense: its words, its gloss and the keys of the senses it points to, by kind of relation."""

    words: tuple[str, ...]
    gloss: str
    related: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Lexicon:
    """Senses by key, and for each lemma its senses with the commonest first."""

    synsets: dict[str, Synset]
    senses: dict[str, tuple[str, ...]]

    def substitutes(self, word: str) -> tuple[str, ...]:
        """Words that may stand for a word: synonyms, derived and broader words of its commonest sense.

        Args:
            word: A word, in lower case.

        Returns:
            Other words, none of them the word itself; empty for an unknown word.
        """
        keys = self._keys(word)
        if not keys:
            return ()
        synset = self.synsets[keys[0]]
        found = list(synset.words)
        for kind in ("derived", "broader"):
            for key in synset.related.get(kind, ())[:2]:
                found.extend(self.synsets[key].words[:2])
        return tuple(dict.fromkeys(other for other in found if other.lower() != word))

    def _keys(self, word: str) -> tuple[str, ...]:
        for form in (word, word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("ed")):
            if form in self.senses:
                return self.senses[form]
        return ()


def _synset(line: str) -> tuple[str, Synset]:
    head, _, gloss = line.partition(" | ")
    fields = head.split()
    count = int(fields[3], 16)
    words = tuple(fields[4 + 2 * i].split("(")[0].replace("_", " ") for i in range(count))
    start = 4 + 2 * count
    related: dict[str, list[str]] = defaultdict(list)
    for i in range(int(fields[start])):
        symbol, offset, part = fields[start + 1 + 4 * i : start + 4 + 4 * i]
        if symbol in _KINDS:
            related[_KINDS[symbol]].append(part + offset)
    part = "a" if fields[2] == "s" else fields[2]
    return part + fields[0], Synset(
        words, gloss.strip(), {kind: tuple(keys) for kind, keys in related.items()}
    )


def read_lexicon(folder: Path) -> Lexicon:
    """Read the four parts of speech of a WordNet folder.

    Args:
        folder: Holds ``data.noun``, ``index.noun`` and the same for verb, adj and adv.

    Returns:
        Every sense and every lemma.
    """
    synsets: dict[str, Synset] = {}
    senses: dict[str, list[str]] = defaultdict(list)
    for letter, part in _PARTS.items():
        for line in (folder / f"data.{part}").read_text("latin-1").splitlines():
            if not line.startswith("  "):
                key, synset = _synset(line)
                synsets[key] = synset
        for line in (folder / f"index.{part}").read_text("latin-1").splitlines():
            if not line.startswith("  "):
                fields = line.split()
                offsets = fields[-int(fields[2]) :]
                senses[fields[0].replace("_", " ")].extend(letter + offset for offset in offsets)
    return Lexicon(synsets, {lemma: tuple(keys) for lemma, keys in senses.items()})

"""Pairs written as the parts of the reranker's prompt, for training the embedding model that is wired into it.

Inside the reranker the embedding layers read from ``Instruct`` to the word ``Document``, and from there to
``<|im_end|>``. An embedding model that was trained on exactly these stretches of the template meets nothing new there::

    python -m explorer.training.mini_reranker.parts PAIRS.jsonl ... --out PARTS.jsonl
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from explorer.engine.prompts import FORMS
from explorer.training.pairs.pair import TrainingPair, read_pairs, write_pairs

_FORM = FORMS["model_card"]


def query_part(instruction: str, query: str) -> str:
    """The template's stretch between the sign before ``Instruct`` and the word ``Document``."""
    head = _FORM.head(instruction, query)
    return head[head.index("Instruct") : head.rindex("Document")]


def document_part(document: str) -> str:
    """The template's stretch after the word ``Document``, up to the end of the message."""
    head = _FORM.head("", "")
    return head[head.rindex("Document") + len("Document") :] + document


def as_parts(pair: TrainingPair) -> TrainingPair:
    """Write one pair as the reranker will read it; nothing is to be put around it any more."""
    return replace(
        pair,
        query=query_part(pair.instruction, pair.query),
        document=document_part(pair.document),
        negatives=tuple(document_part(negative) for negative in pair.negatives),
        instruction="",
    )


def main() -> None:
    """Read the command line and write the parts of all retrieval and bitext pairs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", type=Path, nargs="+", help="files of pairs")
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    given = parser.parse_args()
    pairs = [pair for path in given.pairs for pair in read_pairs(path)]
    write_pairs([as_parts(pair) for pair in pairs if pair.kind in {"retrieval", "bitext"}], given.out)


if __name__ == "__main__":
    main()

"""Train the bundled models further: ``python -m explorer.training.bundled STEP --work FOLDER ...``.

``pairs`` draws the pairs from the data sets, ``teach`` lets the teachers read them; then come the stages ``first``,
``similarity``, ``longer`` and ``search`` of the embedding model, and ``merge-embedding`` into ``FOLDER/embedding``.
``reranker-base`` cuts the model given by ``--base`` and trains it as the reranker's layers, ``reranker-contrasts`` goes
on with pairs that the instruction decides, ``reranker-longer`` with all of them, ``merge-reranker`` puts the three
together, and ``python -m explorer.training.mini_reranker`` wires the result. A stage that was stopped goes on when it
is called again.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from explorer.training.bundled.mixtures import STAGES, mixed
from explorer.training.bundled.teaching import read_teacher, teach
from explorer.training.embedding.training import train_embedding
from explorer.training.merging.folders import merge_folders
from explorer.training.mini_reranker.parts import as_parts
from explorer.training.mini_reranker.vocabulary import count_tokens, cut_vocabulary, training_texts
from explorer.training.pairs.pair import TrainingPair, read_pairs, write_pairs
from explorer.training.sources.contrasts import contrasting_pairs
from explorer.training.sources.labelled import labelled_pairs
from explorer.training.sources.written import written_pairs

log = logging.getLogger("explorer.training.bundled")
MERGED = {
    "embedding": {"similarity": 0.3, "search": 0.3, "longer": 0.4},
    "reranker": {"reranker-base": 0.3, "reranker-contrasts": 0.3, "reranker-longer": 0.4},
}
"""Stages that become the bundled embedding model and the layers of the reranker, and their shares."""
FILES = ("labelled.jsonl", "contrasts.jsonl", "written.jsonl")


def draw_pairs(given: argparse.Namespace) -> None:
    """Write one file of pairs for each kind of source."""
    write_pairs(labelled_pairs(given.data), given.work / "labelled.jsonl")
    write_pairs(contrasting_pairs(given.data), given.work / "contrasts.jsonl")
    write_pairs(written_pairs(given.data), given.work / "written.jsonl")


def train_stage(name: str, given: argparse.Namespace) -> None:
    """Train one stage into ``FOLDER/NAME/model``."""
    stage = STAGES[name]
    base = given.work / stage.base / "model" if stage.base else given.base
    if stage.parts and not stage.base:
        cut_vocabulary(base, given.work / "cut", given.tokens, count_tokens(base, training_texts(given.data)))
        base = given.work / "cut"
    pairs = mixed(_pairs(given.work), stage.shares)
    if stage.parts:
        pairs = [pair for pair in pairs if pair.kind != "similarity"]
    teacher = read_teacher(given.work, pairs, stage.parts)
    read = [as_parts(pair) for pair in pairs] if stage.parts else pairs
    plan = replace(stage.plan, steps=given.steps) if given.steps else stage.plan
    for step in train_embedding(base, read, plan, given.work / name, teacher):
        if step.step % 25 == 0:
            log.info("%s step %d of %d, loss %.3f %s", name, step.step, step.steps, step.loss, step.parts)


def main(words: Sequence[str] | None = None) -> None:
    """Run one step."""
    parser = argparse.ArgumentParser(
        prog="python -m explorer.training.bundled",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("step", choices=["pairs", "teach", *STAGES, *(f"merge-{name}" for name in MERGED)])
    parser.add_argument("--work", type=Path, required=True, help="folder for everything that is made")
    parser.add_argument("--data", type=Path, help="folder of data sets, one sub-folder each")
    parser.add_argument("--base", type=Path, help="model folder that the first stage goes on from")
    parser.add_argument(
        "--steps", type=int, default=0, help="steps of a stage; as in its plan when left away"
    )
    parser.add_argument("--tokens", type=int, default=32_250, help="vocabulary of the reranker")
    parser.add_argument(
        "--english-texts", type=int, default=70_000, help="texts for the slow English teacher"
    )
    given = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    given.work.mkdir(parents=True, exist_ok=True)
    if given.step == "pairs":
        draw_pairs(given)
    elif given.step == "teach":
        teach(_pairs(given.work), given.work, given.english_texts)
    elif given.step.startswith("merge-"):
        name = given.step.removeprefix("merge-")
        folders = [given.work / stage / "model" for stage in MERGED[name]]
        merge_folders(folders, list(MERGED[name].values()), given.work / name)
    else:
        train_stage(given.step, given)


def _pairs(work: Path) -> list[TrainingPair]:
    return [pair for name in FILES for pair in read_pairs(work / name)]


if __name__ == "__main__":
    main()

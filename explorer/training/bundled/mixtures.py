"""Which pairs each stage of the bundled models' training saw, and how it was trained on them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from explorer.training.embedding.plan import EmbeddingPlan
from explorer.training.pairs.pair import TrainingPair

Shares = Mapping[str, float]
"""How often the pairs of a source are seen, by the beginning of its name; the first that fits counts. A language may
follow after ``|``. What no entry fits is seen once."""


@dataclass(frozen=True)
class Stage:
    """One training run.

    Attributes:
        base: Name of the stage that it goes on from; empty for the folder given on the command line.
        shares: Of the sources.
        plan: How.
        parts: Whether the texts are written as parts of the reranker's prompt.
    """

    base: str
    shares: Shares
    plan: EmbeddingPlan
    parts: bool = False


_SIMILARITY = Stage(
    "first",
    {
        "stsb-multi-mt|en": 3.0,
        "stsb-multi-mt|zh": 1.5,
        "stsb-multi-mt": 0.4,
        "sts-en": 1.0,
        "sts-zh": 1.0,
        "sts-": 0.3,
        "parallel": 0.1,
        "wiki-split": 0.03,
        "written contrast": 0.0,
        "written": 0.3,
        "contrast": 0.0,
        "wordnet": 0.03,
        "debian": 0.02,
        "clinc150": 0.3,
        "banking": 0.5,
        "cmrc": 0.3,
        "drcd": 0.3,
        "word-": 0.0,
    },
    EmbeddingPlan(
        steps=300,
        batch_pairs=96,
        chunk_texts=512,
        longest=64,
        learning_rate=1e-4,
        table_rate=1.5e-4,
        distillation_weight=100.0,
    ),
)
_RERANKER_BASE = Stage(
    "",
    {
        "written contrast": 4.0,
        "written": 2.0,
        "contrast: praise": 0.3,
        "contrast": 0.35,
        "wiki-split": 0.35,
        "cmrc": 2.0,
        "drcd": 2.0,
        "wordnet": 0.25,
        "debian-en": 0.35,
        "debian": 0.2,
        "parallel": 0.1,
        "sts-": 0.3,
        "word-": 0.2,
        "clinc": 0.5,
        "banking": 0.5,
    },
    EmbeddingPlan(
        steps=850,
        batch_pairs=64,
        chunk_texts=512,
        longest=128,
        learning_rate=3e-4,
        table_rate=3e-4,
        distillation_weight=100.0,
    ),
    parts=True,
)
STAGES = {
    "first": Stage(
        "",
        {"written": 0.0},
        EmbeddingPlan(
            steps=1400,
            batch_pairs=64,
            chunk_texts=512,
            longest=96,
            learning_rate=4e-4,
            table_rate=4e-4,
            distillation_weight=150.0,
        ),
    ),
    "similarity": _SIMILARITY,
    "longer": Stage(
        "similarity",
        {**_SIMILARITY.shares, "stsb-multi-mt|en": 6.0, "stsb-multi-mt|zh": 2.0, "stsb-multi-mt": 0.3},
        replace(_SIMILARITY.plan, steps=450, learning_rate=3e-4, table_rate=3e-4, distillation_weight=40.0),
    ),
    "search": Stage(
        "first",
        {
            "stsb-multi-mt|en": 0.4,
            "stsb-multi-mt|zh": 0.3,
            "stsb-multi-mt": 0.1,
            "written contrast": 2.0,
            "written": 2.0,
            "contrast": 0.15,
            "wiki-split": 0.35,
            "cmrc": 2.0,
            "drcd": 2.0,
            "wordnet": 0.15,
            "debian-en": 0.3,
            "debian": 0.1,
            "parallel": 0.1,
            "sts-": 0.3,
            "word-": 0.1,
            "clinc": 0.3,
            "banking": 0.5,
        },
        EmbeddingPlan(
            steps=300,
            batch_pairs=96,
            chunk_texts=512,
            longest=112,
            learning_rate=1e-4,
            table_rate=1.5e-4,
            distillation_weight=60.0,
        ),
    ),
    "reranker-base": _RERANKER_BASE,
    "reranker-contrasts": Stage(
        "reranker-base",
        {
            **_RERANKER_BASE.shares,
            "written contrast": 8.0,
            "written": 1.0,
            "contrast": 0.5,
            "wiki-split": 0.15,
            "cmrc": 1.0,
            "drcd": 1.0,
            "wordnet": 0.1,
            "debian-en": 0.1,
            "debian": 0.03,
            "word-": 0.3,
        },
        replace(
            _RERANKER_BASE.plan, steps=220, learning_rate=2e-4, table_rate=2e-4, distillation_weight=50.0
        ),
        parts=True,
    ),
    "reranker-longer": Stage(
        "reranker-contrasts",
        {**_RERANKER_BASE.shares, "written contrast": 6.0, "written": 3.0},
        replace(
            _RERANKER_BASE.plan, steps=600, learning_rate=2.5e-4, table_rate=2.5e-4, distillation_weight=60.0
        ),
        parts=True,
    ),
}


def mixed(pairs: Sequence[TrainingPair], shares: Shares, seed: int = 0) -> list[TrainingPair]:
    """Draw each pair as often as its source's share says.

    Args:
        pairs: All pairs.
        shares: A share of 2.5 gives two or three copies, one of 0.1 one copy of every tenth pair.
        seed: Of the draws.

    Returns:
        The drawn pairs, copies next to each other; the training shuffles.
    """
    rng = random.Random(seed)
    drawn = []
    for pair in pairs:
        share = _share(pair, shares)
        drawn += [pair] * (int(share) + (rng.random() < share % 1))
    return drawn


def _share(pair: TrainingPair, shares: Shares) -> float:
    for name, share in shares.items():
        source, _, language = name.partition("|")
        if pair.provenance.source.startswith(source) and language in {"", pair.language}:
            return share
    return 1.0

"""Train the mini reranker.

::

    python -m explorer.training.mini_reranker --data DIR --base DIR --out DIR --minutes 5

First the answer's scale and bias are fitted, then what the wiring leaves free is trained for so many minutes. Each
step ranks a few lists: one query, one right document, several wrong ones. The loss is the cross-entropy of the
right document among its list, taken over the log-odds of "yes" (listwise), plus the binary cross-entropy of each
"yes" or "no" (pointwise), as the published rerankers are trained on.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import torch

from explorer.training.mini_reranker.recipe import Recipe, train


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of data sets, one sub-folder each")
    parser.add_argument(
        "--base", type=Path, required=True, help="embedding model that the token table comes from"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write the reranker to")
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--languages", default="en", help="comma-separated codes")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(given.threads)
    recipe = Recipe(minutes=given.minutes, seed=given.seed, languages=tuple(given.languages.split(",")))
    train(given.data, given.base, given.out, recipe)


if __name__ == "__main__":
    main()

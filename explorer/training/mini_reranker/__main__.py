"""Wire the mini reranker from an embedding model.

::

    python -m explorer.training.mini_reranker --data DIR --base DIR --out DIR --languages en,zh

The wiring decides the order of documents; how sure the answer is, and where "yes" begins, is fitted to ranked lists:
one query, one right document, several wrong ones. The loss is the cross-entropy of the right document among its
list, taken over the log-odds of "yes" (listwise), plus the binary cross-entropy of each "yes" or "no" (pointwise), as
the published rerankers are trained on.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from explorer.training.mini_reranker.recipe import Recipe, wire


def main() -> None:
    """Read the command line and wire."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of data sets, one sub-folder each")
    parser.add_argument("--base", type=Path, required=True, help="embedding model whose layers are taken")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the reranker to")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--languages", default="en", help="comma-separated codes")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    wire(
        given.data,
        given.base,
        given.out,
        Recipe(seed=given.seed, languages=tuple(given.languages.split(","))),
    )


if __name__ == "__main__":
    main()

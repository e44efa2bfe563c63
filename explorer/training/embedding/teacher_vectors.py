"""A teacher's vectors of all texts of a set of pairs, computed once before the training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.engine.embedder import Embedder
from explorer.engine.prompts import embedding_query
from explorer.progress import CancelToken, ProgressCallback
from explorer.training.embedding.objective import TeacherVectors
from explorer.training.pairs.pair import TrainingPair


def vectors_of(
    teacher: Embedder,
    pairs: Sequence[TrainingPair],
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> TeacherVectors:
    """Embed every text of the pairs as its student will read it.

    Args:
        teacher: An embedding model of any size.
        pairs: The pairs.
        progress: Called with (texts done, texts in all).
        cancel: Stops between batches.

    Returns:
        One row for each distinct document, negative and query; a query with an instruction stands under its prompt.

    Raises:
        OutOfMemoryError: One text alone does not fit the device.
        Cancelled: The person asked to stop.
    """
    tasks: dict[str, dict[str, None]] = {"": {}}
    for pair in pairs:
        tasks.setdefault(pair.instruction, {})[pair.query] = None
        tasks[""] |= dict.fromkeys((pair.document, *pair.negatives))
    total, done = sum(map(len, tasks.values())), 0
    rows: dict[str, int] = {}
    parts = []
    for task, texts in tasks.items():
        before = done

        def report(finished: int, _: int, before: int = before) -> None:
            if progress:
                progress(before + finished, total)

        parts.append(teacher.encode(list(texts), task or None, progress=report, cancel=cancel))
        for text in texts:
            rows[embedding_query(task, text) if task else text] = len(rows)
        done += len(texts)
    return TeacherVectors(rows, np.concatenate(parts))

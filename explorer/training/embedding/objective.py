"""What one batch of an embedding training asks of the vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from explorer.engine.prompts import embedding_query
from explorer.training.embedding.losses import contrast, cosent, matryoshka, relational_distillation
from explorer.training.pairs.batches import Batch, IntArray, Text


@dataclass(frozen=True)
class TeacherVectors:
    """A teacher's vectors of texts.

    Attributes:
        rows: Row of each text. A query is looked up with its instruction first (the exact prompt of
            :func:`explorer.engine.prompts.embedding_query`), then bare. Texts that are absent are left out of the
            distillation.
        vectors: float32 [n, t], of any length.
    """

    rows: Mapping[str, int]
    vectors: NDArray[np.float32]


@dataclass(frozen=True)
class Objective:
    """The loss of a batch.

    Attributes:
        temperature: Of the contrastive loss.
        margin: Of its mask, or None.
        ladder: Dimensions at which every loss is taken.
        distillation_weight: Factor of the distillation; 0 leaves it out.
        teacher: Whose similarities are kept, or None.
    """

    temperature: float
    margin: float | None
    ladder: tuple[int, ...]
    distillation_weight: float = 0.0
    teacher: TeacherVectors | None = None

    def __call__(self, vectors: Tensor, batch: Batch) -> Verdict:
        """Judge a batch.

        Args:
            vectors: [texts, d], one row for each of ``batch.texts``.
            batch: The pairs.

        Returns:
            The loss to lower, its parts and the masked share.
        """
        if batch.scores is None:
            name, (main, masked) = "contrastive", self._contrastive(vectors, batch)
        else:
            name, main, masked = "graded", self._graded(vectors, batch), vectors.new_zeros(())
        parts = {name: main.detach()}
        if self.teacher is not None and self.distillation_weight > 0:
            distilled = self._distillation(vectors, batch.texts, self.teacher)
            parts["distillation"] = distilled.detach()
            main = main + self.distillation_weight * distilled
        return Verdict(main, parts, masked)

    def _contrastive(self, vectors: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        device = vectors.device
        groups = _rows(batch.groups, device)
        sides = [vectors[_rows(batch.queries, device)], vectors[_rows(batch.documents, device)]]
        present: Tensor | None = None
        if batch.negatives.size:
            sides.append(vectors[_rows(np.maximum(batch.negatives, 0), device)])
            present = torch.from_numpy(batch.negatives >= 0).to(device)
        shares: list[Tensor] = []

        def loss(parts: Sequence[Tensor]) -> Tensor:
            hard = parts[2] if len(parts) > 2 else None
            found = contrast(parts[0], parts[1], hard, self.temperature, self.margin, groups, present)
            shares.append(found.masked_share)
            return found.loss

        # The last rung of the ladder is the full width, so the last share is that of the whole vectors.
        return matryoshka(loss, sides, self.ladder), shares[-1]

    def _graded(self, vectors: Tensor, batch: Batch) -> Tensor:
        device = vectors.device
        sides = [vectors[_rows(rows, device)] for rows in (batch.queries, batch.documents)]
        scores = torch.from_numpy(batch.scores).to(device)
        return matryoshka(lambda parts: cosent((parts[0] * parts[1]).sum(-1), scores), sides, self.ladder)

    def _distillation(self, vectors: Tensor, texts: Sequence[Text], teacher: TeacherVectors) -> Tensor:
        found = [
            (row, aim) for row, text in enumerate(texts) if (aim := _teacher_row(teacher, text)) is not None
        ]
        rows, aims = (
            np.array(side, dtype=np.int64) for side in (zip(*found, strict=True) if found else ((), ()))
        )
        student = vectors[_rows(rows, vectors.device)]
        goal = torch.from_numpy(teacher.vectors[aims]).to(vectors.device, torch.float32)
        return matryoshka(lambda parts: relational_distillation(parts[0], goal), [student], self.ladder)


@dataclass(frozen=True)
class Verdict:
    """A batch's loss.

    Attributes:
        loss: Scalar with gradient.
        parts: Unweighted parts by name, without gradient.
        masked_share: Share of the negatives that were masked as false; 0 for graded pairs.
    """

    loss: Tensor
    parts: Mapping[str, Tensor]
    masked_share: Tensor

    def detached(self) -> Verdict:
        """Drop the gradient's path."""
        return replace(self, loss=self.loss.detach())


def _rows(rows: IntArray, device: torch.device) -> Tensor:
    return torch.from_numpy(rows).to(device)


def _teacher_row(teacher: TeacherVectors, text: Text) -> int | None:
    if text.instruction is not None:
        asked = teacher.rows.get(embedding_query(text.instruction, text.text))
        if asked is not None:
            return asked
    return teacher.rows.get(text.text)

"""What the training of an embedding model makes small.

* :func:`info_nce` is the contrastive loss of the Qwen3 Embedding report (arXiv 2506.05176, section 3, equation 1)
  with every term of its normaliser and its mask for false negatives.
* :func:`matryoshka` asks a loss of every leading slice of the vectors (Kusupati et al., arXiv 2205.13147).
* :func:`relational_distillation` keeps a teacher's similarities (Park et al., arXiv 1904.05068, distances between
  examples; here cosines).
* :func:`cosent` orders graded pairs (Su, "CoSENT", kexue.fm/archives/8847).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

MARGIN = 0.1
"""How much more similar than the positive a negative may be before it counts as a false one (report, section 3)."""


@dataclass(frozen=True)
class Contrast:
    """A contrastive loss and what its mask did.

    Attributes:
        loss: Scalar.
        masked_share: Share of the negatives that were masked, scalar without gradient; 0 when there are none.
    """

    loss: Tensor
    masked_share: Tensor


def info_nce(
    queries: Tensor,
    documents: Tensor,
    negatives: Tensor | None = None,
    temperature: float = 0.05,
    margin: float | None = MARGIN,
    document_ids: Tensor | None = None,
    present: Tensor | None = None,
) -> Tensor:
    """Give the loss of :func:`contrast` alone; the arguments are the same."""
    return contrast(queries, documents, negatives, temperature, margin, document_ids, present).loss


def contrast(
    queries: Tensor,
    documents: Tensor,
    negatives: Tensor | None = None,
    temperature: float = 0.05,
    margin: float | None = MARGIN,
    document_ids: Tensor | None = None,
    present: Tensor | None = None,
) -> Contrast:
    """Contrast each query's own document with all others (report, section 3).

    The loss, with j != i in every sum::

        L = -1/N sum_i log( exp(s(q_i, d_i+) / t) / Z_i )
        Z_i = exp(s(q_i, d_i+) / t) + sum_k m exp(s(q_i, d_ik-) / t) + sum_j m exp(s(q_i, q_j) / t)
              + sum_j m exp(s(d_i+, d_j) / t) + sum_j m exp(s(q_i, d_j) / t)

    ``m`` is 0 where the negative's similarity exceeds ``s(q_i, d_i+) + margin`` or where ``d_j`` is ``d_i+`` itself,
    else 1. The mask carries no gradient.

    Args:
        queries: [b, d], of any length; s is the cosine.
        documents: [b, d], the positive of each query.
        negatives: [b, k, d], hard negatives of each query, or None.
        temperature: The report names none; 0.05 is common, and the official repository's guide uses 0.01.
        margin: The false-negative margin, or None to mask equal documents only.
        document_ids: int64 [b]; pairs of equal ids are never each other's negatives. None: all differ.
        present: bool [b, k], which hard negatives exist where queries have different numbers of them; None: all.

    Returns:
        The mean loss and the masked share.
    """
    queries, documents = normalize(queries, dim=-1), normalize(documents, dim=-1)
    positive = (queries * documents).sum(-1, keepdim=True)
    others = ~torch.eye(len(queries), dtype=torch.bool, device=queries.device)
    told_apart = others if document_ids is None else document_ids[:, None] != document_ids[None, :]
    terms = [queries @ queries.T, documents @ documents.T, queries @ documents.T]
    counted, usable = [others] * 3, [told_apart] * 3
    if negatives is not None:
        terms.append(torch.einsum("bd,bkd->bk", queries, normalize(negatives, dim=-1)))
        exist = torch.ones_like(terms[-1], dtype=torch.bool) if present is None else present
        counted, usable = [*counted, exist], [*usable, exist]
    scores, considered, kept = torch.cat(terms, 1), torch.cat(counted, 1), torch.cat(usable, 1)
    if margin is not None:
        kept = kept & (scores.detach() <= positive.detach() + margin)
    logits = torch.cat([positive, scores.masked_fill(~kept, float("-inf"))], 1) / temperature
    loss = (torch.logsumexp(logits, 1) - logits[:, 0]).mean()
    total = considered.sum()
    return Contrast(loss, 1 - kept.sum() / total if total else loss.new_zeros(()))


def default_ladder(width: int) -> tuple[int, ...]:
    """List the dimensions to train: 32, 64, 128 ... doubling, and the full width last.

    Args:
        width: Full dimension of the vectors.

    Returns:
        Dimensions in rising order.
    """
    steps = []
    dimensions = 32
    while dimensions < width:
        steps.append(dimensions)
        dimensions *= 2
    return (*steps, width)


def matryoshka(
    loss: Callable[[Sequence[Tensor]], Tensor], embeddings: Sequence[Tensor], ladder: Sequence[int]
) -> Tensor:
    """Average a loss over leading slices of the vectors.

    Args:
        loss: Takes the sliced embeddings, in the same order, and gives a scalar.
        embeddings: Tensors [..., d] of one width.
        ladder: How many leading dimensions to keep, each at least 1 and at most d.

    Returns:
        The mean of the losses; every slice is scaled to unit rows first.
    """
    losses = [loss([normalize(part[..., :kept], dim=-1) for part in embeddings]) for kept in ladder]
    return torch.stack(losses).mean()


def relational_distillation(student: Tensor, teacher: Tensor) -> Tensor:
    """Compare how similar a student and a teacher find every two texts of a batch.

    Args:
        student: [n, d], of any length.
        teacher: [n, t], of any length; the widths may differ, since only cosines are compared.

    Returns:
        Mean squared difference of the cosines of different texts; 0 for fewer than two.
    """
    if len(student) < 2:
        return student.sum() * 0.0
    student, teacher = normalize(student, dim=-1), normalize(teacher, dim=-1)
    difference = student @ student.T - teacher @ teacher.T
    # The diagonal is 1 - 1 and contributes nothing but rounding.
    apart = ~torch.eye(len(student), dtype=torch.bool, device=student.device)
    return difference[apart].square().mean()


def cosent(cosines: Tensor, scores: Tensor, scale: float = 20.0) -> Tensor:
    """Ask that pairs of a higher score have a higher cosine.

    The loss::

        L = log(1 + sum over score_i > score_j of exp(scale (cosine_j - cosine_i)))

    Args:
        cosines: [n], of the pairs.
        scores: [n], their graded similarity on any scale.
        scale: Inverse temperature, 20 in the source.

    Returns:
        Scalar; 0 when all scores are equal.
    """
    ordered = scores[:, None] > scores[None, :]
    gaps = (scale * (cosines[None, :] - cosines[:, None]))[ordered]
    return torch.logsumexp(torch.cat([gaps.new_zeros(1), gaps]), 0)

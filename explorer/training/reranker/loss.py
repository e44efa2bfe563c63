"""What the training of a reranker makes small.

* :func:`supervised` is the report's loss (arXiv 2506.05176, equation 3): ``-log p(l | P(q, d))`` of the label l, "yes"
  or "no", where p is the softmax over the two answers' logits at the last token of the prompt.
* :func:`listwise` asks that the right document of a list has the highest score (ListNet's top-one likelihood, Cao et
  al. 2007).
* :func:`distilled` keeps a teacher's view of a list (Hinton et al., arXiv 1503.02531, over documents for classes).
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softplus


def supervised(log_odds: Tensor, labels: Tensor) -> Tensor:
    """Give the mean of ``-log p(label)``.

    Args:
        log_odds: logit(yes) - logit(no) of each document, [n]; the softmax over two logits is its logistic function.
        labels: 1 for documents whose answer is "yes", 0 for "no", [n].

    Returns:
        Scalar.
    """
    # -log sigmoid(x) = softplus(-x) for "yes", -log(1 - sigmoid(x)) = softplus(x) for "no".
    return softplus((1 - 2 * labels) * log_odds).mean()


def listwise(log_odds: Tensor) -> Tensor:
    """Give the negative log-likelihood that the first document of a list is the best.

    Args:
        log_odds: Of one list, the right document first, [n].

    Returns:
        Scalar; 0 for a list of one.
    """
    return cross_entropy(log_odds[None], log_odds.new_zeros(1).long())


def distilled(log_odds: Tensor, teacher: Tensor) -> Tensor:
    """Give the Kullback-Leibler divergence of the student's shares of a list from the teacher's.

    Args:
        log_odds: The student's scores of one list, [n].
        teacher: The teacher's scores of the same documents, on the scale of log-odds, [n].

    Returns:
        Scalar, at least 0; 0 when both put the same shares on the documents.
    """
    return kl_div(log_softmax(log_odds, 0), log_softmax(teacher, 0), reduction="sum", log_target=True)

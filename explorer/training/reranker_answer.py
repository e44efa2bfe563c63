"""The first stage of training: how much each finding counts in the answer.

Everything but the last norm stays as it is. The findings (cosine of the embeddings, mean and best match of words, and
a constant) are computed once for many labelled lists; their four weights are then fitted to the loss of the lists.
"""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import Qwen3ForCausalLM

from explorer.training.reranker_loss import list_loss
from explorer.training.reranker_marks import ANSWERS, MARKS
from explorer.training.reranker_model import Prompt, last_states

FINDINGS = tuple(ANSWERS)


@torch.no_grad()
def findings(model: Qwen3ForCausalLM, prompts: list[Prompt]) -> list[Tensor]:
    """Compute what the answer is made of.

    Args:
        model: The reranker in its starting state.
        prompts: One a query.

    Returns:
        The findings before they are weighed, one tensor [documents, findings] a query.
    """
    weight = model.model.norm.weight
    columns = [weight.shape[0] - MARKS + mark for mark in FINDINGS]
    kept = weight.clone()
    weight[columns] = 1
    found = [last_states(model, [prompt])[0][:, columns].clone() for prompt in prompts]
    weight.copy_(kept)
    return found


def fit_answer(model: Qwen3ForCausalLM, prompts: list[Prompt], pointwise: float) -> Tensor:
    """Fit the weights of the findings and write them into the last norm.

    Args:
        model: The reranker in its starting state; changed in place.
        prompts: One a query, the right document first.
        pointwise: Weight of the yes/no part of the loss.

    Returns:
        The weights, in the order of :data:`FINDINGS`.
    """
    lists = findings(model, prompts)
    weights = torch.tensor([ANSWERS[mark] for mark in FINDINGS], requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimizer.zero_grad()
        loss = list_loss([found @ weights for found in lists], pointwise)
        torch.autograd.backward(loss)
        return loss.item()

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        norm = model.model.norm.weight
        for mark, weight in zip(FINDINGS, weights, strict=True):
            norm[norm.shape[0] - MARKS + mark] = weight
    return weights.detach()

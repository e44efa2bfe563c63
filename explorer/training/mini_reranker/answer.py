"""The first stage of training: how sure the answer is, and where yes begins.

Everything but the last norm stays as it is, and so do the proportions in which the findings (cosine of the embeddings,
match of the words) count: fitted freely to questions made by rule, the words take over, and questions in other words
than their answers' suffer. Only a common scale and the weight of the constant are fitted to the loss of many lists.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import Qwen3ForCausalLM

from explorer.training.mini_reranker.loss import list_loss
from explorer.training.mini_reranker.marks import ANSWERS, BIAS, MARKS
from explorer.training.mini_reranker.model import Prompt, last_states


@dataclass(frozen=True)
class Answer:
    """Factor of all findings, and weight of the constant among them."""

    scale: float
    bias: float


@torch.no_grad()
def findings(model: Qwen3ForCausalLM, prompts: list[Prompt]) -> list[Tensor]:
    """Compute what the answer is made of.

    Args:
        model: The reranker in its starting state.
        prompts: One a query.

    Returns:
        The weighed sum of the findings, and the constant: one tensor [documents, 2] a query.
    """
    weight = model.model.norm.weight
    first = weight.shape[0] - MARKS
    kept = weight.clone()
    weight[[first + mark for mark in ANSWERS]] = 1
    found = []
    for prompt in prompts:
        states = last_states(model, [prompt])[0][:, first:]
        weighed = sum((value * states[:, mark] for mark, value in ANSWERS.items()), torch.zeros(len(states)))
        found.append(torch.stack([weighed, states[:, BIAS]], 1))
    weight.copy_(kept)
    return found


def fit_answer(model: Qwen3ForCausalLM, prompts: list[Prompt], pointwise: float) -> Answer:
    """Fit scale and bias, and write them into the last norm.

    Args:
        model: The reranker in its starting state; changed in place.
        prompts: One a query, the right document first.
        pointwise: Weight of the yes/no part of the loss.

    Returns:
        What was fitted.
    """
    lists = findings(model, prompts)
    weights = torch.tensor([5.0, -5.0], requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimizer.zero_grad()
        loss = list_loss([found @ weights for found in lists], pointwise)
        torch.autograd.backward(loss)
        return loss.item()

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    answer = Answer(*weights.tolist())
    with torch.no_grad():
        norm = model.model.norm.weight
        first = norm.shape[0] - MARKS
        for mark, value in ANSWERS.items():
            norm[first + mark] = value * answer.scale
        norm[first + BIAS] += answer.bias
    return answer

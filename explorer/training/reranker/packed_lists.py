"""Scoring one list with gradients, on the engine's own prompts and attention, computing what its prompts share once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from explorer.engine.prompts import FORMS
from explorer.engine.tokens import TokenIds, pair_tokens
from explorer.training.loop.forward import last_token_vectors
from explorer.training.reranker.ranked_lists import RankedTexts


class ListScorer:
    """Scores one list with gradients, exactly as :class:`explorer.engine.reranker.Reranker` does.

    Args:
        model: ``Qwen3Model`` whose attention is :data:`explorer.training.loop.forward.TRAINED`, perhaps wrapped.
        tokenizer: The model's.
        rows: Gives the rows of the head for "no" and "yes", [2, hidden].
        longest: Longest prompt in tokens.
        device: Where the model lies.
    """

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Tokenizer,
        rows: Callable[[], Tensor],
        longest: int,
        device: torch.device,
    ) -> None:
        """Keep what every list is scored with."""
        self._model, self._tokenizer, self._rows = model, tokenizer, rows
        self._longest, self._device = longest, device

    def tokens(self, one: RankedTexts) -> list[TokenIds]:
        """Write a list's prompts, by the model card's template.

        Args:
            one: The list.

        Returns:
            Token ids of each prompt.

        Raises:
            InputError: Instruction and query leave no room for a document.
        """
        form = FORMS["model_card"]
        pairs = pair_tokens(self._tokenizer, one.query, one.documents, one.instruction, form, self._longest)
        return [pair.ids for pair in pairs]

    def __call__(self, prompts: Sequence[TokenIds]) -> Tensor:
        """Score prompts in one forward; what they all begin with is computed once.

        Args:
            prompts: Token ids, each [tokens].

        Returns:
            logit(yes) - logit(no), float32 [prompts].
        """
        order = np.argsort([len(ids) for ids in prompts], kind="stable")
        ordered = [prompts[index] for index in order]
        states = last_token_vectors(self._model, ordered, self._device)
        rows = self._rows().float()
        # Not a matrix product: autocast would round it, and with it the score, to bfloat16.
        log_odds = (states * (rows[1] - rows[0])).sum(-1)
        return log_odds.index_select(0, torch.from_numpy(np.argsort(order)).to(self._device))

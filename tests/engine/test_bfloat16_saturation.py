"""The simulated last step is torch's own, and it needs both logits."""

from __future__ import annotations

import numpy as np
import torch

from explorer.engine.saturation import bfloat16_model_card, bfloat16_softmax


def logits_of(pairs: list[tuple[float, float]]) -> np.ndarray:
    return np.array(pairs, dtype=np.float32)


def test_it_is_what_torch_gives_for_logits_in_bfloat16() -> None:
    logits = np.random.default_rng(0).normal(0, 12, (500, 2)).astype(np.float32)
    rounded = torch.tensor(logits, dtype=torch.bfloat16)
    # The lines of the model card's code.
    batch_scores = torch.stack([rounded[:, 0], rounded[:, 1]], dim=1)
    batch_scores = torch.nn.functional.log_softmax(batch_scores, dim=1)
    assert bfloat16_model_card(logits).tolist() == batch_scores[:, 1].exp().tolist()
    assert bfloat16_softmax(logits).tolist() == torch.nn.functional.softmax(rounded, dim=1)[:, 1].tolist()


def test_the_last_value_below_one_swallows_what_log_odds_tell_apart() -> None:
    found = bfloat16_softmax(logits_of([(0, 5.6), (0, 5.8), (0, 6.0), (0, 9.0), (0, 12.0)]))
    assert found.tolist() == [0.99609375, 0.99609375, 0.99609375, 1.0, 1.0]
    assert bfloat16_model_card(logits_of([(0, 5.8), (0, 6.0)])).tolist() == [1.0, 1.0]


def test_the_same_log_odds_give_other_values_at_other_logits() -> None:
    near, far = logits_of([(0, 1.04), (0, 1.0)]), logits_of([(20, 21.04), (20, 21.0)])
    assert len(set(bfloat16_softmax(near).tolist())) == 2
    assert len(set(bfloat16_softmax(far).tolist())) == 1


def test_extreme_logits_stay_finite() -> None:
    assert bfloat16_softmax(logits_of([(-300, 300), (300, -300)])).tolist() == [1.0, 0.0]
    assert len(bfloat16_softmax(np.zeros((0, 2), np.float32))) == 0

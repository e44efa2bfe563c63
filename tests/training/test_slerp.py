"""Slerp against an independent implementation, and the properties it must have."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from explorer.errors import InputError
from explorer.training.merging.slerp import slerp, slerp_many

SHARES = st.floats(0, 1)
VECTORS = arrays.arrays(
    np.float64, (3, 2), elements=st.floats(-4, 4).filter(lambda value: value == 0 or abs(value) > 1e-3)
)


def reference(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    """Rotate a towards b in the plane of both: no shared formula with the implementation."""
    length_a, length_b = np.sqrt((a**2).sum()), np.sqrt((b**2).sum())
    u, v = a / length_a, b / length_b
    cosine = (u * v).sum()
    beside = v - cosine * u
    beside /= np.sqrt((beside**2).sum())
    angle = np.arctan2((v * beside).sum(), cosine)
    return (length_a + t * (length_b - length_a)) * (np.cos(t * angle) * u + np.sin(t * angle) * beside)


def drawn(seed: int, *shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


@pytest.mark.parametrize("t", [0.1, 0.5, 0.83])
@pytest.mark.parametrize("shape", [(7,), (5, 4), (300, 200)])
def test_it_is_a_rotation_with_a_linear_norm(t, shape):
    a, b = drawn(0, *shape), 3 * drawn(1, *shape)
    found = slerp({"w": a}, {"w": b}, t)["w"].numpy()
    np.testing.assert_allclose(found, reference(a.numpy(), b.numpy(), t), rtol=1e-10, atol=1e-12)


def test_right_angles_give_known_values():
    a, b = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 4.0])
    found = slerp({"w": a}, {"w": b}, 1 / 3)["w"]
    length, angle = 2 + 2 / 3, np.pi / 6
    torch.testing.assert_close(found, torch.tensor([length * np.cos(angle), length * np.sin(angle)]).float())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_stored_numbers_are_rounded_once(dtype):
    a, b = drawn(0, 64, 64, dtype=dtype), drawn(1, 64, 64, dtype=dtype)
    found = slerp({"w": a}, {"w": b}, 0.3)["w"]
    exact = torch.from_numpy(reference(a.double().numpy(), b.double().numpy(), 0.3))
    assert found.dtype == dtype
    assert float((found.double() - exact).abs().max()) <= torch.finfo(dtype).eps * float(exact.abs().max())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.int64])
def test_the_ends_are_the_models_bit_for_bit(dtype):
    a, b = ({"w": (9 * drawn(seed, 8, 8)).to(dtype)} for seed in (0, 1))
    assert torch.equal(slerp(a, b, 0)["w"], a["w"])
    assert torch.equal(slerp(a, b, 1)["w"], b["w"])
    assert slerp(a, b, 0)["w"].data_ptr() != a["w"].data_ptr(), "a copy, never the model itself"


@given(VECTORS, VECTORS, SHARES)
def test_norm_lies_between_and_the_order_of_the_two_does_not_matter(a, b, t):
    first, second = torch.from_numpy(a), torch.from_numpy(b)
    found = slerp({"w": first}, {"w": second}, t)["w"]
    back = slerp({"w": second}, {"w": first}, 1 - t)["w"]
    torch.testing.assert_close(found, back, rtol=1e-6, atol=1e-9)
    lengths = float(first.norm()), float(second.norm())
    assert float(found.norm()) <= max(lengths) * (1 + 1e-9)
    opposite = min(lengths) > 0 and float((first / lengths[0] + second / lengths[1]).norm()) < 1e-5
    if not opposite:
        assert float(found.norm()) == pytest.approx((1 - t) * lengths[0] + t * lengths[1], rel=1e-6)


@given(VECTORS, SHARES)
def test_equal_models_merge_to_themselves(a, t):
    state = {"w": torch.from_numpy(a)}
    assert torch.equal(slerp(state, state, t)["w"], state["w"])
    assert torch.equal(slerp_many([state] * 4, [1, t, 0.2, 3])["w"], state["w"])


@given(VECTORS, VECTORS, SHARES)
def test_two_of_many_are_slerp(a, b, t):
    states = [{"w": torch.from_numpy(one)} for one in (a, b)]
    many = slerp_many(states, [2 * (1 - t), 2 * t])["w"]
    torch.testing.assert_close(many, slerp(*states, t)["w"], rtol=1e-9, atol=1e-12)


def test_nearly_parallel_tensors_stay_smooth():
    a = drawn(0, 50)
    for size in (1e-3, 1e-5, 1e-7, 1e-9, 0):
        b = a + size * drawn(1, 50)
        found = slerp({"w": a}, {"w": b}, 0.5)["w"]
        torch.testing.assert_close(found, (a + b) / 2, rtol=0, atol=max(size**2, 1e-14) * 10)


def test_a_zero_tensor_is_scaled_and_an_opposite_one_crossed_without_nan():
    a = torch.tensor([3.0, 4.0])
    torch.testing.assert_close(slerp({"w": a * 0}, {"w": a}, 0.25)["w"], a / 4)
    torch.testing.assert_close(slerp({"w": a}, {"w": -a}, 0.25)["w"], a / 2)
    assert torch.equal(slerp({"w": a * 0}, {"w": a * 0}, 0.5)["w"], a * 0)


def test_many_models_keep_the_weighted_mean_of_norms_whatever_the_order():
    states = [{"w": (seed + 1) * drawn(seed, 40)} for seed in range(4)]
    weights = [1.0, 0.5, 2.0, 0.0]
    mean = sum(w * float(s["w"].norm()) for w, s in zip(weights, states, strict=True)) / sum(weights)
    forward = slerp_many(states, weights)["w"]
    backward = slerp_many(states[::-1], weights[::-1])["w"]
    assert float(forward.norm()) == pytest.approx(mean) == float(backward.norm())
    assert torch.equal(forward, slerp_many(states[:3], weights[:3])["w"]), "a weight of 0 leaves a model out"


def test_alone_among_zero_weights_a_model_comes_out_bit_for_bit():
    states = [{"w": drawn(seed, 9, dtype=torch.bfloat16)} for seed in range(3)]
    assert torch.equal(slerp_many(states, [0, 7, 0])["w"], states[1]["w"])


@pytest.mark.parametrize("weight", [-0.01, 1.01, float("nan")])
def test_weights_beyond_the_ends_are_refused(weight):
    with pytest.raises(InputError, match="between 0"):
        slerp({"w": torch.ones(2)}, {"w": torch.ones(2)}, weight)


@pytest.mark.parametrize("weights", [[0.0, 0.0], [1.0, -1.0], [1.0, float("inf")]])
def test_weights_that_say_nothing_are_refused(weights):
    with pytest.raises(InputError, match="cannot be used"):
        slerp_many([{"w": torch.ones(2)}] * 2, weights)


def test_models_that_do_not_belong_together_are_refused():
    one = {"w": torch.ones(2)}
    with pytest.raises(InputError, match="“w” is 2 in one model and 3x1"):
        slerp(one, {"w": torch.ones(3, 1)}, 0.5)
    with pytest.raises(InputError, match="Only one of the models has the tensor “v”"):
        slerp(one, one | {"v": torch.ones(1)}, 0.5)
    with pytest.raises(InputError, match="1 weights"):
        slerp_many([one, one], [1])
    with pytest.raises(InputError, match="damaged"):
        slerp(one, {"w": torch.tensor([1.0, float("nan")])}, 0.5)
    with pytest.raises(InputError, match="whole numbers"):
        slerp({"n": torch.tensor([1])}, {"n": torch.tensor([2])}, 0.5)

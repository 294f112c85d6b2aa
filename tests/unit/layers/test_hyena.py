from __future__ import annotations

import pytest
import torch

from epigx.layers.hyena import Hyena, ImplicitFilter, long_convolution


@pytest.mark.parametrize("length", [1, 2, 7, 30])
def test_the_long_convolution_is_the_sum_written_out(length: int) -> None:
    torch.manual_seed(0)
    x, kernel = torch.randn(2, length, 3), torch.randn(length, 3)
    expected = torch.zeros_like(x)
    for t in range(length):
        for s in range(t + 1):
            expected[:, t] += kernel[s] * x[:, t - s]
    torch.testing.assert_close(long_convolution(x, kernel), expected, atol=1e-5, rtol=1e-5)


def test_the_filter_is_a_function_of_the_position() -> None:
    torch.manual_seed(0)
    implicit = ImplicitFilter(8, longest=100, width=16)
    whole = implicit(100)
    assert whole.shape == (100, 8)
    torch.testing.assert_close(implicit(40), whole[:40])


def test_channels_forget_at_different_rates() -> None:
    implicit = ImplicitFilter(8, longest=101, width=16)
    for layer in implicit.layers[1:]:
        torch.nn.init.zeros_(layer.weight)
    torch.nn.init.ones_(implicit.layers[2].bias)
    torch.nn.init.ones_(implicit.layers[3].weight)  # a constant before the decay
    value = implicit(101)
    decayed = (value[-1] / value[0]).double()
    assert decayed[0].item() == pytest.approx(0.01 ** (1 / 1.5), rel=1e-4)
    assert decayed[-1].item() == pytest.approx(0.01 ** (1 / 0.3), rel=1e-4)
    assert decayed.diff().lt(0).all()


def test_a_position_sees_those_before_it_alone() -> None:
    torch.manual_seed(0)
    hyena = Hyena(8, longest=64)
    x = torch.randn(1, 40, 8, requires_grad=True)
    hyena(x)[0, 25].sum().backward()
    assert x.grad[0, 26:].abs().max() < 1e-6
    assert x.grad[0, :26].abs().amin(-1).gt(0).all()


def test_the_long_convolution_is_float32_under_autocast() -> None:
    torch.manual_seed(0)
    hyena = Hyena(16, longest=512)
    x = torch.randn(1, 512, 16)
    exact = hyena(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = hyena(x)
    assert mixed.dtype == torch.bfloat16
    assert (mixed.float() - exact).norm() < 0.02 * exact.norm()


def test_gradients_against_differences() -> None:
    torch.manual_seed(0)
    hyena = Hyena(3, longest=12, width=4).double()
    assert torch.autograd.gradcheck(hyena, torch.randn(1, 9, 3, dtype=torch.float64, requires_grad=True))

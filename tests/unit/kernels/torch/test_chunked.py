from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from epigx.kernels import Direction, causal_conv1d, kernel, selective_scan
from epigx.kernels.torch import chunked, reference


def inputs(length: int, *, batch: int = 2, channels: int = 6, state: int = 3) -> tuple[Tensor, ...]:
    torch.manual_seed(length)
    draw = torch.randn(batch, length, channels, dtype=torch.float64)
    return (
        draw,
        torch.rand_like(draw) + 0.01,
        -torch.rand(channels, state, dtype=torch.float64) * 3,
        torch.randn(batch, length, state, dtype=torch.float64),
        torch.randn(batch, length, state, dtype=torch.float64),
        torch.randn(channels, dtype=torch.float64),
    )


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("length", [1, 2, 3, 16, 50])
def test_gradients_by_finite_differences(length: int, reverse: bool) -> None:
    leaves = [x.requires_grad_() for x in inputs(length, batch=1, channels=2, state=2)]
    with kernel("torch"):
        assert torch.autograd.gradcheck(lambda *x: selective_scan(*x, reverse=reverse), leaves)


def test_channels_taken_a_few_at_a_time_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    leaves = [x.requires_grad_() for x in inputs(30)]
    whole = chunked.selective_scan(*leaves)
    gradients = torch.autograd.grad(whole.sum(), leaves)
    monkeypatch.setattr(chunked, "BUDGET", 2 * 2 * 2 * 30 * 3 * 8)  # two channels
    parts = chunked.selective_scan(*leaves)
    torch.testing.assert_close(parts, whole, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(torch.autograd.grad(parts.sum(), leaves), gradients, rtol=1e-12, atol=1e-12)


def test_a_long_window_stays_within_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    plain = torch.exp

    def exp(x: Tensor) -> Tensor:
        seen.append(x.numel() * x.element_size())
        return plain(x)

    monkeypatch.setattr(chunked, "BUDGET", 2**20)
    monkeypatch.setattr(chunked.torch, "exp", exp)
    chunked.selective_scan(*inputs(4000, batch=1, channels=32, state=4))
    assert max(seen) * 64 < 2**20  # one step of about √4000
    assert len(seen) > 64


def test_autocast_does_not_reach_the_scan(direction: Callable[..., Direction]) -> None:
    arguments = [x.float() for x in inputs(40)]
    plain = chunked.selective_scan(*arguments)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(chunked.selective_scan(*arguments), plain)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("taps", [1, 2, 4, 7])
def test_convolution_is_that_of_the_library(taps: int, reverse: bool) -> None:
    torch.manual_seed(taps)
    x, weight, bias = torch.randn(2, 5, 3), torch.randn(3, taps), torch.randn(3)
    with kernel("torch"):
        found = causal_conv1d(x, weight, bias, reverse=reverse)
    torch.testing.assert_close(found, reference.causal_conv1d(x, weight, bias, reverse=reverse))


def test_convolution_by_hand() -> None:
    x = torch.tensor([[[1.0], [10.0], [100.0]]])
    weight, bias = torch.tensor([[2.0, 3.0]]), torch.tensor([0.5])
    with kernel("torch"):
        assert causal_conv1d(x, weight, bias).flatten().tolist() == [3.5, 32.5, 320.5]
        assert causal_conv1d(x, weight, bias, reverse=True).flatten().tolist() == [23.5, 230.5, 300.5]


def test_operators_are_well_formed() -> None:
    u, delta, A, B, C, _ = (x.float().requires_grad_() for x in inputs(9))
    torch.library.opcheck(chunked._scan, (u, delta, A, B, C))
